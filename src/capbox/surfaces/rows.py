"""A stranger's words in rows of a terminal, each behind a mark that says whose words they are.

Guarantees: a row takes no more columns than it is given, in any terminal: where terminals differ,
the most is counted. So no terminal goes on with it, unmarked, in the row below. Does not: make a
text harmless (see `sink`).
"""

from __future__ import annotations

from unicodedata import category, east_asian_width

MARK = "  | "
WINDOW_MIN = 40
"""Columns of the narrowest terminal; in one that is narrower, rows go on unmarked."""

_COLUMNS_MAX = 76
"""Of a row and its mark, however wide a window is: it may be read in another one."""


def columns(text: str, *, ambiguous: int = 2) -> int:
    """Return how many columns a text of one line takes at most.

    `ambiguous` is what counts for signs that are wide in some terminals: `─`, and every letter of
    Greek and Cyrillic.
    """
    return sum(_columns(c, ambiguous) for c in text)


def marked(text: str, window: int) -> list[str]:
    """Return what a stranger wrote on one line, in rows for a window so wide, each marked."""
    most = min(_room(window), _COLUMNS_MAX) - len(MARK)
    return [f"{MARK}{row}".rstrip() for row in folded(text, most)]


def hung(line: str, window: int) -> list[str]:
    """Return a line of ours with a stranger's words in it; rows below the first one are marked."""
    first, *rest = folded(line, _room(window))
    return [first, *marked(line[len(first) :].lstrip(), window)] if rest else [first]


def folded(line: str, most: int) -> list[str]:
    """Return a line in rows of at most `most` columns (from 2), broken at blanks if it can be."""
    rows: list[str] = []
    while (end := _end(line, most)) < len(line):
        blank = line.rfind(" ", 0, end + 1)
        end = blank if line[: max(blank, 0)].strip() else end
        rows.append(line[:end].rstrip())
        line = line[end:].lstrip()
    return [*rows, line] if line or not rows else rows


def cut(text: str, most: int) -> str:
    """Return a text of one line, cut with a mark where it takes over `most` columns as a rule."""
    if columns(text, ambiguous=1) <= most:
        return text
    return text[: _end(text, most - 3, ambiguous=1)] + "..."


def _room(window: int) -> int:
    # One column less: some terminals go on where the last one is filled.
    return max(window, WINDOW_MIN) - 1


def _end(line: str, most: int, *, ambiguous: int = 2) -> int:
    """Return how many characters fit in `most` columns."""
    taken = 0
    for at, c in enumerate(line):
        taken += _columns(c, ambiguous)
        if taken > most:
            return at
    return len(line)


def _columns(c: str, ambiguous: int) -> int:
    if c.isascii():
        return 1
    width = east_asian_width(c)
    if width in "WF":
        return 2
    # Some draw every sign of an emoji wide, whatever its table says.
    return ambiguous if width == "A" or category(c) == "So" else 1
