"""What a replayed call is compared by: its journal entries, and every byte that the tool replied.

Guarantees: the first difference is told by the entry it is in, with what was and what is. Does not:
compare how long something took or how much memory it needed, clock readings (they are given), or
what only the network or a function made: answers come from the record, and the decisions on them
are made again apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff

from capbox.engine.replay.recorded import Entry, Recorded, objects
from capbox.journal.event import Event, encode
from capbox.messages import Json, JsonObject
from capbox.sandbox.spec import Finished, Outcome

_LINES_MAX = 20
_CHARACTERS_MAX = 200
_APART = frozenset({"spent", "clock", "tape", "content", "sources", "intent"})
_ANSWERED = ("fetch", "call")
_OUTSIDE = ("fetch ", "invoke ")


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that came out differently: in entry `seq`, `what` it is, and a short diff."""

    seq: int
    what: str
    lines: tuple[str, ...]


def told(event: Event) -> JsonObject:
    """Return an event as the journal would have it."""
    content: JsonObject = json.loads(encode(event))
    return content


def difference(
    call: Recorded,
    now: Sequence[JsonObject],
    outcome: Outcome | None,
    *,
    other_tools: bool = False,
) -> Difference | None:
    """Return the first difference between a call on record and the entries of its replay.

    `outcome` None: its outcome is that of the record, so only the decisions are compared. With
    `other_tools` it does not matter which version of a tool it is.
    """
    was = [(seq, _anonymous(c, other_tools)) for seq, c in call.entries if _compared(c)]
    kept = [_anonymous(content, other_tools) for content in now if _compared(content)]
    for number in range(max(len(was), len(kept))):
        if number >= len(was):
            return Difference(call.seq, "an entry more", tuple(_diff("", _shown(kept[number]))))
        seq, then = was[number]
        if number >= len(kept):
            return Difference(seq, "an entry less", tuple(_diff(_shown(then), "")))
        found = _entry(seq, then, kept[number], call, outcome)
        if found is not None:
            return found
    return None


def network_seen(content: JsonObject) -> bool:
    """Say whether an entry is a decision on the network, which is made again apart."""
    return content.get("kind") == "decision" and str(content.get("subject")).startswith(
        ("fetch ", "fetch:")
    )


def _anonymous(content: JsonObject, other_tools: bool) -> JsonObject:
    """Return an entry without the digest of its tool, if that does not matter."""
    if not other_tools:
        return content
    asks = content.get("what") == "ask"
    return {k: v for k, v in content.items() if k != "digest" and not (asks and k == "result")}


def _compared(content: JsonObject) -> bool:
    return content.get("kind") not in ("lookup", "request") and not network_seen(content)


def _entry(
    seq: int, then: JsonObject, now: JsonObject, call: Recorded, outcome: Outcome | None
) -> Difference | None:
    kind = str(then.get("kind"))
    if kind != now.get("kind"):
        return Difference(seq, "another entry", tuple(_diff(_shown(then), _shown(now))))
    if kind != "outcome":
        return _fields(seq, kind, _plain(then), _plain(now))
    if outcome is None:
        return None
    was, is_now = _ended(then), _ended(now)
    if "detail" not in was:
        is_now.pop("detail", None)
    if any(content.get("kind") == "request" for _, content in call.entries):
        # What requests drew on is counted again with them: see `web`.
        was.pop("drawn", None)
        is_now.pop("drawn", None)
    return _reply(seq, call, outcome) or _fields(seq, "outcome", was, is_now)


def _reply(seq: int, call: Recorded, outcome: Outcome) -> Difference | None:
    """Compare what the tool replied: all of it, of which the model got a part."""
    if call.reply is None or not isinstance(outcome.end, Finished):
        return None
    if call.reply.header.get("end") != "finished" or call.reply.body == outcome.end.stdout:
        return None
    was, now = _document(call.reply.body), _document(outcome.end.stdout)
    for part in ("content", "error", "data", "state"):
        if was.get(part) != now.get(part):
            lines = _diff(_text(was.get(part)), _text(now.get(part)))
            return Difference(seq, f"the {part} of its result", tuple(lines))
    return Difference(seq, "its result", ())


def _fields(seq: int, what: str, was: JsonObject, now: JsonObject) -> Difference | None:
    for key in sorted({*was, *now}):
        if was.get(key) != now.get(key):
            lines = _diff(_lines(was.get(key)), _lines(now.get(key)))
            return Difference(seq, f"{key} of the {what}", tuple(lines))
    return None


def _plain(content: JsonObject) -> JsonObject:
    return {key: value for key, value in content.items() if key not in _APART}


def _ended(content: JsonObject) -> dict[str, Json]:
    """Return the part of an outcome that does not depend on what came from outside."""
    found: dict[str, Json] = dict(_plain(content))
    effects = [one for one in objects(content.get("effects")) if one.get("action") not in _ANSWERED]
    refused = objects(content.get("denied"))
    denied = [one for one in refused if not str(one.get("access")).startswith(_OUTSIDE)]
    found["effects"] = [_effect(one) for one in effects]
    found["denied"] = denied
    if len(denied) < len(refused) and found.get("detail") == "denied":
        del found["detail"]  # its code, because a request or an invocation was refused
    return found


def _effect(effect: JsonObject) -> JsonObject:
    scratch = str(effect.get("path")).startswith("/tmp")  # noqa: S108 - the guest's
    return {key: value for key, value in effect.items() if not (scratch and key == "host_path")}


def _document(content: bytes) -> JsonObject:
    try:
        found: object = json.loads(content)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"content": content.decode(errors="replace")}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else _lines(value)


def _lines(value: Json) -> str:
    """Return a value with each part of it on a line of its own."""
    if isinstance(value, list):
        return "\n".join(json.dumps(one, ensure_ascii=False, sort_keys=True) for one in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(content: JsonObject) -> str:
    return json.dumps(_plain(content), ensure_ascii=False, sort_keys=True)


def _diff(was: str, now: str) -> Iterator[str]:
    """Yield a short diff."""
    lines = unified_diff(was.splitlines(), now.splitlines(), "was", "is", lineterm="", n=1)
    for number, line in enumerate(lines):
        if number == _LINES_MAX:
            yield "..."
            return
        yield line if len(line) <= _CHARACTERS_MAX else f"{line[:_CHARACTERS_MAX]}..."


def touched(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """Yield action and host path of all that was read, listed or changed."""
    for _, content in entries:
        for effect in objects(content.get("effects")):
            if effect.get("host_path") is not None:
                yield str(effect.get("action")), str(effect.get("host_path"))
