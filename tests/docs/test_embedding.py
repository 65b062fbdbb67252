"""docs/embedding.md is true: its programs are executed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, text_of
from tests.furnished import furnished

PAGE = blocks(text_of("embedding.md"))
PROGRAMS = [number for number, block in enumerate(PAGE) if block.kind == "python"]


@pytest.mark.parametrize("number", PROGRAMS)
def test_a_program_prints_what_the_page_shows(number: int, tmp_path: Path, cache: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "notes.txt").write_text("buy milk\n")
    (script,) = (block.text for block in PAGE if block.kind == "json script.json")
    (work / "script.json").write_text(script)
    program, shown = PAGE[number : number + 2]
    done = subprocess.run(
        [sys.executable, "-c", program.text],
        cwd=work,
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
    assert shown.kind == "text"
    assert agrees(shown.text.splitlines(), done.stdout), done.stdout


def test_each_part_of_the_page_has_its_program() -> None:
    assert len(PROGRAMS) == 5
