"""Tool-call arguments as models write them: JSON text that may be wrong.

Guarantees: text that is not one JSON object is kept whole in `ToolCall.malformed` and never becomes
an empty object, since a tool run with `{}` is a tool run with arguments nobody asked for. So is an
object that gives a key twice, of which two readers may take different ones.
Does not: check arguments against a tool's schema; the gate does.
"""

from __future__ import annotations

import json

from capbox.messages import Json, ToolCall
from capbox.models.unicode import encodable, is_encodable


def tool_call(call_id: str, name: str, arguments: str) -> ToolCall:
    """Return the call a model wrote; no text at all is how providers spell "no arguments"."""
    if not arguments.strip():
        return ToolCall(call_id, name, {})
    try:
        parsed = json.loads(
            arguments, parse_constant=_refuse_constant, object_pairs_hook=_without_duplicates
        )
        readable = is_encodable(json.dumps(parsed, ensure_ascii=False))
    except (ValueError, RecursionError):
        return _malformed(call_id, name, arguments)
    if not readable or not isinstance(parsed, dict):
        return _malformed(call_id, name, arguments)
    return ToolCall(call_id, name, parsed)


def _malformed(call_id: str, name: str, arguments: str) -> ToolCall:
    return ToolCall(call_id, name, {}, malformed=encodable(arguments))


def _without_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # Attack: whoever reads the record takes the first `to`, and the tool gets the last.
        raise ValueError("a key is given twice")
    return found


def _refuse_constant(name: str) -> None:
    # NaN and Infinity are not JSON (RFC 8259), and a bound compared with NaN is never exceeded.
    raise ValueError(name)
