"""`todo` and `brief`: what the model tells the person of its work while it goes on.

Guarantees: a list holds at most 50 items. Does not: show anything; surfaces do, from the events of
the calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from capbox.tools.loop.told import Told, Unable

ITEMS_MAX = 50
ITEM_CHARACTERS_MAX = 300
BRIEF_CHARACTERS_MAX = 500
State = Literal["open", "doing", "done"]
_MARKS: tuple[tuple[str, State], ...] = (("[ ]", "open"), ("[>]", "doing"), ("[x]", "done"))


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do."""

    text: str
    state: State = "open"


@dataclass(slots=True, eq=False)
class Notes:
    """The list of one run, as the model wrote it last."""

    items: tuple[Item, ...] = field(default=())

    async def todo(self, items: list[str]) -> Told | Unable:
        """Keep a list of what is to do, for yourself and for the person. Each call replaces it.

        Use it for work of several steps; keep at most one item in progress.

        Args:
            items: All items in order; each begins with [ ] open, [>] in progress, or [x] done.
        """
        if len(items) > ITEMS_MAX:
            return Unable("invalid_arguments", f"items: {len(items)}; at most {ITEMS_MAX}")
        read = tuple(map(item_of, items))
        if not all(0 < len(item.text) <= ITEM_CHARACTERS_MAX for item in read):
            return Unable("invalid_arguments", f"items: 1 to {ITEM_CHARACTERS_MAX} characters each")
        self.items = read
        done = sum(item.state == "done" for item in read)
        return Told(f"{len(read)} items, {done} done")

    async def brief(self, text: str) -> Told | Unable:
        """Tell the person in one line how far you are. It needs no answer.

        Args:
            text: One line.
        """
        if not 0 < len(text.strip()) <= BRIEF_CHARACTERS_MAX:
            return Unable("invalid_arguments", f"text: 1 to {BRIEF_CHARACTERS_MAX} characters")
        return Told("told")


def item_of(text: str) -> Item:
    """Read one item; without a mark it is open."""
    bare = text.strip()
    for mark, state in _MARKS:
        if bare.lower().startswith(mark):
            return Item(bare[len(mark) :].strip(), state)
    return Item(bare)
