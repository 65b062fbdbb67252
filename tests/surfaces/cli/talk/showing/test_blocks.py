"""Markdown in pieces, cut where it can be rendered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.surfaces.cli.talk.showing.blocks import HELD_CHARACTERS_MAX, Blocks


def parts(*pieces: str) -> list[str]:
    blocks = Blocks()
    return [part for part in (*map(blocks.feed, pieces), blocks.finish()) if part]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("one\n\ntwo", ["one\n\n", "two"]),
        ("one\ntwo", ["one\ntwo"]),
        ("- a\n\n  b\n\nc", ["- a\n\n  b\n\n", "c"]),
        ("```\na\n\nb\n```\n\nc", ["```\na\n\nb\n```\n\n", "c"]),
        ("~~~\n```\n\n~~~\nc\n\nd", ["~~~\n```\n\n~~~\nc\n\n", "d"]),
        ("``` a`b\n\nc", ["``` a`b\n\n", "c"]),
        ("", []),
    ],
)
def test_a_part_ends_at_an_empty_line_outside_of_code(text: str, cut: list[str]) -> None:
    assert parts(*text) == cut


@given(st.lists(st.text(alphabet="ab \n`~-#\t\r>", max_size=12), max_size=12))
def test_the_parts_are_the_text(pieces: list[str]) -> None:
    assert "".join(parts(*pieces)) == "".join(pieces)


def test_a_part_that_never_ends_is_cut_and_code_begins_anew() -> None:
    line = "x" * 99 + "\n"
    cut = parts("```py\n", *[line] * (HELD_CHARACTERS_MAX // 100 + 10))
    assert len(cut) == 2
    assert cut[0].startswith("```py\n") and cut[0].endswith("```\n")
    assert cut[1].startswith("```\n")
    assert len(parts("y" * 3 * HELD_CHARACTERS_MAX, "z")) == 2


def test_the_tail_is_what_no_part_has() -> None:
    blocks = Blocks()
    assert (blocks.feed("a\n\nb"), blocks.tail) == ("a\n\n", "b")
