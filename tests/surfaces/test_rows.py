"""A stranger's words take no row of a terminal that is not marked as theirs."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as some

from capbox.gate.approver import neutral
from capbox.surfaces.rows import MARK, WINDOW_MIN, columns, cut, folded, hung, marked

LINES = some.text(max_size=400).map(neutral) | some.text("aー─я ", min_size=80, max_size=400)
WINDOWS = some.integers(WINDOW_MIN, 200)


def drawn(line: str, window: int, *, ambiguous: int) -> list[str]:
    """Return the rows of a line in a terminal: one goes on in the next row where it is full."""
    rows, taken = [""], 0
    for c in line:
        wide = {"W": 2, "F": 2, "A": ambiguous}.get(east_asian_width(c), 1)
        width = 0 if combining(c) else wide
        if taken + width > window:
            rows.append("")
            taken = 0
        rows[-1] += c
        taken += width
    return rows


@pytest.mark.attack
@given(LINES, WINDOWS, some.sampled_from((1, 2)))
def test_no_terminal_begins_a_row_with_what_a_stranger_wrote(
    line: str, window: int, ambiguous: int
) -> None:
    for row in marked(line, window):
        assert row.startswith(MARK.rstrip())
        assert drawn(row, window, ambiguous=ambiguous) == [row]


@given(LINES, WINDOWS)
def test_a_line_of_ours_goes_on_behind_the_mark(line: str, window: int) -> None:
    first, *rest = hung(f"  read:{line}", window)
    assert first.startswith("  ") and all(row.startswith(MARK.rstrip()) for row in rest)
    assert all(columns(row) < window for row in (first, *rest))


@given(LINES, some.integers(2, 100))
def test_folding_loses_nothing_but_blanks(line: str, most: int) -> None:
    rows = folded(line, most)
    assert "".join("".join(rows).split()) == "".join(line.split())
    assert all(columns(row) <= most for row in rows)


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("", [""]),
        ("one two", ["one two"]),
        ("one two three", ["one two", "three"]),
        ("    code goes", ["    code", "goes"]),
        ("abcdefghijkl", ["abcdefgh", "ijkl"]),
        ("ーーーーーー", ["ーーーー", "ーー"]),
        ("──────", ["────", "──"]),
        ("a ーーーーー", ["a", "ーーーー", "ー"]),
    ],
)
def test_a_row_ends_at_a_blank_if_it_can(line: str, rows: list[str]) -> None:
    assert folded(line, 8) == rows


@pytest.mark.parametrize(
    ("text", "most", "found"),
    [
        ("short", 8, "short"),
        ("123456789", 8, "12345..."),
        ("привет и пока", 13, "привет и пока"),
        ("ーーーー", 8, "ーーーー"),
        ("ーーーーー", 8, "ーー..."),
    ],
)
def test_what_is_cut_fits(text: str, most: int, found: str) -> None:
    assert cut(text, most) == found
