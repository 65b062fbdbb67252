"""Arguments are filled once, where the format says, and are never lost."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.engine.skills.filling import FILLED_CHARACTERS_MAX, filled


@pytest.mark.parametrize(
    ("body", "given", "text"),
    [
        ("Fix $ARGUMENTS.", "#12 now", "Fix #12 now."),
        ("$0 to $1, $ARGUMENTS[1]", "'my file' out", "my file to out, out"),
        ("$issue and {{ issue }} of {{branch}}", "7 main", "7 and 7 of main"),
        ("{{arguments}}", "a b", "a b"),
        ("awk '{print $1}' $HOME", "", "awk '{print $1}' $HOME"),
        ("$1 is missing", "one", "$1 is missing\n\nARGUMENTS: one"),
        ("No place.", "one", "No place.\n\nARGUMENTS: one"),
        ("No place.", " ", "No place."),
        (r"\$ARGUMENTS costs \$0 \{{issue}}", "", "$ARGUMENTS costs $0 {{issue}}"),
        ("$ARGUMENTS", "$0 {{issue}} $ARGUMENTS", "$0 {{issue}} $ARGUMENTS"),
        ("$0", "it's", "it's"),
        ("$ARGUMENTS_X $ARGUMENTSX", "", "$ARGUMENTS_X $ARGUMENTSX"),
        ("${CLAUDE_SKILL_DIR}/a.sh", "", "/mnt/skills/x/a.sh"),
        ("!`rm -rf /`", "", "!`rm -rf /`"),
    ],
)
def test_a_place_is_filled_as_the_format_says(body: str, given: str, text: str) -> None:
    assert filled(body, given, ("issue", "branch"), "/mnt/skills/x") == text


def test_without_a_folder_its_place_stays() -> None:
    assert filled("${CLAUDE_SKILL_DIR}/a.sh", "") == "${CLAUDE_SKILL_DIR}/a.sh"


@pytest.mark.parametrize(
    ("body", "given", "length"),
    [
        ("$0" * 32, "x" * 8_000, FILLED_CHARACTERS_MAX),
        ("$0" * 32 + ".", "x" * 8_000, None),
        ("$0" * 32_000, "x" * 7_999, None),
        ("$ARGUMENTS" * 6_500, "x" * 7_999, None),
        ("{{a}}" * 13_000, "x" * 7_999, None),
        ("${CLAUDE_SKILL_DIR}" * 13_000, "", None),
        ("No place." + "x" * FILLED_CHARACTERS_MAX, "one", None),
        ("x" * FILLED_CHARACTERS_MAX, "", FILLED_CHARACTERS_MAX),
    ],
)
def test_a_text_that_becomes_too_long_is_none_and_is_never_built(
    body: str, given: str, length: int | None
) -> None:
    tracemalloc.start()
    try:
        text = filled(body, given, ("a",), "/mnt/skills/" + "x" * 64)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (None if text is None else len(text)) == length
    assert most < 8_000_000


@given(st.text(), st.text())
def test_arguments_are_always_in_the_text(body: str, given: str) -> None:
    text = filled(body, given) or ""
    assert not given.strip() or given in text or any(word in text for word in given.split())


@given(st.text(alphabet="abc $0{}AR", max_size=40))
def test_a_body_without_places_and_arguments_is_left_alone(body: str) -> None:
    if "\\" not in body and "{{" not in body and "$" not in body:
        assert filled(body, "") == body
