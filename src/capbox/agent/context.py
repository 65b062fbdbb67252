"""What the model reads of a tool result: bounded, no error taken for a success, no dumb refusal.

Guarantees: a result too long is cut in the middle and says by how much, and where the whole of it
is, if that was kept; an error starts with its
code; a refusal says what was refused, what the run holds, and that trying again is useless.
Does not: shorten what is recorded (events, store and journal keep the whole result), or tell the
model which command-line flag would widen its rights: flags are for people.
"""

from __future__ import annotations

from collections.abc import Sequence

from capbox.messages import Denial, ToolCall, ToolMessage, ToolResult

RESULT_CHARACTERS_MAX = 40_000
_DENIALS_SHOWN = 10


def tool_message(
    call: ToolCall,
    result: ToolResult,
    grants: Sequence[str],
    *,
    characters_max: int,
    stowed: str | None = None,
) -> ToolMessage:
    """Return the result as the next request to the model carries it.

    `stowed` is the path at which tools can read the whole of its content, if there is one.
    """
    parts = [_failure(result), bounded(result.content, characters_max, stowed)]
    if result.truncated:
        parts.append("[The tool's output was cut at its output limit.]")
    if result.denied:
        parts.append(_refusals(result.denied, grants))
    content = "\n".join(part for part in parts if part)
    return ToolMessage(
        *(call.id, call.name, content or "(no output)"),
        is_error=not result.ok,
        sources=result.sources,
    )


def bounded(text: str, characters_max: int, whole: str | None = None) -> str:
    """Return the text, or its head and tail with a mark between that says what is left out.

    `whole` is a path at which all of it can be read.
    """
    if len(text) <= characters_max:
        return text
    head = characters_max * 2 // 3
    tail = characters_max - head
    left_out = len(text) - characters_max
    more = "ask for a smaller part to see them"
    if whole is not None:
        more = f"the whole is in {whole}: read it in parts, with offset and limit"
    mark = f"\n[... {left_out} characters left out here; {more} ...]\n"
    return text[:head] + mark + text[len(text) - tail :]


def _failure(result: ToolResult) -> str:
    if result.ok:
        return ""
    if result.error is None:
        return "error"
    return f"error ({result.error.code}): {bounded(result.error.message, 4_000)}"


def _refusals(denied: Sequence[Denial], grants: Sequence[str]) -> str:
    lines = [f"Refused: {denial.access}: {denial.reason}" for denial in denied[:_DENIALS_SHOWN]]
    if len(denied) > _DENIALS_SHOWN:
        lines.append(f"and {len(denied) - _DENIALS_SHOWN} more refusals")
    lines.append(f"You hold: {', '.join(grants) or 'nothing'}.")
    lines.append(
        "Do not try this again or by another way: the answer stays the same. Go on with what you "
        "hold, or tell the person what you could not do."
    )
    return "\n".join(lines)
