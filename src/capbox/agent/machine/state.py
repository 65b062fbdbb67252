"""What the loop knows between two steps, what can come, and what is to be done next. Values.

Guarantees: a `Step` has exactly one action; whoever does it brings back exactly one signal, until
the action is `Finish`. Does not: say which follows which (`machine/transition.py` does).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from capbox.agent.calls import Batch
from capbox.agent.incidents import Incident
from capbox.agent.machine.retry import Tries
from capbox.agent.outcome import Outcome
from capbox.messages import AssistantMessage, SummaryMessage, Usage, UserMessage
from capbox.models.model import ErrorKind, Stop

Why = Literal["asked", "full", "overflow"]
"""Why a conversation is compressed: somebody wants it, it nears the window, or passed it."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a run is. `models` are the names of the model and its fallbacks, `model` which answers.

    `asked`: the turn under way is counted, further requests for it are none of their own.
    `useful`: a call of the reply under way could run. `cut`: that reply was, at its length limit.
    `unusable` counts replies in a row without such a call. `compressed`: a compression was tried
    since the last reply. `overflow` is what the provider said of a request that did not fit.
    """

    models: tuple[str, ...]
    model: int = 0
    done: bool = False
    asked: bool = False
    tries: Tries = field(default_factory=Tries)
    recoveries: int = 0
    todo: tuple[Batch, ...] = ()
    useful: bool = False
    cut: bool = False
    unusable: int = 0
    sandbox_failures: int = 0
    stops_refused: int = 0
    compressing: Why | None = None
    compressed: bool = False
    compression_failures: int = 0
    overflow: str = ""


@dataclass(frozen=True, slots=True)
class Polled:
    """How things stand between two turns.

    `steered` are a person's messages, `objection` is why the run must not end yet, `tokens` is what
    a request would take now, of the `window` (None: not known).
    """

    steered: tuple[str, ...] = ()
    compact: bool = False
    objection: str | None = None
    tokens: int = 0
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Replied:
    """A whole reply; `batches` are its calls, those together that may run side by side."""

    message: AssistantMessage
    batches: tuple[Batch, ...]
    stop: Stop


@dataclass(frozen=True, slots=True)
class Failed:
    """A request without a whole reply; `begun`: pieces of one came. `chance` is in [0, 1)."""

    kind: ErrorKind
    message: str
    retry_after: float | None = None
    begun: bool = False
    chance: float = 0.0


@dataclass(frozen=True, slots=True)
class Waited:
    """The time before another try is over."""


@dataclass(frozen=True, slots=True)
class Called:
    """A batch of calls has its results: their error codes, "" where there is none.

    Of a call whose arguments are no JSON the code is `MALFORMED`.
    """

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summed:
    """There is a summary, with which a request takes `after` tokens instead of `before`."""

    message: SummaryMessage
    before: int
    after: int
    usage: Usage
    usd: float | None


@dataclass(frozen=True, slots=True)
class NotSummed:
    """There is none that would help; `usage` is what the try took."""

    reason: str
    usage: Usage = field(default_factory=Usage)
    usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Over:
    """The run cannot go on: a limit that nobody raises."""

    outcome: Outcome


Signal = Polled | Replied | Failed | Waited | Called | Summed | NotSummed | Over


@dataclass(frozen=True, slots=True)
class Poll:
    """See how things stand; `done`: the model would be, and may be refused that if `refusable`."""

    done: bool
    refusable: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask that model for a turn; `again`: it is counted already."""

    model: int
    again: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class UseTools:
    """Run these calls."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Compress:
    """Have that model sum up; each `tightness` halves what it is shown and what is kept."""

    model: int
    again: bool
    tightness: int
    overflow: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """The run is over."""

    outcome: Outcome


Action = Poll | Ask | Wait | UseTools | Compress | Finish
Note = UserMessage | AssistantMessage | SummaryMessage | Incident
"""A message that joins the transcript, or an event that is told."""


@dataclass(frozen=True, slots=True)
class Step:
    """The state from now on, what is said and told first, in order, and what is done then."""

    state: State
    notes: tuple[Note, ...]
    action: Action
