"""What does not go as planned in a run, told as events, and what a person does to it meanwhile.

Guarantees: as in `agent/events.py`, of whose union these are a part: a `type`, the same keys each
time. Does not: end a run; whatever does is the outcome of `RunFinished`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from capbox.messages import Json, SummaryMessage, Usage
from capbox.models.model import ErrorKind

Problem = Literal["empty", "length", "malformed", "overflow", "provider"]
"""What a recovery is for: a reply with nothing in it, one that was cut at its length limit, one
without a call that could run, a request that did not fit, a provider that failed."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """The same request is sent again after `seconds`; it is no turn of its own."""

    attempt: int
    seconds: float
    kind: ErrorKind
    reason: str

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {"type": "retrying", **asdict(self)}


@dataclass(frozen=True, slots=True)
class ReplyTakenBack:
    """The deltas since the last reply belong to none: it broke off. What shows them drops them."""

    reason: str

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {"type": "reply_taken_back", "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Recovering:
    """The model is asked to go on after a reply of no use; `attempt` counts those in a row."""

    problem: Problem
    attempt: int

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {"type": "recovering", "problem": self.problem, "attempt": self.attempt}


@dataclass(frozen=True, slots=True)
class FellBack:
    """From here on another model answers, until the run ends."""

    failed: str
    model: str
    reason: str

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {"type": "fell_back", **asdict(self)}


@dataclass(frozen=True, slots=True)
class Steered:
    """What a person said meanwhile was given to the model."""

    text: str

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {"type": "steered", "text": self.text}


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing further starts until somebody lets it go on; the clock of the run stands still."""

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {"type": "paused"}


@dataclass(frozen=True, slots=True)
class Resumed:
    """It goes on."""

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {"type": "resumed"}


@dataclass(frozen=True, slots=True)
class StopRefused:
    """The model would have been done; the program that runs it sent it on, with this text."""

    text: str

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {"type": "stop_refused", "text": self.text}


@dataclass(frozen=True, slots=True)
class Compressed:
    """A summary stands for what came before it, in requests; tokens are those of a request.

    `usage` and `usd` are what the summary itself took.
    """

    message: SummaryMessage
    before_tokens: int
    after_tokens: int
    usage: Usage
    usd: float | None

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {
            "type": "compressed",
            "text": self.message.text,
            "kept": self.message.kept,
            "sources": self.message.sources,
            "before_tokens": self.before_tokens,
            "after_tokens": self.after_tokens,
            "usage": asdict(self.usage),
            "usd": self.usd,
        }


@dataclass(frozen=True, slots=True)
class CompressionFailed:
    """There is no summary; `given_up`: this run makes no further try. What it took is in `usage`.

    The conversation is as it was.
    """

    reason: str
    given_up: bool
    usage: Usage
    usd: float | None

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {
            "type": "compression_failed",
            "reason": self.reason,
            "given_up": self.given_up,
            "usage": asdict(self.usage),
            "usd": self.usd,
        }


Incident = (
    Retrying
    | ReplyTakenBack
    | Recovering
    | FellBack
    | Steered
    | Paused
    | Resumed
    | StopRefused
    | Compressed
    | CompressionFailed
)
