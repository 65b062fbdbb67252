"""docs/governance-replay.md is true: its examples are executed, its bounds the code's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, steps, text_of
from tests.furnished import furnished

from capbox.engine.replay.kept import BOUNDS

PAGE = text_of("governance-replay.md")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The folder of the page."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "sales.txt").write_text("rocket\nanvil\n")
    return folder


def test_its_examples_print_what_it_says(workspace: Path, tmp_path: Path, cache: Path) -> None:
    home = furnished(tmp_path / "home", cache)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "CAPBOX_HOME": str(home),
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
            printed = re.sub(rf"{home}\S+", "...", printed)
            printed = re.sub(r"\d{8}-\d{6}-[a-z0-9]+", "20...", printed)
            assert agrees(shown, printed), (command, printed)
            tried += 1
    assert tried == 7


def test_its_bounds_are_those_of_the_code() -> None:
    mib, gib = BOUNDS.run_bytes >> 20, BOUNDS.total_bytes >> 30
    assert f"| {mib} MiB a run, {gib} GiB in all, {BOUNDS.days} days;" in PAGE
