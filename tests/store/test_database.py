"""The database file: private, never replaced, and refused with a reason when it is not ours."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from capbox.store.errors import StoreError
from capbox.store.runs import StoredRun, open_runs
from capbox.store.schema import APPLICATION, VERSION

RUN = StoredRun("r1", 0.0, "t", "/w", "m")


async def _keep_one_run(file: Path) -> None:
    async with open_runs(file) as store:
        await store.begin(RUN)


def _modes(folder: Path) -> dict[str, str]:
    return {entry.name: oct(entry.stat().st_mode & 0o777) for entry in folder.iterdir()}


async def test_every_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        async with open_runs(tmp_path / "runs.db") as store:
            await store.begin(RUN)
            modes = _modes(tmp_path)
    finally:
        os.umask(before)
    assert modes == {"runs.db": "0o600", "runs.db-wal": "0o600", "runs.db-shm": "0o600"}


async def test_a_file_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    await _keep_one_run(tmp_path / "runs.db")
    (tmp_path / "runs.db").chmod(0o644)
    async with open_runs(tmp_path / "runs.db") as store:
        assert await store.get("r1") == RUN
    assert _modes(tmp_path) == {"runs.db": "0o600"}


def _not_a_database(file: Path) -> None:
    file.write_bytes(b"this is somebody's letter, not a database\n" * 200)


def _another_programs(file: Path) -> None:
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()


def _a_newer_capboxs(file: Path) -> None:
    with sqlite3.connect(file) as newer:
        newer.execute("CREATE TABLE runs (id TEXT)")
        newer.execute(f"PRAGMA application_id = {APPLICATION}")
        newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.close()


def _cut_short(file: Path) -> None:
    anyio.run(_keep_one_run, file)
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + bytes(len(whole) - 100))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_not_a_database, "file is not a database"),
        (_another_programs, "database of another program"),
        (_a_newer_capboxs, f"has version {VERSION + 1}; .* use a newer one"),
        (_cut_short, "malformed"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_kept_byte_for_byte(
    tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    file = tmp_path / "runs.db"
    spoil(file)
    before = file.read_bytes()

    async def use() -> None:
        async with open_runs(file) as store:
            await store.newest()

    with pytest.raises(StoreError, match=reason) as refused:
        anyio.run(use)
    assert str(file) in str(refused.value)
    assert file.read_bytes() == before


async def test_a_link_in_its_place_is_refused_and_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.touch()
    target.chmod(0o644)
    (tmp_path / "runs.db").symlink_to(target)
    with pytest.raises(StoreError):
        async with open_runs(tmp_path / "runs.db"):
            pass
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"", 0o644)


async def test_a_pipe_or_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe", "missing/runs.db"):
        with pytest.raises(StoreError):
            async with open_runs(tmp_path / name):
                pass


async def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    async def use(number: int) -> None:
        async with open_runs(tmp_path / "runs.db") as store:
            await store.begin(StoredRun(f"r{number}", 0.0, "t", "/w", "m"))

    async with anyio.create_task_group() as tasks:
        for number in range(6):
            tasks.start_soon(use, number)
    async with open_runs(tmp_path / "runs.db") as store:
        assert len(await store.newest()) == 6
