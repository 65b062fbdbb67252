"""Tries every attack once per user and choice of walls, each in a program of that user's own."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from capbox import app
from capbox.engine.home import Home
from capbox.engine.session import Session
from capbox.engine.settings import Settings

PROGRAM = Path(__file__).with_name("trial_program.py")
USERS = ("root", "ordinary user") if os.geteuid() == 0 else ("ordinary user",)
WALLS: Mapping[str, tuple[str, ...]] = {
    "all walls": (),
    "no kernel wall": ("landlock", "seccomp"),
    "no openat2": ("openat2",),
    "no memfd": ("memfd",),
    "no walls": ("landlock", "seccomp", "openat2", "memfd"),
}


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs a program, with which interpreter, and where its home is."""

    name: str
    python: str
    home: Path
    credentials: Mapping[str, object]

    def run(
        self, arguments: list[str], *, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as this account, in an environment of its own, to its end."""
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            "CAPBOX_HOME": str(self.home / "capbox"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return subprocess.run(
            [self.python, "-I", *arguments],
            cwd=cwd or self.home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            **self.credentials,
        )

    def capbox(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run the command line."""
        start = "import sys; from capbox.app import main; sys.exit(main())"
        return self.run(["-c", start, *arguments], cwd=cwd)

    def directory(self, name: str) -> Path:
        """Make a directory of this account's."""
        path = self.home / name
        path.mkdir(parents=True)
        if "user" in self.credentials:
            os.chown(path, self.credentials["user"], self.credentials["group"])
        return path

    def remove(self, place: Path) -> None:
        """Remove a directory that `directory` made."""
        shutil.rmtree(place)

    def give(self, place: Path) -> None:
        """Make this account the owner of everything below `place`."""
        if "user" in self.credentials:
            for path in (place, *place.rglob("*")):
                uid, gid = self.credentials["user"], self.credentials["group"]
                os.chown(path, uid, gid, follow_symlinks=False)


@pytest.fixture(scope="session")
def accounts(ordinary_python: str) -> Iterator[Mapping[str, Account]]:
    """Every account that attacks are tried as, each with a fresh home outside /tmp."""
    made: dict[str, Account] = {}
    for name in USERS:
        home = Path(tempfile.mkdtemp(prefix="capbox-account-", dir="/var/tmp"))
        credentials: dict[str, object] = {}
        python = sys.executable
        if name == "ordinary user" and os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            credentials = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}
            python = ordinary_python
            os.chown(home, nobody.pw_uid, nobody.pw_gid)
        made[name] = Account(name, python, home, credentials)
    yield made
    for account in made.values():
        shutil.rmtree(account.home, ignore_errors=True)


@pytest.fixture(params=USERS)
def account(request: pytest.FixtureRequest, accounts: Mapping[str, Account]) -> Account:
    """One account after the other."""
    return accounts[request.param]


@pytest.fixture(scope="session")
def trials(accounts: Mapping[str, Account]) -> Callable[[str, str], Mapping[str, list[str | None]]]:
    """Return what stopped each attack, and how it got through, for a user and a choice of walls."""

    @cache
    def tried(user: str, walls: str) -> Mapping[str, list[str | None]]:
        return trial(accounts[user], {"naive": False, "down": WALLS[walls]})

    return tried


@pytest.fixture(scope="session")
def bites(accounts: Mapping[str, Account]) -> Callable[[str], Mapping[str, str | None]]:
    """Return how each attack bit the naive fixture, run by a user."""

    @cache
    def tried(user: str) -> Mapping[str, str | None]:
        return trial(accounts[user], {"naive": True, "down": ()})

    return tried


def trial(account: Account, job: dict[str, object]) -> Mapping[str, object]:
    """Run the program and return what it prints."""
    spec = json.dumps({**job, "home": str(account.home / "trial")})
    done = account.run(["-c", PROGRAM.read_text(), spec])
    # A failure is kept too: tried again for each attack, it would take hours to report.
    return json.loads(done.stdout) if done.returncode == 0 else Failed(done.stderr)


class Failed(dict[str, Any]):
    """What a program that failed found: asking it for anything says why."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self._why = why

    def __missing__(self, attack: str) -> Any:
        pytest.fail(self._why)


@pytest.fixture
async def open_session(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Callable[[Settings], AbstractAsyncContextManager[Session]]]:
    """Return what opens a session of this process, on an engine of its own."""
    root = tmp_path_factory.getbasetemp() / "capbox-home"
    home = Home(root / "config", root / "state", root / "cache")
    async with app.local_engine(home=home) as engine:
        yield lambda settings: app.session(engine, settings)


@pytest.fixture(params=USERS)
def user(request: pytest.FixtureRequest) -> str:
    """One user after the other, by name."""
    return request.param


@pytest.fixture(params=WALLS)
def walls(request: pytest.FixtureRequest) -> str:
    """One choice of walls after the other, by name."""
    return request.param
