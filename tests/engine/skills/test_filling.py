"""Arguments are filled once, where the format says, and are never lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.engine.skills.filling import filled


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


@given(st.text(), st.text())
def test_arguments_are_always_in_the_text(body: str, given: str) -> None:
    text = filled(body, given)
    assert not given.strip() or given in text or any(word in text for word in given.split())


@given(st.text(alphabet="abc $0{}AR", max_size=40))
def test_a_body_without_places_and_arguments_is_left_alone(body: str) -> None:
    if "\\" not in body and "{{" not in body and "$" not in body:
        assert filled(body, "") == body
