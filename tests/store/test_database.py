"""The database file: private, never replaced, and refused with a reason when it is not ours."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
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


async def _open(file: Path) -> None:
    async with open_runs(file):
        pass


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


OPEN_WHEN_TOLD = """
import sys
from pathlib import Path
import anyio
from capbox.store.runs import open_runs
async def use():
    async with open_runs(Path(sys.argv[1])):
        pass
print("ready", flush=True)
sys.stdin.readline()
anyio.run(use)
"""


@pytest.mark.slow
def test_many_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN_WHEN_TOLD]
    for number in range(4):
        file = tmp_path / f"{number}.db"
        openers = [
            subprocess.Popen(
                [*command, file],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(6)
        ]
        for opener in openers:
            assert opener.stdout is not None
            assert opener.stdout.readline() == "ready\n"
        for opener in openers:
            assert opener.stdin is not None
            opener.stdin.write("\n")
            opener.stdin.flush()
        ends = [(opener.communicate(timeout=60)[1], opener.returncode) for opener in openers]
        assert ends == [("", 0)] * 6


def test_opening_it_again_drops_no_lock_that_is_held_on_it(tmp_path: Path) -> None:
    file = tmp_path / "runs.db"
    anyio.run(_keep_one_run, file)
    ours = sqlite3.connect(file)
    ours.execute("PRAGMA journal_mode = DELETE")
    ours.execute("BEGIN IMMEDIATE")
    anyio.run(_open, file)
    other = "import sqlite3,sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
    tried = subprocess.run(
        [sys.executable, "-c", other, file], capture_output=True, text=True, check=False
    )
    assert tried.stderr.endswith("database is locked\n")
    ours.close()


async def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    async def use(number: int) -> None:
        async with open_runs(tmp_path / "runs.db") as store:
            await store.begin(StoredRun(f"r{number}", 0.0, "t", "/w", "m"))

    async with anyio.create_task_group() as tasks:
        for number in range(6):
            tasks.start_soon(use, number)
    async with open_runs(tmp_path / "runs.db") as store:
        assert len(await store.newest()) == 6
