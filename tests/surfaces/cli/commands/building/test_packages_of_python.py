"""`capbox python add|list|remove`: what it says, and that a refusal leaves all as it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from tests.surfaces.cli.conftest import Done
from tests.tools.sdk.making import HERE, wheel

from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.program import main

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """The only place where packages are."""
    (folder := tmp_path / "shelf").mkdir()
    return folder


@pytest.fixture
def python(entry: Entry, shelf: Path) -> Command:
    """Run `capbox python`, without an index; return exit code, output and what it said."""
    environ = {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(shelf)}

    def run(*arguments: str) -> tuple[int, str, str]:
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as said:
            code = main(replace(entry, environ=environ), ["python", *arguments])
        return code, out.getvalue(), said.getvalue()

    return run


def test_without_packages_it_says_what_there_is(python: Command) -> None:
    code, out, said = python("list")
    assert (code, out, "has the standard library" in said) == (0, "", True)
    code, out, _ = python("list", "--json")
    assert (code, out[: out.index(",")]) == (0, '{"packages": []')


@pytest.mark.parametrize("words", [("remove",), ("remove", "x", "--all")])
def test_what_to_remove_has_to_be_said_one_way(words: tuple[str, ...], python: Command) -> None:
    code, _, said = python(*words)
    assert (code, "name the packages to remove, or say --all" in said) == (2, True)


def test_a_refusal_names_the_package_the_reason_and_what_to_do(
    python: Command, shelf: Path
) -> None:
    wheel(shelf, tag=HERE)
    code, out, said = python("add", "greetings")
    assert (code, out) == (1, "")
    assert "greetings has no wheel of pure Python 3.12" in said
    assert "look for a package in pure Python, or leave it out" in said
    code, _, said = python("remove", "greetings")
    assert (code, "greetings: was not added" in said) == (1, True)
    assert python("remove", "--all")[0] == 0


def test_what_is_damaged_is_said_and_can_be_cleared(
    python: Command, entry: Entry, capbox: Callable[..., Done], workspace: Path
) -> None:
    entry.home().prepare()
    place = entry.home().tools / ".python"
    place.mkdir(parents=True)
    (place / "packages.json").write_text("{")
    for words in (("list",), ("add", "x"), ("remove", "x")):
        code, _, said = python(*words)
        assert (code, "packages.json: is damaged" in said) == (1, True), words
        assert "capbox python remove --all" in said
    for line in ("tool list", "tool show python", "blast-radius --tool python"):
        assert "packages.json: is damaged" in capbox(*line.split()).err, line
    shown = capbox("blast-radius", "--read", ".", "--workspace", workspace, "--json").json
    assert [
        n for n in shown["notes"] if "is damaged" in n and n.endswith("; this tool is left out")
    ]
    done = capbox("call", "--workspace", workspace, "read", "path=a.txt", "--read", ".")
    assert (done.code, "alpha" in done.out, "this tool is left out" in done.err) == (0, True, True)
    assert python("remove", "--all")[0] == 0
    assert python("list")[0] == 0
    assert capbox("tool", "show", "python").code == 0
