"""docs/governance-control.md is true: its examples are executed, its tables asked of the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, code, rows, steps, text_of
from tests.furnished import furnished

from capbox import app
from capbox.engine.approvers.answers import read_answer
from capbox.engine.operator import read_rules
from capbox.engine.presets import Preset, preset
from capbox.surfaces.cli.approver import parse_answer
from capbox.tools.registry import load

PAGE = text_of("governance-control.md")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The folder of the examples."""
    folder = tmp_path / "work"
    (folder / "private").mkdir(parents=True)
    (folder / "notes.txt").write_text("Buy milk.\n")
    (folder / "private" / "a").write_text("private\n")
    (folder / ".env").write_text("KEY=1\n")
    return folder


@pytest.fixture
def environ(tmp_path: Path, cache: Path) -> Mapping[str, str]:
    """A home of its own, in which the tools are compiled."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "me"),
        "CAPBOX_HOME": str(furnished(tmp_path / "me" / "capbox", cache)),
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
        "COLUMNS": "200",
    }


def run(work: Path, environ: Mapping[str, str], *command: str) -> str:
    """Run a program to its end; return what it printed."""
    done = subprocess.run(
        command,
        cwd=work,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return re.sub(r"^compiling .*\n", "", done.stdout, flags=re.MULTILINE)


@pytest.mark.slow
def test_the_examples_print_what_the_page_shows(work: Path, environ: Mapping[str, str]) -> None:
    kinds = [block.kind for block in blocks(PAGE)]
    assert (kinds.count("console"), kinds.count("python")) == (3, 1)
    found = blocks(PAGE)
    for number, block in enumerate(found):
        match block.kind:
            case "toml policy.toml":
                (work.parent / "policy.toml").write_text(block.text)
            case "console":
                for command, shown in steps(block.text):
                    printed = run(work, environ, "bash", "-c", command)
                    assert agrees(shown, printed), f"{command!r} printed:\n{printed}"
            case "python":
                printed = run(work, environ, sys.executable, "-c", block.text)
                assert agrees(found[number + 1].text.splitlines(), printed), printed
            case _:
                continue


def test_the_answers_are_those_of_the_code() -> None:
    for typed, sent, _ in rows(PAGE, "at the terminal", "`capbox approve`", "lends"):
        assert parse_answer(code(typed)[0]) == read_answer(code(sent)[0])


def test_the_presets_are_those_of_the_code() -> None:
    manifests = {name: t.manifest for name, t in load(app.GUESTS, shipped=True).tools.items()}
    listed = rows(PAGE, "preset", "old name", "grants", "a model is offered")
    for name, old, grants, offered in listed:
        found = preset(code(name)[0])
        assert isinstance(found, Preset)
        assert list(found.grants) == code(grants)
        assert all(preset(alias) == found for alias in code(old))
        if "every tool" in offered:
            assert found.offered(manifests) == tuple(sorted(manifests))
        elif "level" in offered:
            assert list(found.levels) == code(offered)
        else:
            assert list(found.offered(manifests)) == code(offered)
    assert len(listed) == 6


def test_the_never_rules_of_the_page_are_rules(tmp_path: Path) -> None:
    (block,) = [one for one in blocks(PAGE) if one.kind == "toml config.toml"]
    (tmp_path / "config.toml").write_text(block.text)
    rules = read_rules(tmp_path / "config.toml", tmp_path)
    assert {(r.action, r.path) for r in rules} == {
        ("read", f"{tmp_path}/keys"),
        ("write", f"{tmp_path}/notes"),
    }
