"""Runs the inmate: a process that locks itself as a worker does and tries what it must not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

INMATE = Path(__file__).with_name("inmate.py")
Tried = dict[str, str]


@pytest.fixture
def inmate(tmp_path: Path) -> Callable[[str], Tried]:
    """Return what runs the inmate within some walls; both of its threads must meet the same."""
    room, read_only = tmp_path / "room", tmp_path / "read-only"
    room.mkdir()
    read_only.mkdir()
    (read_only / "theirs").write_text("theirs")
    (read_only / "spare").touch()

    def run(walls: str) -> Tried:
        arguments = [walls, str(room), str(read_only), str(os.getpid())]
        done = subprocess.run(
            [sys.executable, str(INMATE), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Tried] = json.loads(done.stdout)
        assert (
            found["main"].items() >= {k: v for k, v in found["other"].items() if k != GONE}.items()
        )
        return found["main"]

    return run


GONE = "remove in the read-only grant"  # without walls the first thread removes it
