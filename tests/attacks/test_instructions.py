"""A workspace that wants more in the prompt than it has: by links, second names and swaps."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.hearing import system_of

from capbox import app
from capbox.engine.home import Home
from capbox.engine.settings import Settings

KEY = "-----BEGIN OPENSSH PRIVATE KEY-----"


def linked(workspace: Path, key: Path) -> None:
    """AGENTS.md is a link out."""
    (workspace / "AGENTS.md").symlink_to(key)


def climbing(workspace: Path, key: Path) -> None:
    """The same, as a relative link."""
    (workspace / "AGENTS.md").symlink_to(os.path.relpath(key, workspace))


def chained(workspace: Path, key: Path) -> None:
    """The way there begins inside."""
    (workspace / "docs").symlink_to(key.parent)
    (workspace / "AGENTS.md").symlink_to(f"docs/{key.name}")


def hidden(workspace: Path, key: Path) -> None:
    """A link to a file of the workspace that is kept from every grant on the folder."""
    (workspace / ".env").write_text(key.read_text())
    (workspace / "AGENTS.md").symlink_to(".env")


def second_name(workspace: Path, key: Path) -> None:
    """A hard link, which has no target to look at."""
    (workspace / "AGENTS.md").hardlink_to(key)


def magic(workspace: Path, key: Path) -> None:
    """A link of /proc, which leads to the object itself."""
    (workspace / "AGENTS.md").symlink_to(f"/proc/self/root{key}")


def skill(workspace: Path, key: Path) -> None:
    """A skill that is a link."""
    (workspace / "skills" / "review").mkdir(parents=True)
    (workspace / "skills" / "review" / "SKILL.md").symlink_to(key)
    (workspace / "AGENTS.md").symlink_to("skills/review/SKILL.md")


def skills(workspace: Path, key: Path) -> None:
    """The folder of skills is a link."""
    (workspace / ".claude").mkdir()
    (workspace / ".claude" / "skills").symlink_to(key.parent)
    (workspace / "AGENTS.md").symlink_to(".claude/skills/id_rsa")


ATTACKS = (linked, climbing, chained, hidden, second_name, magic, skill, skills)


@pytest.mark.attack
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.__name__)
async def test_no_file_that_was_not_granted_comes_into_the_prompt(
    attack: Callable[[Path, Path], None], tmp_path: Path, home: Home
) -> None:
    workspace, key = tmp_path / "work", tmp_path / ".ssh" / "id_rsa"
    workspace.mkdir()
    key.parent.mkdir()
    key.write_text(f"---\nname: review\ndescription: {KEY}\n---\n{KEY}\n")
    attack(workspace, key)
    # The naive way, which every agent that reads AGENTS.md by its path goes:
    assert KEY in (workspace / "AGENTS.md").read_text()

    async with app.local_engine(home=home, spares=False) as engine:
        settings = Settings(workspace=workspace, grants=("write:/workspace",))
        assert KEY not in await system_of(app.session(engine, settings))
