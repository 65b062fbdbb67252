"""docs/governance-radius.md is true: its examples are executed, its tables are the code's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from tests.docs.page import agrees, blocks, code, rows, steps, text_of

from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.authority.paths import HostPath
from capbox.engine.radius.cuts import SAYS, cutting
from capbox.engine.radius.ends import SinkKind, SourceKind
from capbox.engine.radius.lints import CODES
from capbox.engine.radius.never.rules import NameKind, Quantity, RuleError, parse_rule, read_rules

PAGE = text_of("governance-radius.md")
FILES = {
    "a.txt": "alpha\n",
    ".env": "TOKEN=12\n",
    "server.key": "key\n",
    "src/main.py": "print()\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of the page's examples."""
    folder = tmp_path / "project"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.slow
def test_the_examples_print_what_the_page_shows(project: Path, tmp_path: Path) -> None:
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "200",
    }
    commands = 0
    for block in blocks(PAGE):
        if block.kind == "toml never.toml":
            (project / "never.toml").write_text(block.text)
            # The examples were counted without it.
            (project / "never.toml").rename(tmp_path / "never.toml")
        for command, shown in steps(block.text) if block.kind == "console" else ():
            here = command.replace("never.toml", str(tmp_path / "never.toml"))
            done = subprocess.run(
                ["bash", "-c", here],
                cwd=project,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
                check=False,
            )
            printed = done.stdout.replace(str(project), "/home/me/project")
            assert agrees(shown, printed), f"{command!r} printed:\n{printed}"
            commands += 1
    assert commands == 4


def test_the_ends_of_flows_are_those_of_the_code() -> None:
    assert [code(row[0])[0] for row in rows(PAGE, "from", "what it is")] == list(
        get_args(SourceKind)
    )
    assert [code(row[0])[0] for row in rows(PAGE, "to", "what it is")] == list(get_args(SinkKind))


def test_a_caveat_cuts_what_the_page_says() -> None:
    table = rows(PAGE, "caveat", "cuts flows of")
    assert {code(row[0])[0].partition("=")[0] for row in table} == SAYS.keys()
    for caveat, cut in table:
        grant = parse_grant(f"fetch:https://a.example.com {code(caveat)[0]}")
        assert isinstance(grant, Grant)
        everything = cut.startswith("everything")
        for label in ("secret", "untrusted"):
            holds = bool(cutting(grant, frozenset({label})))  # type: ignore[arg-type]
            word = "secret" if label == "secret" else "untrusted"
            assert holds is (everything or word in code(cut)), (caveat, label)


def test_every_warning_is_on_the_page_and_its_grants_are_grants() -> None:
    table = rows(PAGE, "code", "given for", "narrower")
    assert [code(row[0])[0] for row in table] == list(CODES)
    for cell in (cell for row in table for cell in row[1:]):
        for text in code(cell):
            if ":" in text and not text.startswith("expires"):
                assert isinstance(parse_grant(text), Grant), text


def test_the_rules_of_the_page_are_rules(tmp_path: Path) -> None:
    (example,) = [block.text for block in blocks(PAGE) if block.kind == "toml never.toml"]
    file = tmp_path / "never.toml"
    file.write_text(example)
    assert len(read_rules(file, HostPath("/home/me"))) == 5
    words = {"GLOB": "x", "HOST": "*", "FROM": "any", "TO": "any", "N": "1", "CODE": "no-expiry"}
    table = rows(PAGE, "rule", "is broken by")
    for text in (text for row in table for text in code(row[0])):
        rule = " ".join(words.get(part, part) for part in text.split())
        assert not isinstance(parse_rule(rule, None), RuleError), rule
    named = {text.split()[0] for row in table for text in code(row[0])}
    assert named >= {"read", "write", "fetch", "flow", "lint", *get_args(NameKind)}
    (numbers,) = [row for row in table if row[0].startswith("`money")]
    assert ["money", *code(numbers[1])] == list(get_args(Quantity))
