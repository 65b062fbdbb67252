"""A place to break out of: a workspace with bait in it, and what must not be reached around it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.undo.hand import Tree, tree

from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.messages import ToolResult

SECRET = "swordfish-of-the-host"
GRANTS = ("write:/workspace",)


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace, a folder outside of it, and both as they were."""

    workspace: Path
    outside: Path
    engine: LocalEngine
    before: Tree

    def filled(self, code: str) -> str:
        """Return the program with the host's own path in place of OUTSIDE."""
        return code.replace("OUTSIDE", str(self.outside))

    def naive(self, code: str) -> str:
        """Run a program as a naive tool does: in a process of this machine."""
        done = subprocess.run(
            [sys.executable, "-I", "-c", self.filled(code)],
            cwd=self.workspace,
            env={"HOST_SECRET": SECRET},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    async def call(self, code: str, *grants: str) -> ToolResult:
        """Run a program as the tool `python`."""
        granted = (*GRANTS, *grants)
        async with Box(workspace=self.workspace, grants=granted, engine=self.engine) as box:
            return await box.call("python", code=self.filled(code))

    @property
    def harmed(self) -> bool:
        """Say whether something outside, or a protected file, is not as it was."""
        hook = self.workspace / ".git" / "hooks" / "pre-commit"
        env = self.workspace / ".env"
        return (
            tree(self.outside) != self.before
            or hook.exists()
            or not env.is_file()
            or env.read_text() != f"KEY={SECRET}\n"
        )


@pytest.fixture
def make_place(engine: LocalEngine, tmp_path: Path) -> Callable[[str], Place]:
    """Return what makes a fresh place by name."""

    def made(name: str) -> Place:
        outside, workspace = tmp_path / name / "outside", tmp_path / name / "workspace"
        (workspace / ".git" / "hooks").mkdir(parents=True)
        outside.mkdir()
        (outside / "secret.txt").write_text(f"{SECRET}\n")
        (workspace / ".env").write_text(f"KEY={SECRET}\n")
        (workspace / "notes.txt").write_text("notes\n")
        (workspace / "hard").hardlink_to(workspace / ".env")
        (workspace / "link").symlink_to(outside / "secret.txt")
        (workspace / "folder").symlink_to(outside)
        return Place(workspace, outside, engine, tree(outside))

    return made
