"""A model's text on its way to a terminal, piece by piece, as Markdown that is not rendered.

Guarantees: what `sink` promises; and links and images outside of code blocks are written out as in
`links`, wherever the pieces are cut. Text without a bracket or a backtick is not held back; of any
other at most a few lines are. Does not: render; follow references, whose definitions a terminal
shows anyway.
"""

from __future__ import annotations

import re
from typing import Final

from capbox.surfaces.links import links_shown
from capbox.surfaces.sink import Flow

_HELD_MAX: Final = 4_096
_LINE_BEGINNING: Final = 200
# Where something begins that a link can be part of, or that can keep one from being a link.
_TRIGGER: Final = re.compile(r"[\[`\\]|!(?=\[|\Z)")
_UNCLOSED: Final = re.compile(r"\]\([^)]*\Z")
_FENCE: Final = re.compile(r"[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}|~{3,})(.*)")


class Prose:
    """One text, from its first piece to its last."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._flow = Flow()
        self._held = ""
        self._line = ""
        self._fence = ""

    def feed(self, piece: str) -> str:
        """Return what may be shown of all that has come and was not returned yet."""
        return self._lines(self._flow.feed(piece))

    def finish(self) -> str:
        """Return the rest, and begin again."""
        rest = self._lines(self._flow.finish())
        if self._held:
            rest += links_shown(self._held)
        self._held = self._line = self._fence = ""
        return rest

    def _lines(self, text: str) -> str:
        return "".join(map(self._part, text.splitlines(keepends=True)))

    def _part(self, part: str) -> str:
        """Return what may be shown after a line, or a part of one."""
        if len(self._line) < _LINE_BEGINNING:
            self._line += part
        ended = part.endswith("\n")
        if self._fence:
            shown = part
        else:
            self._held += part
            shown = self._released(ended)
        if ended:
            self._turn_fence()
            self._line = ""
        return shown

    def _released(self, ended: bool) -> str:
        first = _TRIGGER.search(self._held)
        if first is None:
            shown, self._held = self._held, ""
            return shown
        if (ended and self._is_whole()) or len(self._held) > _HELD_MAX:
            shown, self._held = links_shown(self._held), ""
            return shown
        shown, self._held = self._held[: first.start()], self._held[first.start() :]
        return shown

    def _is_whole(self) -> bool:
        """Say whether no link can go on in the next line; it never does beyond an empty one."""
        if not self._line.strip() or _FENCE.match(self._line):
            return True
        balanced = self._held.count("[") <= self._held.count("]")
        return balanced and not _UNCLOSED.search(self._held)

    def _turn_fence(self) -> None:
        """Take note of the beginning or the end of a code block (CommonMark 0.31, 4.5)."""
        fence = _FENCE.match(self._line)
        if fence is None:
            return
        mark, info = fence[1], fence[2]
        if not self._fence:
            self._fence = "" if "`" in mark and "`" in info else mark
        elif mark.startswith(self._fence) and not info.strip():
            self._fence = ""
