"""A file that an older capbox made opens, with all that was in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from capbox.messages import Usage, UserMessage
from capbox.store.errors import StoreError
from capbox.store.runs import StoredEvent, StoredRun, open_runs
from capbox.store.schema import VERSION
from capbox.store.sessions import StoredSession

# As the first version wrote it: `.dump` of a file that it made.
VERSION_1 = (Path(__file__).parent / "version_1.sql").read_text(encoding="utf-8")
FINISHED, KILLED = "20261101-100000-aaaaaaaaaaaaaaaa", "20261101-110000-bbbbbbbbbbbbbbbb"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of version 1 with two runs."""
    file = tmp_path / "runs.db"
    with sqlite3.connect(file) as database:
        database.executescript(VERSION_1)
    return file


async def test_a_file_of_version_1_keeps_every_run_and_event(old: Path) -> None:
    async with open_runs(old) as store:
        task, place, model = "tidy up", "/home/a/project", "scripted:x.json"
        usage = Usage(10, 20, 30, 40)
        assert await store.newest() == (
            StoredRun(KILLED, 200.5, "it was killed", place, model),
            StoredRun(FINISHED, 100.5, task, place, model, 102.5, "completed", usage, 0.25),
        )
        assert await store.events(FINISHED) == (
            StoredEvent(0, 101.0, {"type": "run_started", "n": [1, None, "é"]}),
            StoredEvent(1, 102.0, {"type": "run_finished"}),
        )


async def test_a_migrated_file_takes_sessions_and_opens_again(old: Path) -> None:
    name = "a" * 16
    async with open_runs(old) as store:
        await store.sessions.begin(StoredSession(name, "t", "/w", "m", 1.0, 1.0))
        await store.sessions.append(name, KILLED, UserMessage("hello"), at=2.0)
    async with open_runs(old) as store:
        assert len(await store.sessions.messages(name)) == 1
        assert len(await store.newest()) == 2
    with sqlite3.connect(old) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)


async def test_a_migrated_file_has_what_a_new_one_has(old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    async with open_runs(old), open_runs(new):
        pass
    query = "SELECT name FROM sqlite_master ORDER BY name"
    names = [sqlite3.connect(file).execute(query).fetchall() for file in (old, new)]
    assert names[0] == names[1]


async def test_several_may_open_an_old_file_at_once(old: Path) -> None:
    async def opened() -> None:
        async with open_runs(old) as store:
            assert len(await store.newest()) == 2

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(opened)


def _newer(database: sqlite3.Connection) -> None:
    database.execute(f"PRAGMA user_version = {VERSION + 1}")


def _half(database: sqlite3.Connection) -> None:
    database.execute("ALTER TABLE runs ADD COLUMN session TEXT")


@pytest.mark.parametrize("spoilt", [_newer, _half])
async def test_what_cannot_be_migrated_is_refused_and_kept(
    old: Path, spoilt: Callable[[sqlite3.Connection], None]
) -> None:
    database = sqlite3.connect(old)
    spoilt(database)
    database.commit()
    before = "\n".join(database.iterdump())
    with pytest.raises(StoreError):
        async with open_runs(old):
            pass
    assert "\n".join(database.iterdump()) == before
