"""Scripts: replies written in a JSON file, for the scripted model and for the fake server.

A script is a list with one object per reply: `text`, `thinking` (strings), `tool_calls` (a list of
`{"name", "arguments"}`; arguments are an object, or a string to send as it is; an `id` of its own
may be the same twice, as broken models have it), `usage` (token counts as in
`capbox.messages.Usage`), `stop` (`length` or `refused`: why the reply ends, if not by itself),
`after` and `system` (texts: which requests it answers, see `chosen`) and, for the fake server only,
`fault` with its `seconds` (see `capbox.models.fake_llm.faults`).
Guarantees: what parses is complete and typed; what does not is a `ScriptError` that names the file,
the entry and the reason; an unknown key is an error, never ignored. Does not: send anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from capbox.messages import Json, JsonObject, Usage

_KEYS = frozenset(
    {"text", "thinking", "tool_calls", "usage", "stop", "after", "system", "fault", "seconds"}
)
EarlyStop = Literal["length", "refused"]
_USAGE_KEYS = frozenset(f.name for f in fields(Usage))


@dataclass(frozen=True, slots=True)
class ScriptError:
    """Why a file is not a script; `entry` counts from 0 and is None for the file as a whole."""

    file: str
    entry: int | None
    reason: str

    def __str__(self) -> str:
        """Return one line for the person who wrote the file."""
        place = "" if self.entry is None else f", entry {self.entry}"
        return f"script {self.file}{place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """One tool call; `arguments` is the JSON text as a model would write it, right or wrong.

    Without an `id` it gets one of its own.
    """

    name: str
    arguments: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """One reply; `fault` and `seconds` are kept unread for the fake server."""

    text: str = ""
    thinking: str = ""
    tool_calls: tuple[ScriptedCall, ...] = ()
    usage: Usage | None = None
    stop: EarlyStop | None = None
    after: str = ""
    system: str = ""
    fault: Json = None
    seconds: Json = None

    @property
    def numbered(self) -> bool:
        """Say whether it answers by its number, and not by what a request holds."""
        return not self.after and not self.system


Script = tuple[ScriptedReply, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a request tells a model: its system prompt, all texts but those of its own replies.

    `said` has the texts in their order, `replies` is how many replies the request holds.
    """

    system: str
    said: str
    replies: int


def chosen(script: Script, heard: Heard) -> int | None:
    """Return the entry that answers a request; None: the script holds none for it.

    An entry with `system` or `after` answers where that text stands in the system prompt, or in
    what was said: of several the one whose text was said last, those with `system` first. That
    outlives replies that are lost, sent again or summed up. Without one, of the other entries,
    number N answers the request that holds N replies.
    """
    found = [(*_place(one, heard), -place) for place, one in enumerate(script) if not one.numbered]
    best = max((one for one in found if one[1] >= 0), default=None)
    if best is not None:
        return -best[2]
    numbered = [place for place, one in enumerate(script) if one.numbered]
    return numbered[heard.replies] if heard.replies < len(numbered) else None


def _place(reply: ScriptedReply, heard: Heard) -> tuple[bool, int]:
    """Return whether the system prompt is the one asked for, and where its text stands (-1)."""
    if reply.system not in heard.system:
        return False, -1
    return bool(reply.system), heard.said.rfind(reply.after) if reply.after else 0


class _EntryError(Exception):
    """Carries a reason from a nested value up to the entry it is in."""


def read_script(file: Path) -> Script | ScriptError:
    """Read and parse a script file (UTF-8 JSON)."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        return ScriptError(str(file), None, error.strerror or "cannot be read")
    except UnicodeDecodeError:
        return ScriptError(str(file), None, "is not UTF-8 text")
    return parse_script(text, str(file))


def parse_script(text: str, file: str) -> Script | ScriptError:
    """Parse the text of a script; `file` only names it in errors."""
    try:
        entries: object = json.loads(text)
    except ValueError as error:
        return ScriptError(file, None, f"is not JSON: {error}")
    except RecursionError:
        return ScriptError(file, None, "is nested too deeply")
    if not isinstance(entries, list):
        return ScriptError(file, None, "must be a list with one object per reply")
    replies: list[ScriptedReply] = []
    for number, entry in enumerate(entries):
        try:
            replies.append(_reply(entry))
        except _EntryError as bad:
            return ScriptError(file, number, str(bad))
    return tuple(replies)


def _reply(entry: object) -> ScriptedReply:
    fields_given = _object(entry, "a reply")
    _only(fields_given, _KEYS)
    calls = fields_given.get("tool_calls", [])
    if not isinstance(calls, list):
        raise _EntryError("tool_calls must be a list")
    return ScriptedReply(
        text=_text(fields_given, "text"),
        thinking=_text(fields_given, "thinking"),
        tool_calls=tuple(_call(call) for call in calls),
        usage=_usage(fields_given["usage"]) if "usage" in fields_given else None,
        stop=_stop(fields_given.get("stop")),
        after=_text(fields_given, "after"),
        system=_text(fields_given, "system"),
        fault=fields_given.get("fault"),
        seconds=fields_given.get("seconds"),
    )


def _call(value: object) -> ScriptedCall:
    call = _object(value, "a tool call")
    _only(call, frozenset({"name", "arguments", "id"}))
    name, arguments, own = call.get("name"), call.get("arguments", {}), _text(call, "id")
    if not isinstance(name, str) or not name:
        raise _EntryError("a tool call needs a name, a string")
    if isinstance(arguments, str):
        return ScriptedCall(name, arguments, own)
    if not isinstance(arguments, Mapping):
        raise _EntryError(f"arguments of {name} must be an object, or a string to send as it is")
    return ScriptedCall(name, json.dumps(arguments), own)


def _stop(value: Json) -> EarlyStop | None:
    match value:
        case None | "length" | "refused":
            return value
        case _:
            raise _EntryError("stop must be length or refused")


def _usage(value: object) -> Usage:
    counts = _object(value, "usage")
    _only(counts, _USAGE_KEYS)
    whole: dict[str, int] = {}
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise _EntryError(f"usage {name} must be a whole number, not negative")
        whole[name] = count
    return Usage(**whole)


def _object(value: object, what: str) -> JsonObject:
    if not isinstance(value, dict):
        raise _EntryError(f"{what} must be an object, not {json.dumps(value)[:60]}")
    return value


def _only(given: JsonObject, known: frozenset[str]) -> None:
    for key in given:
        if key not in known:
            raise _EntryError(f"unknown key {key!r}; known: {', '.join(sorted(known))}")


def _text(given: JsonObject, key: str) -> str:
    value = given.get(key, "")
    if not isinstance(value, str):
        raise _EntryError(f"{key} must be a string")
    return value
