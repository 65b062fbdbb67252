"""From what a sandbox reports to what the caller and the model get. Pure.

Guarantees: every outcome becomes one `ToolResult`; a failure is never a success; each refused
access is named with the grant and the flag that would allow it, where one would.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Literal, assert_never

from capbox.authority.access import ReadAccess, WriteAccess, flag_for
from capbox.authority.decision import Denied
from capbox.authority.grant import HAS_READ, StoreSelector
from capbox.authority.paths import (
    SCRATCH,
    WORKSPACE,
    GuestPath,
    Layout,
    PathRefusal,
    normalise,
    under,
)
from capbox.authority.values.label import Sources
from capbox.broker.redact import Redactor
from capbox.gate.approver import neutral
from capbox.gate.protocol import Reply, parse_reply
from capbox.gate.rights.stores import GUEST
from capbox.gate.seat import Held
from capbox.journal.event import CallEnded
from capbox.messages import Denial, Effect, Json, JsonObject, ToolFailure, ToolResult
from capbox.sandbox.effects import MANY
from capbox.sandbox.spec import Broken, Failed, Finished, Outcome, Refused, Stopped

DENIALS_MAX = 100
_STDERR_BYTES_SHOWN = 1_000
_STORE = re.compile(rf"{GUEST}/([a-z][a-z0-9_-]{{0,63}})(?=/|\Z)")


End = Literal["ok", "error", "stopped", "broken"]


@dataclass(frozen=True, slots=True)
class Concluded:
    """A result, how the journal calls its end, and the state that the tool wants to keep."""

    result: ToolResult
    end: End
    state: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """What a call did on the network, and what it was refused there."""

    effects: tuple[Effect, ...] = ()
    denied: tuple[Denial, ...] = ()


def concluded(
    outcome: Outcome,
    output_bytes_max: int,
    held: Held,
    reached: Reached = Reached(),
    read: Callable[[bytes, int], Reply | str] = parse_reply,
) -> Concluded:
    """Return what the outcome of a call means; `read` takes what the tool wrote."""
    files = (Effect(t.action, t.path, t.host, t.bytes) for t in outcome.touched)
    make = partial(
        ToolResult,
        denied=(*denials(outcome.refused, held), *reached.denied)[:DENIALS_MAX],
        effects=(*files, *reached.effects),
        spent=outcome.spent,
    )
    match outcome.end:
        case Finished(stdout, stderr):
            reply = read(stdout, output_bytes_max)
            if isinstance(reply, Reply):
                return _replied(reply, make)
            return _failed(make, "error", "tool_protocol", f"{reply}{_tail(stderr)}")
        case Failed(reason, stderr):
            return _failed(make, "error", "tool_crashed", f"{reason}{_tail(stderr)}")
        case Stopped(bound, message):
            return _failed(make, "stopped", bound, message)
        case Broken(reason):
            return _failed(make, "broken", "sandbox_failed", reason)
        case _:
            assert_never(outcome.end)


def labelled(end: Concluded, sources: Sources) -> Concluded:
    """Return `end` with where its text comes from."""
    return replace(end, result=replace(end.result, sources=tuple(sorted(map(str, sources)))))


def redacted(end: Concluded, redactor: Redactor) -> Concluded:
    """Return `end` without the secrets that this run has sent, wherever they were echoed."""
    if not redactor.knows_any:
        return end
    result, error = end.result, end.result.error
    clean = replace(
        result,
        content=redactor.text(result.content),
        data=_object(redactor.json(result.data)),
        error=None if error is None else ToolFailure(error.code, redactor.text(error.message)),
        effects=tuple(replace(e, path=redactor.text(e.path)) for e in result.effects),
        denied=tuple(without_secrets(denial, redactor) for denial in result.denied),
        sources=tuple(map(redactor.text, result.sources)),
    )
    return replace(end, result=clean, state=_object(redactor.json(end.state)))


def without_secrets(denial: Denial, redactor: Redactor) -> Denial:
    """Return `denial` with nothing in it that `redactor` knows; a path or URL may spell it."""
    clean = redactor.text
    return Denial(
        clean(denial.access),
        clean(denial.reason),
        None if denial.missing is None else clean(denial.missing),
        None if denial.flag is None else clean(denial.flag),
    )


def _object(value: Json) -> JsonObject | None:
    return value if isinstance(value, Mapping) else None


def denials(refused: Iterable[Refused], held: Held) -> tuple[Denial, ...]:
    """Return each refused access once, the first hundred of them."""
    distinct = list(dict.fromkeys(refused))
    return tuple(_denial(one, held) for one in distinct[:DENIALS_MAX])


def denial_of(denied: Denied, layout: Layout) -> Denial:
    """Return a refusal of the gate as the caller gets it."""
    # Attack: what a label keeps in goes out by the flag that is advised and pasted unread.
    withheld = denied.reason.startswith(HAS_READ)
    flag = None if denied.missing is None or withheld else flag_for(denied.access, layout)
    return Denial(neutral(str(denied.access)), neutral(denied.reason), denied.missing, flag)


def lesson(denial: Denial, held: Held) -> str:
    """Say what was refused, what the run holds, and that trying again is of no use."""
    missing = "" if denial.missing is None else f" The missing grant: {denial.missing}."
    holds = ", ".join(held.holding.describe(held.standing)) or "nothing"
    return (
        f"refused: {denial.access}: {denial.reason}.{missing} This run holds: {holds}. "
        "Do not try again while that is so."
    )


def _replied(reply: Reply, make: partial[ToolResult]) -> Concluded:
    make = partial(make, content=reply.content, data=reply.data, truncated=reply.truncated)
    if reply.ok:
        return Concluded(make(ok=True), "ok", reply.state)
    code = "denied" if make.keywords["denied"] else reply.code
    failed = make(ok=False, error=ToolFailure(code, reply.message))
    return Concluded(failed, "error", reply.state)


def _failed(make: partial[ToolResult], end: End, code: str, message: str) -> Concluded:
    return Concluded(make(ok=False, content="", error=ToolFailure(code, message)), end)


def _tail(stderr: bytes) -> str:
    text = stderr[-_STDERR_BYTES_SHOWN:].decode(errors="replace").strip()
    return f": {text}" if text else ""


def _denial(refused: Refused, held: Held) -> Denial:
    plain = Denial(neutral(f"{refused.action} {refused.path}"), refused.reason, None, None)
    path = normalise(refused.path, WORKSPACE)
    if isinstance(path, PathRefusal) or refused.path == MANY:
        return plain
    if kept := _STORE.match(path):
        wanted = StoreSelector(kept[1])
        if any(m.grant.selector == wanted for m in held.holding.live(held.standing)):
            return plain
        missing = f"store:{wanted}"
        reason = f"no grant of {missing}"
        return replace(plain, reason=reason, missing=missing, flag=f"--grant {missing}")
    layout = held.layout
    grant = layout.grant_of(GuestPath(path)) or layout.canonical(path)
    if under(path, SCRATCH) and layout.guest_of(grant) is None:
        return plain
    access = ReadAccess(grant) if refused.action == "read" else WriteAccess(grant)
    decision = held.decide(access)
    if isinstance(decision, Denied):
        return denial_of(decision, layout)
    # The run holds it, and still it was refused: the tool does not request it, a link led out of
    # it, or it was named as the host does. More authority would not help.
    if layout.guest_of(grant) not in (None, path):
        return replace(plain, reason=f"{refused.reason}; here it is {layout.guest_of(grant)}")
    return plain


def ended(
    intent: int,
    end: Concluded,
    outcome: Outcome,
    drawn: tuple[tuple[str, int, int], ...],
    tape: str,
) -> CallEnded:
    """Return the entry of a call that is over; `drawn` are grant, uses and bytes."""
    result = end.result
    return CallEnded(
        intent=intent,
        end=end.end,
        detail=result.error.code if result.error is not None else "",
        effects=result.effects,
        effects_whole=outcome.effects_whole,
        denied=result.denied,
        spent=result.spent,
        sources=result.sources,
        content=sha256(result.content.encode(errors="replace")).hexdigest(),
        clock=b64encode(outcome.clock).decode(),
        drawn=drawn,
        tape=tape,
    )
