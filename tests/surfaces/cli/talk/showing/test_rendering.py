"""A model's Markdown on a terminal: readable, and harmless."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capbox.surfaces.cli.talk.showing.rendering import rendered
from capbox.surfaces.sink import visible

STYLES = re.compile(r"\x1b\[[\d;]*m")


def seen(text: str, columns: int = 80) -> list[str]:
    return STYLES.sub("", rendered(text, columns)).splitlines()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# Title\n\nwords", ["Title", "", "words"]),
        ("- a\n- b\n", [" • a", " • b"]),
        ("3. a\n4. b\n", [" 3 a", " 4 b"]),
        ("```\na  b\n```", ["  a  b"]),
        ("```python\ndef f():\n    x\n```", ["  def f():", "      x"]),
        ("[here](https://a.example/x)", ["here (a.example: https://a.example/x)"]),
        ("![](https://a.example/?d=1)", ["(image: a.example: https://a.example/?d=1)"]),
        ("<b>x</b>", ["<b>x</b>"]),
        ("日本語", ["日本語"]),
        ("", []),
        ("\n\n", []),
    ],
)
def test_it_is_readable(text: str, lines: list[str]) -> None:
    assert seen(text) == lines


@pytest.mark.attack
@pytest.mark.parametrize(
    "text",
    [
        "\x1b]0;title\x07\x1b[2J",
        "&#x1b;]0;title&#7;",
        "&#27;[2J",
        "a&#8238;b &#x202e; \u202e",
        "&#x9b;2J \x9b2J",
        "`&#8238;` `\x1b[2J`",
        "```\x1b[2J\n\x1b[2J\n```",
        "```\u202epy\nx\n```",
        "[a\u202e](https://x.example/\u202e)",
        "| \x1b[2J |\n|---|\n| \u200b |",
        "\U000e0041\U000e0042",
        "[31m[bold]x[/bold]",
    ],
)
def test_nothing_in_it_acts_or_hides(text: str) -> None:
    shown = STYLES.sub("", rendered(text, 80))
    assert visible(shown) == shown


@settings(max_examples=60, deadline=None)
@example("&#8238;")
@given(st.text(alphabet="a b\n`*#-[]()!<>&#;x1\x1b\u202e|~_\\", max_size=60))
def test_only_our_styles_are_escape_codes(text: str) -> None:
    shown = STYLES.sub("", rendered(text, 40))
    assert visible(shown) == shown


def test_no_line_is_wider_than_the_window() -> None:
    from rich.cells import cell_len

    text = "words and 日本語の長い文章 " * 20 + "\n\n```\n" + "x" * 200 + "\n```"
    assert max(map(cell_len, seen(text, 40))) <= 40


def test_without_colours_there_are_none() -> None:
    shown = rendered("# a\n\n`b` **c**\n\n```python\ndef f(): 1\n```", 80, plain=True)
    assert not re.search(r"\x1b\[[\d;]*(?:3\d|4[0-8]|9\d)", shown)
