"""What a model tells the person by the tools of its loop, as lines. Pure.

Guarantees: each text stays on a line of its own, as whatever writes them neutralises it. Does not:
write anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from capbox.messages import ToolCall, ToolResult
from capbox.surfaces.sink import one_line
from capbox.tools.loop.notes import BRIEF_CHARACTERS_MAX, ITEM_CHARACTERS_MAX, item_of

Line = tuple[str, str]
_STYLES = {"open": ("[ ]", ""), "doing": ("[>]", "bold"), "done": ("[x]", "dim")}


def told_lines(call: ToolCall, result: ToolResult) -> tuple[Line, ...] | None:
    """Return the lines, with their styles, that say what a call told the person.

    None: it told nothing that way.
    """
    if not result.ok or result.effects:
        return None
    match call.name, call.arguments:
        case "todo", {"items": [*items]}:
            return tuple(_items(items))
        case "brief", {"text": str(text)}:
            return ((f"  · {one_line(text, BRIEF_CHARACTERS_MAX)}", "bold"),)
        case _:
            return None


def _items(items: Sequence[object]) -> Iterator[Line]:
    for text in items:
        item = item_of(str(text))
        mark, style = _STYLES[item.state]
        yield f"  {mark} {one_line(item.text, ITEM_CHARACTERS_MAX)}", style
