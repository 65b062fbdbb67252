"""A tree with everything that matters to a count, and the subject that settings make of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox import app
from capbox.authority.decision import Standing
from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.authority.paths import HostPath
from capbox.engine.home import Home
from capbox.engine.radius.subject import Machine, Subject
from capbox.engine.settings import Settings, SettingsError

MakeSubject = Callable[..., Subject]


def parsed(text: str) -> Grant:
    """Read a grant, which must be one."""
    found = parse_grant(text)
    assert isinstance(found, Grant), found
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A workspace with texts, secrets, control files, links of both kinds."""
    root = tmp_path / "tree"
    for name, text in {
        "a.txt": "alpha\n",
        "src/main.py": "print()\n",
        "src/deep/er/notes.md": "notes\n",
        "private/plan.txt": "plan\n",
        ".env": "KEY=1\n",
        "src/.env.local": "KEY=2\n",
        "certs/server.key": "key\n",
        ".ssh/config": "Host x\n",
        ".ssh/id_ed25519": "private\n",
        ".git/config": "[core]\n",
        ".git/hooks/pre-commit": "#!/bin/sh\n",
        ".git/HEAD": "ref\n",
        "AGENTS.md": "be kind\n",
    }.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "outside.txt").write_text("outside\n")
    (root / "inner-link").symlink_to("a.txt")
    (root / "outer-link").symlink_to(tmp_path / "outside.txt")
    (root / "folder-link").symlink_to(tmp_path)
    (root / "innocent.txt").hardlink_to(root / ".env")
    (root / "twin.txt").hardlink_to(root / "a.txt")
    return root


@pytest.fixture
def subject(tree: Path, home: Home, tmp_path: Path) -> MakeSubject:
    """Return what a run with these grants would hold in `tree`, minted as a run's."""

    def make(*grants: str, never: str = "", shipped: str = "read bash fetch") -> Subject:
        if never:
            home.config.mkdir(parents=True, exist_ok=True)
            (home.config / "config.toml").write_text(f"never = [{never}]\n")
        settings = Settings(workspace=tree, grants=grants, environ={"TOKEN": "t"})
        layout, mint = app.granting(home, settings)
        _, bare = app.granting(home, Settings(workspace=tree))

        def mints(grant: Grant) -> bool:
            try:
                bare((grant,))
            except SettingsError:
                return False
            return True

        return Subject(
            held=(mint(()),),
            layout=layout,
            as_of=Standing(time.time()),
            mints=mints,
            shipped=frozenset(shipped.split()),
            limits=settings.limits,
            budget=settings.budget,
            machine=Machine(HostPath(str(tmp_path)), (HostPath(str(tmp_path / "bin")),)),
        )

    return make
