"""docs/governance-functions.md is true: examples are executed, tables are asked of the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, code, rows, text_of
from tests.furnished import furnished

from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.authority.values.arguments import misfit
from capbox.authority.values.grounding import grounded_in
from capbox.authority.values.kinds import KINDS, Kind, Unfit, Value, canonical

PAGE = text_of("governance-functions.md")
EXAMPLES = [n for n, block in enumerate(blocks(PAGE)) if block.kind == "python"]


def kind_of(text: str) -> Kind:
    """Return a kind that the page names."""
    return next(kind for kind in KINDS if kind == text)


def grant(condition: str) -> Grant:
    """Read a condition of the page in a grant, which must be one and the canonical text."""
    found = parse_grant(f"tool:send {condition}")
    assert isinstance(found, Grant), found
    assert str(found) == f"tool:send {condition}"
    return found


@pytest.mark.parametrize("number", EXAMPLES)
def test_an_example_prints_what_the_page_shows(number: int, tmp_path: Path, cache: Path) -> None:
    (tmp_path / "work").mkdir()
    program, shown = blocks(PAGE)[number : number + 2]
    done = subprocess.run(
        [sys.executable, "-c", program.text],
        cwd=tmp_path / "work",
        env={
            "PATH": os.environ["PATH"],
            "CAPBOX_HOME": str(furnished(tmp_path / "home", cache)),
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert agrees(shown.text.splitlines(), done.stdout), done.stdout


def test_every_condition_of_the_page_is_one() -> None:
    assert len(EXAMPLES) == 3
    listed = [code(row[0])[0] for row in rows(PAGE, "condition", "fits")]
    assert [grant(condition) for condition in listed] and len(listed) == 7
    quoted = re.search(r'^`(arg\.subject="in.*")`\.', PAGE, re.MULTILINE)
    assert quoted is not None
    (only,) = grant(quoted[1]).conditions
    assert str(only.test) == 'in("Re: Lunch, 1pm","Re: Tuesday")'


@pytest.mark.parametrize("row", rows(PAGE, "sink", "condition", "refused with"), ids=" ".join)
def test_a_condition_is_refused_in_the_words_of_the_page(row: list[str]) -> None:
    (kind,), (condition,), (words,) = map(code, row)
    assert misfit(grant(condition).conditions, {"to": kind_of(kind)}) == words


@pytest.mark.parametrize(
    "row", rows(PAGE, "kind", "given", "is", "refused, for example"), ids=" ".join
)
def test_a_value_is_spelt_as_the_page_says(row: list[str]) -> None:
    (kind,), (given,), (text,) = map(code, row[:3])
    assert canonical(kind_of(kind), given) == Value(kind_of(kind), text)
    for refused in code(row[3]):
        assert isinstance(canonical(kind_of(kind), refused), Unfit), refused


def test_the_page_has_every_kind() -> None:
    listed = rows(PAGE, "kind", "given", "is", "refused, for example")
    assert [code(row[0])[0] for row in listed] == list(KINDS)


@pytest.mark.parametrize("row", rows(PAGE, "task", "grounds", "does not ground"), ids=" ".join)
def test_a_task_grounds_what_the_page_says(row: list[str]) -> None:
    found = grounded_in(code(row[0])[0])
    for cell, there in ((row[1], True), (row[2], False)):
        for kind, text in re.findall(r"(\w+) `([^`]+)`", cell):
            assert (Value(kind_of(kind), text) in found) is there, text


def test_every_exit_status_of_invoke_is_on_the_page() -> None:
    source = (Path(__file__).parents[2] / "guests/toolbox/commands/running/invoke.go").read_text()
    (listed,) = re.findall(r"^Exit status: (.*?)\.\n`$", source, re.MULTILINE | re.DOTALL)
    said = {int(number) for number in re.findall(r"(?:^|, )([0-9]+) ", listed.replace("\n", " "))}
    told = {int(row[0]) for row in rows(PAGE, "exit status of `invoke`", "when")}
    assert told == said == {0, 1, 2, 3, 126}
