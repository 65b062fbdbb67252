"""A tool call of a chat in full, as lines. Pure.

Guarantees: long texts are cut with a mark that says by how much. Does not: neutralise; the screen
does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from capbox.messages import ToolCall, ToolResult
from capbox.surfaces.cli.failures import usage
from capbox.surfaces.cli.narration import call_line, size

Calls = Sequence[tuple[int, ToolCall, ToolResult]]
"""The calls of a chat, each with its number."""

_LINES_MAX = 200
_TEXT_CHARACTERS_MAX = 20_000


def unfolded(calls: Calls, number: str) -> Iterator[tuple[str, str]]:
    """Return one call as lines with styles; for "" the last one. Raises CommandFailure."""
    if not calls:
        raise usage("no tool was called yet")
    found = [one for one in calls if number in ("", str(one[0]))]
    if not found:
        raise usage(f"there is no call {number[:20]}; here are {calls[0][0]} to {calls[-1][0]}")
    return _lines(*found[-1])


def _lines(number: int, call: ToolCall, result: ToolResult) -> Iterator[tuple[str, str]]:
    yield f"{number} {call_line(call, result)[0].strip()}", "bold"
    given = call.malformed or json.dumps(call.arguments, ensure_ascii=False, indent=1)
    yield from (("  " + line, "") for line in _bounded(given))
    for effect in result.effects:
        asked = effect.request
        how = f"{asked.method} " if asked is not None else ""
        count = f"  {size(effect.bytes)}" if effect.bytes else ""
        yield f"did {effect.action} {how}{' '.join(effect.path.split())}{count}", "green"
    for denial in result.denied:
        yield f"denied {denial.access}: {denial.reason}", "red"
    if result.error is not None:
        yield f"{result.error.code}: {' '.join(result.error.message.split())}", "red"
    if result.sources:
        yield f"from {', '.join(result.sources)}", "dim"
    yield from ((f"  | {line}", "") for line in _bounded(result.content))


def _bounded(text: str) -> list[str]:
    left = len(text) - _TEXT_CHARACTERS_MAX
    lines = text[:_TEXT_CHARACTERS_MAX].splitlines()
    more = [f"[... {left} characters more]"] if left > 0 else []
    if len(lines) > _LINES_MAX:
        more = [f"[... {len(lines) - _LINES_MAX} lines more]"]
    return [*lines[:_LINES_MAX], *more]
