"""How a run can end: a closed union, with one word, one sentence and one exit code for each.

Guarantees: only `Completed` is a success; every other way has its own type, so no caller can take a
cut reply, a spent limit or an interruption for one. Does not: hold the run's text or what it used
(`capbox.agent.events.RunFinished` does).

Exit codes are those of `capbox call`: 0 ok · 1 the model failed · 3 refused · 4 stopped by a limit,
or revoked · 5 the sandbox failed · 130 interrupted. A run that was refused something, went on and
finished is 0: its denials are listed, and the model has said what it could not do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never

from capbox.models.model import ErrorKind

FailureKind = ErrorKind | Literal["empty", "length", "malformed", "refused"]
"""An error of the stream, or a whole reply that is no answer: nothing in it, cut, or filtered.

`malformed`: replies in a row none of whose tool calls could run.
"""


@dataclass(frozen=True, slots=True)
class Completed:
    """The model ended its work by itself."""


@dataclass(frozen=True, slots=True)
class TurnLimit:
    """The next turn would have been one more than allowed."""

    allowed: int


@dataclass(frozen=True, slots=True)
class ToolCallLimit:
    """The next tool call would have been one more than allowed."""

    allowed: int


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The wall clock passed the limit; time spent waiting for a person is not in it."""

    allowed_seconds: float


@dataclass(frozen=True, slots=True)
class TokenLimit:
    """The next turn would have used more tokens than allowed."""

    allowed: int
    used: int


@dataclass(frozen=True, slots=True)
class BudgetExceeded:
    """The money is spent; `estimated` if a reply had no known price (see `limits/caps.py`).

    `needed_usd` is what the next turn may cost, if that is more than is left.
    """

    allowed_usd: float
    spent_usd: float
    estimated: bool
    needed_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class BudgetUsedUp:
    """A budget that nobody can raise from here is used up: that of the day, or of a run above."""

    message: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Somebody interrupted the run."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """All that the run held was taken back, from elsewhere."""


@dataclass(frozen=True, slots=True)
class StoppedByPerson:
    """A person who was asked for a grant answered "no, and stop"."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The run could not start: it does not hold `access`; `missing` is the grant that allows it."""

    access: str
    reason: str
    missing: str | None


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """The model gave no usable reply."""

    kind: FailureKind
    message: str


@dataclass(frozen=True, slots=True)
class SandboxFailed:
    """The sandbox failed several calls in a row; the last reason is kept."""

    message: str


Limit = TurnLimit | ToolCallLimit | TimeLimit | TokenLimit | BudgetExceeded
Ended = Cancelled | Revoked | StoppedByPerson | Refused | ModelFailed | SandboxFailed
Outcome = Completed | Limit | BudgetUsedUp | Ended


def word(outcome: Outcome) -> str:
    """Return the stable name that JSON carries."""
    match outcome:
        case Completed():
            return "completed"
        case TurnLimit():
            return "turn_limit"
        case ToolCallLimit():
            return "tool_call_limit"
        case TimeLimit():
            return "time_limit"
        case TokenLimit():
            return "token_limit"
        case BudgetExceeded() | BudgetUsedUp():
            return "budget_exceeded"
        case Cancelled():
            return "cancelled"
        case Revoked():
            return "revoked"
        case StoppedByPerson():
            return "stopped_by_person"
        case Refused():
            return "refused"
        case ModelFailed():
            return "model_failed"
        case SandboxFailed():
            return "sandbox_failed"
        case _:
            assert_never(outcome)


def sentence(outcome: Outcome) -> str:
    """Return why the run ended, for a person."""
    match outcome:
        case Completed():
            return "the model ended its work"
        case TurnLimit(allowed):
            return f"all {allowed} turns are used"
        case ToolCallLimit(allowed):
            return f"all {allowed} tool calls are used"
        case TimeLimit(seconds):
            return f"the time of {seconds:g} s is used up"
        case TokenLimit(allowed, used):
            return f"{used} of {allowed} tokens are used, and the next turn needs more than is left"
        case BudgetExceeded(allowed_usd, spent_usd, estimated, needed):
            more = f", and the next turn may need {needed:.4f}" if needed else ""
            if not estimated:
                return f"{spent_usd:.4f} of {allowed_usd:g} USD are spent{more}"
            return (
                f"an estimated {spent_usd:.4f} of {allowed_usd:g} USD are spent{more} (this model "
                "has no known price, so a high one is assumed)"
            )
        case BudgetUsedUp(message):
            return message
        case Cancelled():
            return "interrupted"
        case Revoked():
            return "what the run held was taken back (capbox revoke)"
        case StoppedByPerson():
            return "the person said no, and stop"
        case Refused(access, reason, _):
            return f"refused: {access}: {reason}"
        case ModelFailed(kind, message):
            return f"the model failed ({kind}): {message}"
        case SandboxFailed(message):
            return f"the sandbox failed: {message}"
        case _:
            assert_never(outcome)


def exit_code(outcome: Outcome) -> int:
    """Return the exit code of `capbox run` for this outcome."""
    match outcome:
        case Completed():
            return 0
        case ModelFailed():
            return 1
        case Refused() | StoppedByPerson():
            return 3
        case TurnLimit() | ToolCallLimit() | TimeLimit() | TokenLimit() | BudgetExceeded():
            return 4
        case BudgetUsedUp() | Revoked():
            return 4
        case SandboxFailed():
            return 5
        case Cancelled():
            return 130
        case _:
            assert_never(outcome)
