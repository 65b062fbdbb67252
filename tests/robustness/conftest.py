"""Boxes on workspaces that a person would not make on purpose, and a small disk that gets full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.messages import ToolResult

MakeBox = Callable[..., Box]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """An empty folder, removed afterwards by what can: pytest fails at a thousand levels."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)


@pytest.fixture
def make_box(engine: LocalEngine, workspace: Path) -> MakeBox:
    """Make a box that may write in the workspace, or in another one."""

    def made(where: Path | None = None, **more: object) -> Box:
        more.setdefault("grants", ["write:/workspace"])
        return Box(workspace=where or workspace, engine=engine, **more)

    return made


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KB; only root can mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() or mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)).returncode:
        pytest.skip("a file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def mount(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `mount`."""
    return subprocess.run(["mount", *arguments], capture_output=True, check=False)


def code(result: ToolResult) -> str | None:
    """The error code of a result."""
    return None if result.error is None else result.error.code


def said(result: ToolResult) -> str:
    """What a result says, whichever way it ended."""
    return result.content if result.error is None else result.error.message


@pytest.fixture
def remount(small_disk: Path) -> Callable[[str], None]:
    """Change how the small disk is mounted: `ro` or `rw`."""

    def change(how: str) -> None:
        assert mount("-o", f"remount,{how}", str(small_disk)).returncode == 0

    return change
