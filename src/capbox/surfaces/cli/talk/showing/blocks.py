"""Markdown that comes in pieces, cut where a part of it can be rendered for good. Pure.

Guarantees: the parts joined are the text, but that a code block which is cut begins and ends anew;
a part ends at an empty line outside of code blocks and lists, or where so much has come that
nobody should wait. Does not: render or neutralise.
"""

from __future__ import annotations

import re
from typing import Final

HELD_CHARACTERS_MAX: Final = 20_000
"""A part is cut at a line's end when it has grown so long, and anywhere at twice that."""

# CommonMark 0.31, 4.5; a fence may stand in a list or a quotation.
_FENCE: Final = re.compile(r"[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}|~{3,})(.*)")


class Blocks:
    """One text, from its first piece to its last."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lines = ""  # whole lines that wait for the end of their part
        self._line = ""  # the line under way
        self._fence = ""
        self._gap = False  # the last line was empty, and in no code block

    @property
    def tail(self) -> str:
        """Return what has come and is in no part yet."""
        return self._lines + self._line

    def feed(self, piece: str) -> str:
        """Return what may be rendered after one more piece, "" if nothing."""
        done = ""
        for part in piece.splitlines(keepends=True):
            self._line += part
            if self._gap and self._line[0] not in " \t\r\n":
                # What is indented after an empty line still belongs to the item of a list above.
                done, self._lines, self._gap = done + self._lines, "", False
            if part.endswith("\n"):
                done += self._ended()
        if len(self._line) > 2 * HELD_CHARACTERS_MAX:
            done += self.finish()
        return done

    def finish(self) -> str:
        """Return the rest, and begin again."""
        rest = self.tail
        self._lines = self._line = self._fence = ""
        self._gap = False
        return rest

    def _ended(self) -> str:
        """Take in the line that has ended; return a part that has grown too long, if one has."""
        line, self._line = self._line, ""
        self._lines += line
        within = self._fence
        self._turn_fence(line)
        self._gap = not within and not self._fence and not line.strip()
        if len(self._lines) <= HELD_CHARACTERS_MAX:
            return ""
        part, self._lines = self._lines, ""
        if self._fence:
            # What follows is the same code block.
            part += f"{self._fence}\n"
            self._lines = f"{self._fence}\n"
        return part

    def _turn_fence(self, line: str) -> None:
        fence = _FENCE.match(line)
        if fence is None:
            return
        mark, info = fence[1], fence[2]
        if not self._fence:
            self._fence = "" if "`" in mark and "`" in info else mark
        elif mark.startswith(self._fence) and not info.strip():
            self._fence = ""
