"""docs/governance-labels.md is true: its examples are executed, its caveats are those that mint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, code, rows, steps, text_of
from tests.furnished import furnished

from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant

PAGE = text_of("governance-labels.md")
FILES = {".env": "TOKEN=1\n", "page.txt": "by a stranger\n", "specs/a.txt": "by the operator\n"}


@pytest.mark.slow
def test_the_examples_print_what_the_page_shows(tmp_path: Path, cache: Path) -> None:
    home, project = furnished(tmp_path / "home", cache), tmp_path / "project"
    for name, text in FILES.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "CAPBOX_HOME": str(home),
        "LC_ALL": "C.UTF-8",
    }
    (config := home / "config").mkdir(mode=0o700)
    commands = 0
    for block in blocks(PAGE):
        if block.kind == "toml config.toml":
            (config / "config.toml").write_text(block.text)
        for command, shown in steps(block.text) if block.kind == "console" else ():
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=project,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
                check=False,
            )
            assert agrees(shown, done.stdout), f"{command!r} printed:\n{done.stdout}"
            commands += 1
    assert commands == 4


def test_the_caveats_apply_to_what_the_page_says() -> None:
    for caveats, actions, _ in rows(PAGE, "caveat", "on", "the grant counts"):
        for text in ("fetch:https://a.example", "tool:bash", "read:/workspace", "write:/workspace"):
            grant = parse_grant(f"{text} {code(caveats)[0]}")
            assert isinstance(grant, Grant)
            assert (grant.unsupported() is None) is (f"{grant.action}:" in code(actions))
