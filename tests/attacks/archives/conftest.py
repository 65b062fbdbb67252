"""Gives each attack by an archive a place of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.attacks.archives.hostile import Place


@pytest.fixture
def place() -> Iterator[Place]:
    """Make a workspace and what is beside it, not below /tmp: a guest has a /tmp of its own."""
    made = Place(Path(tempfile.mkdtemp(prefix="capbox-archives-", dir="/var/tmp")))
    for folder in (made.into, made.outside, made.work / "keep"):
        folder.mkdir(parents=True)
    made.target.write_text("precious\n")
    (made.work / "keep" / "own.txt").write_text("mine\n")
    yield made
    shutil.rmtree(made.root)
