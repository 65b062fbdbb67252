"""docs/governance-undo.md is true: its examples are executed, its bounds are asked of the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, steps, text_of
from tests.furnished import furnished

from capbox.sandbox.undo.keeper import Bounds

PAGE = text_of("governance-undo.md")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The folder of the page."""
    folder = tmp_path / "work"
    for name, text in (("notes.txt", "one\ntwo\n"), ("old/plan.txt", "a plan\n"), ("src/a", "a\n")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_its_examples_print_what_it_says(workspace: Path, tmp_path: Path, cache: Path) -> None:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "CAPBOX_HOME": str(furnished(tmp_path / "home", cache)),
    }
    tried = 0
    for block in blocks(PAGE):
        for command, shown in steps(block.text):
            done = subprocess.run(
                ["sh", "-c", f"{command} 2>&1"],
                cwd=workspace,
                env=environment,
                capture_output=True,
                text=True,
            )
            printed = re.sub(r"^compiling .*\n", "", done.stdout, flags=re.MULTILINE)
            printed = re.sub(r"run \d{8}-\d{6}-[a-z0-9]+", "run ...", printed)
            assert agrees(shown, printed), (command, printed)
            tried += 1
    assert tried == 11


def test_its_bounds_are_those_of_the_code() -> None:
    bounds = Bounds()
    assert f"| {bounds.run_bytes >> 30} GiB of pre-images a run;" in PAGE
    assert f"| {bounds.days} days, and {bounds.total_bytes >> 30} GiB in all;" in PAGE
