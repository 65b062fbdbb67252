"""The calls of a session that have no result in what was said, and how each of them stands.

Guarantees: a call that ended is not made again: its result is taken from the store, or told from
the journal's entry; one that began and has no end is unknown, and made again only if its tool
reads at most; one of which the journal has nothing never began. Does not: run anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from capbox.engine.sessions.record import RunOnRecord, objects, texts
from capbox.messages import (
    AssistantMessage,
    Denial,
    Json,
    JsonObject,
    Message,
    ToolCall,
    ToolFailure,
    ToolMessage,
    ToolResult,
)

UNKNOWN: Final = "outcome_unknown"
_UNKNOWN_SAID = (
    "it is not known whether this call happened: capbox ended while it ran. Which of its effects "
    "took place cannot be told. Look at what is there before you make it again."
)
_LOST = "This call ended before capbox did, and its output was not kept. Do not make it again."


@dataclass(frozen=True, slots=True)
class Open:
    """One call without a result in the transcript; `result` None: it is to be made.

    `told` is what the person should know of it, if anything.
    """

    call: ToolCall
    result: ToolResult | None = None
    told: str = ""


def open_calls(history: Sequence[Message]) -> tuple[ToolCall, ...]:
    """Return the calls of the last reply that have no result, in order."""
    for place in range(len(history) - 1, -1, -1):
        message = history[place]
        if isinstance(message, AssistantMessage):
            after = [m.call_id for m in history[place + 1 :] if isinstance(m, ToolMessage)]
            return tuple(call for call in message.tool_calls if not _removed(after, call.id))
    return ()


def settled(
    history: Sequence[Message],
    run: RunOnRecord | None,
    events: Sequence[JsonObject],
    reads_only: Callable[[str], bool],
) -> tuple[Open, ...]:
    """Return how each open call stands.

    `run` is the one in which they were asked for, as the journal has it (None: it has no such),
    `events` are those that the store has of it.
    """
    names = _names(run)
    taken = [m.call_id for m in history if isinstance(m, ToolMessage)]
    found: list[Open] = []
    for call in open_calls(history):
        if run is None:
            # Attack: the store is made to name a run that knows nothing of a call that was made.
            found.append(_repeated(call, reads_only))
            continue
        own = [name for name in names if _is_of(name, call.id)]
        nth = taken.count(call.id)
        taken.append(call.id)
        finished = [e for e in events if e.get("id") == call.id]
        name = own[nth] if nth < len(own) else None
        result = _result(finished[nth].get("result")) if nth < len(finished) else None
        found.append(_stands(call, _entries(run, name), result, reads_only))
    return tuple(found)


def settled_since(
    left: Sequence[Open],
    run: RunOnRecord,
    said: Sequence[str],
    events: Sequence[JsonObject],
    reads_only: Callable[[str], bool],
) -> tuple[Open, ...]:
    """Return how open calls stand after a later run, which may have begun to make them.

    `said` are the ids of those whose result joined the transcript in that run.
    """
    # Attack: a call is made again each time that a run ends while it makes it.
    names, taken = _names(run), list(said)
    found: list[Open] = []
    for one in left:
        own = [name for name in names if _is_of(name, one.call.id)]
        finished = [e for e in events if e.get("id") == one.call.id]
        nth = taken.count(one.call.id)
        taken.append(one.call.id)
        entries = _entries(run, own[nth] if nth < len(own) else None)
        result = _result(finished[nth].get("result")) if nth < len(finished) else None
        began = one.result is None and "intent" in entries
        found.append(_stands(one.call, entries, result, reads_only) if began else one)
    return tuple(found)


def _removed(names: list[str], name: str) -> bool:
    """Take one `name` out of the list, if it is there: a model may give two calls one id."""
    if name in names:
        names.remove(name)
        return True
    return False


def _stands(
    call: ToolCall,
    entries: Mapping[str, JsonObject],
    result: ToolResult | None,
    reads_only: Callable[[str], bool],
) -> Open:
    if "intent" not in entries:
        return Open(call)
    ended = entries.get("outcome")
    if ended is None:
        return _repeated(call, reads_only)
    if result is not None:
        return Open(call, result)
    return Open(call) if reads_only(call.name) else Open(call, _from_record(ended))


def _repeated(call: ToolCall, reads_only: Callable[[str], bool]) -> Open:
    if reads_only(call.name):
        return Open(call)
    told = f"the call {call.name} ({call.id}) began and has no end on record: it is not known"
    result = ToolResult(ok=False, content="", error=ToolFailure(UNKNOWN, _UNKNOWN_SAID))
    return Open(call, result, f"{told} whether it happened; it is not made again")


def _from_record(ended: JsonObject) -> ToolResult:
    """Return what the journal's entry of an end tells."""
    effects = [f"{one.get('action')} {one.get('path')}" for one in objects(ended.get("effects"))]
    did = f"Its effects on record: {', '.join(effects) or 'none'}."
    whole = "" if ended.get("effects_whole") is True else " There may be more."
    good = ended.get("end") == "ok"
    error = None if good else ToolFailure(str(ended.get("detail") or ended.get("end")), _LOST)
    content = f"[{_LOST} {did}{whole}]" if good else f"[{did}{whole}]"
    return ToolResult(good, content, error=error, sources=texts(ended.get("sources")))


def _names(run: RunOnRecord | None) -> tuple[str, ...]:
    """Return the names under which the run's calls are on record, in order."""
    found = (
        entry.get("call")
        for entry in (() if run is None else run.entries)
        if entry.get("kind") in ("intent", "decision")
    )
    return tuple(dict.fromkeys(name for name in found if isinstance(name, str)))


def _is_of(name: str, call: str) -> bool:
    """Say whether a call with this id may be on record under `name` (see `Seat.named`)."""
    plain = call.replace("/", "_")
    base, plus, number = name.rpartition("+")
    return name == plain or (plus == "+" and number.isdigit() and _is_of(base, call))


def _entries(run: RunOnRecord, name: str | None) -> dict[str, JsonObject]:
    """Return the intent of a call and its outcome, as far as they are there."""
    found: dict[str, JsonObject] = {}
    for number, entry in enumerate(run.entries):
        if entry.get("kind") == "intent" and name is not None and entry.get("call") == name:
            found["intent"] = entry
            ended = next((e for e in run.of("outcome") if e.get("intent") == number), None)
            found.update({} if ended is None else {"outcome": ended})
    return found


def _result(written: Json) -> ToolResult | None:
    """Read a result as events have it; what cannot be read is none."""
    match written:
        case {"ok": bool(ok), "content": str(content), "error": error, "denied": [*denied]}:
            sources = written.get("sources") if isinstance(written, dict) else []
            return ToolResult(
                ok,
                content,
                error=_failure(error),
                denied=tuple(map(_denial, objects(denied))),
                truncated=isinstance(written, dict) and written.get("truncated") is True,
                sources=texts(sources),
            )
        case _:
            return None


def _failure(written: Json) -> ToolFailure | None:
    match written:
        case {"code": str(code), "message": str(message)}:
            return ToolFailure(code, message)
        case _:
            return None


def _denial(one: JsonObject) -> Denial:
    return Denial(str(one.get("access")), str(one.get("reason")), None, None)
