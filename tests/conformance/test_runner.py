"""The runner itself: a wrong expectation fails, and a case file that is not whole is refused."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conformance.case import Case, MalformedCase, Outcome, load
from tests.conformance.play import Boxes, cannot_ask, complaint, real
from tests.conformance.record import as_toml

SCRIPT = "mkdir d; echo one > d/f; ln -s f d/l; cat in -; echo bad >&2; exit 3"
TREE = {"d": "755/", "d/f": "644 2c8b08da5ce6", "d/l": "-> f", "in": "644 fe2547fe2604"}
RIGHT = Case(
    theme="runner",
    name="everything",
    script=SCRIPT,
    stdin="two\n",
    files={"in": "six\n"},
    expected=Outcome("six\ntwo\n", 3, TREE),
    stderr="^bad$",
)
WRONG = {
    "stdout": replace(RIGHT, expected=replace(RIGHT.expected, stdout="one\n")),
    "status": replace(RIGHT, expected=replace(RIGHT.expected, status=0)),
    "stderr": replace(RIGHT, stderr="^good$"),
    "no file": replace(RIGHT, expected=replace(RIGHT.expected, tree={**TREE, "x": "644 0"})),
    "another file": replace(RIGHT, expected=replace(RIGHT.expected, tree={**TREE, "in": "600 0"})),
}

Play = Callable[[Case], tuple[Outcome, str]]


@pytest.fixture(params=["capbox", "bash"])
def play(request: pytest.FixtureRequest, boxes: Boxes) -> Play:
    """Play by capbox, then by real bash."""
    if request.param == "bash" and (why := cannot_ask(RIGHT)):
        pytest.skip(why)
    return boxes.play if request.param == "capbox" else real


def test_a_right_expectation_is_met(play: Play) -> None:
    assert complaint(RIGHT, *play(RIGHT), RIGHT.expected) == ""


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_expectation_is_a_complaint(play: Play, wrong: Case) -> None:
    assert complaint(wrong, *play(wrong), wrong.expected).startswith("runner: everything\n")


def test_what_one_case_leaves_is_gone_for_the_next(play: Play) -> None:
    play(RIGHT)
    empty = replace(RIGHT, script="ls", files={}, expected=Outcome("", 0, {}), stderr="^$")
    assert complaint(empty, *play(empty), empty.expected) == ""


def test_a_script_that_cannot_be_parsed_has_a_status_and_a_message(boxes: Boxes) -> None:
    got, stderr = boxes.play(replace(RIGHT, script="if; then"))
    assert (got.stdout, got.status) == ("", 2)
    assert "if" in stderr


WHOLE = """[[case]]
name = "a"
script = "echo"
stdout = "\\n"
status = 0
"""
MALFORMED = {
    "no TOML": ("[[case]\n", "Expected"),
    "no cases": ("", "must be a list of"),
    "another table": (WHOLE + "[other]\n", "must be a list of"),
    "unknown key": (WHOLE + "stdot = ''\n", "unknown key 'stdot'"),
    "wrong type": (WHOLE.replace("0", "'0'"), "status must be int"),
    "a truth as status": (WHOLE.replace("0", "false"), "status must be int"),
    "missing status": (WHOLE.replace("status = 0\n", ""), "status is missing"),
    "missing name": (WHOLE.replace('name = "a"\n', ""), "name is missing"),
    "no script": (WHOLE.replace('script = "echo"\n', ""), "exactly one of script and path"),
    "empty script": (WHOLE.replace('"echo"', '""'), "are not empty"),
    "missing script file": (WHOLE.replace("script", "path"), "no script 'echo'"),
    "bad pattern": (WHOLE + "stderr = '('\n", "stderr is no pattern"),
    "differs alone": (WHOLE + "differs = 'why'\n", "go together"),
    "differs without a reason": (WHOLE + "differs = ''\nreal = {status = 1}\n", "are not empty"),
    "real with other keys": (WHOLE + "differs = 'w'\nreal = {stderr = ''}\n", "real holds"),
    "files that are no texts": (WHOLE + "files = {a = 1}\n", "files maps paths to texts"),
    "two of one name": (WHOLE + WHOLE, "two cases are named 'a'"),
}


@pytest.mark.parametrize(("text", "fault"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_case_file_is_a_clear_error(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "theme.toml"
    path.write_text(text)
    with pytest.raises(MalformedCase, match="^theme: .*" + fault):
        load(path)


def test_a_whole_case_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "theme.toml"
    path.write_text(WHOLE)
    assert load(path) == (Case("theme", "a", "echo", Outcome("\n", 0)),)


@pytest.mark.parametrize(
    "text",
    ["", "a\n", "it's", "'''\n", "\x00\x7f\x1b", "a\\b\n", "é\n\n", "ends with '\n'", "\r\n"],
)
def test_what_is_recorded_reads_back(text: str) -> None:
    raw = {"name": "a", "script": text, "files": {"a b": text}, "stdout": text, "status": 1}
    assert tomllib.loads(as_toml(raw)) == {"case": [raw]}
