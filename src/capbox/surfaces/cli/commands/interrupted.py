"""What an interrupted call did, as far as the journal has it.

Guarantees: the run is named if there was one; what cannot be read is left out, never guessed, and
ends nothing: an interruption is reported whatever state it left. Does not: wait for a record.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from capbox.journal.errors import JournalError
from capbox.journal.event import RunId
from capbox.messages import (
    Denial,
    Effect,
    HttpRequest,
    Json,
    JsonObject,
    Spent,
    ToolFailure,
    ToolResult,
)

_NOTHING = ToolFailure("interrupted", "before the call began; nothing was done")


def interrupted(journal: Path, run: str | None) -> ToolResult:
    """Return the result of the one call of `run`, which was interrupted; None: there was no run."""
    if run is None:
        return ToolResult(ok=False, content="", error=_NOTHING)
    said = f"what it did is on record: capbox audit show {run}"
    blank = ToolResult(
        ok=False, content="", error=ToolFailure("interrupted", said), spent=Spent(), journal=run
    )
    ended = _outcome(journal, run)
    if ended is None:
        return blank
    return replace(
        blank,
        denied=tuple(map(_denial, _objects(ended, "denied"))),
        effects=tuple(map(_effect, _objects(ended, "effects"))),
        spent=_spent(ended.get("spent")),
    )


def _outcome(journal: Path, run: str) -> JsonObject | None:
    from capbox.store.journal import read

    try:
        contents = [record.content or {} for record in read(journal, RunId(run))]
    except (JournalError, OSError):
        return None
    return next((one for one in contents if one.get("kind") == "outcome"), None)


def _objects(content: JsonObject, key: str) -> list[JsonObject]:
    value = content.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _effect(one: JsonObject) -> Effect:
    action, path = _text(one.get("action")), _text(one.get("path"))
    host, count = _text(one.get("host_path")), _count(one.get("bytes"))
    return Effect(action or "", path or "", host, count, _request(one.get("request")))


def _request(value: Json) -> HttpRequest | None:
    if not isinstance(value, dict):
        return None
    status, secrets = value.get("status"), value.get("secrets")
    return HttpRequest(
        method=_text(value.get("method")) or "",
        address=_text(value.get("address")) or "",
        status=status if isinstance(status, int) else None,
        sent_bytes=_count(value.get("sent_bytes")),
        received_bytes=_count(value.get("received_bytes")),
        wall_ms=_count(value.get("wall_ms")),
        secrets=tuple(map(str, secrets)) if isinstance(secrets, list) else (),
    )


def _denial(one: JsonObject) -> Denial:
    access, reason = _text(one.get("access")), _text(one.get("reason"))
    return Denial(access or "", reason or "", _text(one.get("missing")), _text(one.get("flag")))


def _spent(value: Json) -> Spent:
    if not isinstance(value, dict):
        return Spent()
    fuel = value.get("fuel")
    return Spent(
        wall_ms=_count(value.get("wall_ms")),
        fuel=None if fuel is None else _count(fuel),
        memory_bytes=_count(value.get("memory_bytes")),
        output_bytes=_count(value.get("output_bytes")),
    )


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _count(value: Json) -> int:
    return value if isinstance(value, int) else 0
