"""What a journal can say: a closed union of events, and their one canonical encoding.

Guarantees: equal events encode to equal bytes (sorted keys, no spaces, ASCII), and a run id is
safe as a file name. Does not: decode, order, sign or store anything; `log` and `verify` do.
"""

from __future__ import annotations

import json
import re
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import ClassVar, Literal, NewType, get_args

from capbox.messages import Denial, Effect, HttpRequest, JsonObject, Spent, Usage

RunId = NewType("RunId", str)
What = Literal["ask", "answer", "denial", "lease", "revocation", "warning", "hook", "known", "plan"]


@dataclass(frozen=True, slots=True)
class RunOpened:
    """The header of a run: who started it, on what, with which authority, tools and versions.

    `authority` holds the canonical grants, `tools` pairs of name and digest, `versions` pairs of
    component and version, `started` seconds since the epoch. `session` is what the run belongs to:
    a session's id, then the run that it goes on from, if it does.
    """

    kind: ClassVar[str] = "opened"
    who: str
    workspace: str
    authority_id: str
    authority: tuple[str, ...]
    tools: tuple[tuple[str, str], ...]
    versions: tuple[tuple[str, str], ...]
    started: float
    session: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallIntended:
    """A tool call that is about to start: written before its first effect.

    `rights` are the file rights and variables it gets, as text; `seed` (hex) feeds its randomness.
    `within` is the entry of the call whose guest makes this one; None: a model or principal does.
    `draws` are the grants whose counters it may draw on, once each.
    """

    kind: ClassVar[str] = "intent"
    call: str
    tool: str
    digest: str
    arguments: JsonObject
    authorities: tuple[str, ...]
    rights: tuple[str, ...]
    seed: str
    started_ns: int
    within: int | None = None
    draws: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallEnded:
    """What the call of entry `intent` did; `detail` is the error code, or empty.

    `effects_whole` is False when the sandbox could not read back every effect.
    `sources` are those of its text, `content` is the SHA-256 of the text that the model got,
    `clock` the clock readings that a replay needs (base64 of 8 bytes each), `tape` the mark of what
    else it needs (`journal.tape`), `drawn` what it drew on counters: grant, uses, bytes.
    """

    kind: ClassVar[str] = "outcome"
    intent: int
    end: Literal["ok", "error", "stopped", "broken"]
    detail: str
    effects: tuple[Effect, ...]
    effects_whole: bool
    denied: tuple[Denial, ...]
    spent: Spent
    content: str
    clock: str
    sources: tuple[str, ...] = ()
    drawn: tuple[tuple[str, int, int], ...] = ()
    tape: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision about authority: an ask, its answer, a denial, a lease, a revocation; what a
    hook said of a step; a warning that a budget is nearly used up; a source that the prompt has;
    from when on the run only plans, and from when on no more.
    """

    kind: ClassVar[str] = "decision"
    what: What
    subject: str
    result: str
    call: str | None = None
    authority: str | None = None
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """One model reply: tokens, price (None when unknown) and why the model stopped."""

    kind: ClassVar[str] = "turn"
    turn: int
    model: str
    usage: Usage
    usd: float | None
    stop: str


@dataclass(frozen=True, slots=True)
class RunClosed:
    """The last entry of a finished run; `tape` is the mark of its whole tape, if it has one."""

    kind: ClassVar[str] = "closed"
    outcome: str
    ended: float
    tape: str = ""


@dataclass(frozen=True, slots=True)
class NameLookedUp:
    """A host's name that is about to be looked up by the call of entry `intent`, under `grant`."""

    kind: ClassVar[str] = "lookup"
    intent: int
    host: str
    grant: str


@dataclass(frozen=True, slots=True)
class RequestSent:
    """A request that is about to be sent by the call of entry `intent`: before the first byte.

    `grants` allow it: its own, and those of the secrets that go with it. `draws` are those whose
    counters it draws on, at the time `at`, in seconds since the epoch.
    """

    kind: ClassVar[str] = "request"
    intent: int
    method: str
    url: str
    address: str
    body_bytes: int
    grants: tuple[str, ...]
    draws: tuple[str, ...] = ()
    at: float | None = None


Event = (
    RunOpened
    | CallIntended
    | CallEnded
    | NameLookedUp
    | RequestSent
    | Decided
    | TurnEnded
    | RunClosed
)


def run_id(now: float, entropy: bytes) -> RunId:
    """Return an opaque id that sorts by start: UTC date and time, then `entropy` (10 bytes)."""
    start = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    return RunId(f"{start}-{b32encode(entropy).decode().rstrip('=').lower()}")


def is_run_id(text: str) -> bool:
    """Say whether `text` may name a run; a path such as `../x` never does."""
    return re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", text) is not None


def encode(event: Event) -> str:
    """Return the one JSON text of an event; raises ValueError for NaN and infinities."""
    return canonical({"kind": event.kind, **_fields(event)})


def canonical(value: Mapping[str, object]) -> str:
    """Return the one JSON text of `value`, whose values are JSON or frozen dataclasses of JSON."""
    return _ENCODER.encode(value)


def _fields(value: Event | Effect | HttpRequest | Denial | Spent | Usage) -> dict[str, object]:
    found = {name: getattr(value, name) for name in _NAMES[type(value)]}
    for name in _SELDOM.intersection(found):
        if not found[name]:
            del found[name]
    return found


# What most entries and effects do not have: left out, since a run may have thousands of them.
_SELDOM = frozenset({"request", "tape", "within", "draws", "drawn", "at", "session"})
_NAMES = {
    kind: tuple(field.name for field in fields(kind))
    for kind in (*get_args(Event), Effect, HttpRequest, Denial, Spent, Usage)
}
_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False, default=_fields
)
