"""What a person may see: everything that hides is spelt out, and what people write stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.surfaces.sink import Flow, one_line, visible

SPELT = [
    ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
    ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
    ("\x1b]8;;https://evil.test\x1b\\text", "\\x1b]8;;https://evil.test\\x1b\\text"),
    ("\x9b2J\x90q\x9c", "\\x9b2J\\x90q\\x9c"),
    ("over\rwritten", "over\\x0dwritten"),
    ("\x00\x08\x7f\x0b\x0c", "\\x00\\x08\\x7f\\x0b\\x0c"),
    ("a\u202eb\u2066c\u200ed\u061ce", "a\\u202eb\\u2066c\\u200ed\\u061ce"),
    ("a\u2028b\u2029c\x85d", "a\\u2028b\\u2029c\\x85d"),
    ("\udcff \ud83d", "\\udcff \\ud83d"),
    ("pay\u200bpal", "pay\\u200bpal"),
    (" \u200c\u200d\u2060\u2064\ufeff", " \\u200c\\u200d\\u2060\\u2064\\ufeff"),
    ("soft\u00adhyphen", "soft\\xadhyphen"),
    ("\u115f\u1160\u3164\uffa0\u17b4\u180e", "\\u115f\\u1160\\u3164\\uffa0\\u17b4\\u180e"),
    ("\U000e0041\U000e007f", "\\U000e0041\\U000e007f"),
    ("a\ufe0fb\U000e0100", "a\\ufe0fb\\U000e0100"),
    ("😀\ufe0f\ufe0f\ufe01", "😀\ufe0f\\ufe0f\\ufe01"),
    ("漢\U000e0101", "漢\\U000e0101"),
    ("😀\u200dx", "😀\\u200dx"),
    ("😀\u200d", "😀\\u200d"),
    ("😀\u200d\u200d😀", "😀\\u200d\\u200d😀"),
    ("1\ufe0f2", "1\\ufe0f2"),
    ("س\u200cx", "س\\u200cx"),
    ("\u0301x", "\\u0301x"),
    ("\n\u0301", "\n\\u0301"),
    ("z" + "\u0336" * 10, "z" + "\u0336" * 8 + "\\u0336\\u0336"),
    ("\ufff9a\ufffab\ufffb", "\\ufff9a\\ufffab\\ufffb"),
    ("\ufffe\U0001ffff\ufdd0", "\\ufffe\\U0001ffff\\ufdd0"),
    ("\U0001d173\U00013430", "\\U0001d173\\U00013430"),
]  # fmt: skip
KEPT = [
    "",
    "plain \\x1b written out",
    "two\nlines\tand a tab\n",
    "é e\u0301 ǘ Việt a\u0308\u0304",
    "漢字 ひらがな 한국어 ไทย",
    "العربية مُحَمَّد می\u200cخواهم",
    "עִבְרִית שָׁלוֹם",
    "क्\u200dष क्\u200cष தமிழ்",
    "😀 👍🏽 👩‍👩‍👧‍👦 👩🏽‍⚕️ ❤️‍🔥 🏳️‍🌈 🇩🇪 1️⃣ #️⃣ ☎︎ ©️",
    "— “quoted” … ½ € ∑ → ░▒▓ ⠿ \u00a0\u3000 \ue0b0",
    "\u0600١٢",
]


@pytest.mark.parametrize(("text", "spelt"), SPELT)
def test_what_hides_is_spelt_out(text: str, spelt: str) -> None:
    assert visible(text) == spelt


@pytest.mark.parametrize("text", KEPT)
def test_what_people_write_stays(text: str) -> None:
    assert visible(text) == text


def test_a_line_end_of_two_characters_becomes_one() -> None:
    assert visible("a\r\nb\r\n\r") == "a\nb\n\\x0d"


def test_one_line_is_one_line_and_short() -> None:
    assert one_line("a\n\tb  c", 20) == "a b c"
    assert one_line("x" * 50, 10) == "xxxxxxx..."
    assert one_line("\x1b" * 50, 10) == "\\x1b\\x1..."


TEXTS = st.text(
    st.characters() | st.sampled_from("\r\n\t\x1b\u200c\u200d\ufe0e\ufe0f\u20e3\u0301\u094d1#😀س❤")
)


@pytest.mark.parametrize("text", [*(text for text, _ in SPELT), *KEPT, "a\r\nb\r\n\r"])
def test_where_a_stream_is_cut_makes_no_difference(text: str) -> None:
    for cut in range(len(text) + 1):
        flow = Flow()
        assert flow.feed(text[:cut]) + flow.feed(text[cut:]) + flow.finish() == visible(text)


@given(st.lists(TEXTS))
def test_no_cuts_make_a_difference(pieces: list[str]) -> None:
    flow = Flow()
    assert "".join(map(flow.feed, pieces)) + flow.finish() == visible("".join(pieces))


FORMATS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
SIGNS = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u0890\u0891\u08e2\U000110bd")


@given(TEXTS)
def test_nothing_that_acts_or_hides_comes_out_and_twice_is_once(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    left = {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    allowed = set(
        "\n\t\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u0890\u0891\u08e2\U000110bd"
    )
    assert all(char in allowed for char in shown if unicodedata.category(char) in left)


@given(st.text(st.characters(max_codepoint=0x2FF, categories=["L", "N", "P", "S", "Zs"])))
def test_letters_are_never_touched(text: str) -> None:
    assert visible(text) == text


def test_finishing_begins_again() -> None:
    flow = Flow()
    assert (flow.feed("😀\u200d"), flow.finish()) == ("😀", "\\u200d")
    assert (flow.feed("😀\r"), flow.finish(), flow.finish()) == ("😀", "\\x0d", "")
    assert flow.feed("\u0301") == "\\u0301"
