"""The local engine: what it refuses to start with, and what it leaves behind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from capbox import app
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.scratch import make
from capbox.engine.settings import Settings, SettingsError
from capbox.journal.errors import JournalError
from capbox.journal.verify import OpenPrefix
from capbox.sandbox.process.frames import Walls

NO_WALLS = Walls(landlock=False, seccomp=False, openat2=False, memfd=False)


async def test_a_home_that_is_open_to_others_stops_the_engine(home: Home) -> None:
    home.prepare()
    home.state.chmod(0o755)
    with pytest.raises(SettingsError, match="open to others"):
        async with app.local_engine(home=home):
            raise AssertionError("it opened")


@pytest.mark.parametrize("change", ["color = 1\n", "[requests]\n"])
async def test_a_shipped_tool_with_a_bad_manifest_stops_the_engine(
    home: Home, tmp_path: Path, change: str
) -> None:
    guests = shutil.copytree(app.GUESTS, tmp_path / "guests")
    manifest = guests / "toolbox" / "read.toml"
    manifest.write_text(change + manifest.read_text() + ("\n[requests]\n" if "[" in change else ""))
    with pytest.raises(SettingsError, match=r"read\.toml"):
        async with LocalEngine(home, guests, lambda line: None):
            raise AssertionError("it opened")


async def test_without_built_tools_the_engine_says_how_to_build_them(
    home: Home, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError):
        async with LocalEngine(home, tmp_path, lambda line: None):
            raise AssertionError("it opened")


async def test_a_lost_key_is_not_replaced_while_the_journal_holds_runs_it_signed(
    home: Home, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    key, journal = home.state / "journal.key", home.state / "journal"
    async with (
        app.local_engine(home=home, spares=False) as engine,
        app.session(engine, Settings(tmp_path / "work")) as session,
    ):
        await session.call("read", {"path": "a.txt"})
    secret = key.read_bytes()
    key.unlink()
    with pytest.raises(JournalError) as refused:
        async with app.local_engine(home=home, spares=False):
            raise AssertionError("it opened")
    assert (refused.value.subject, refused.value.reason, key.exists()) == (
        str(key),
        f"the signing key is missing, but {journal} holds runs that it signed: "
        "put the key back, or move the journal away",
        False,
    )
    key.touch(mode=0o600)
    key.write_bytes(secret)
    async with app.local_engine(home=home, spares=False):
        key.unlink()
    journal.rename(tmp_path / "old journal")
    async with app.local_engine(home=home, spares=False):
        assert len(key.read_bytes()) == len(secret)


async def test_an_exception_under_an_engine_comes_out_as_it_is(home: Home) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with app.local_engine(home=home):
            raise KeyError("mine")


async def test_what_a_killed_process_left_is_swept_and_what_lives_is_not(home: Home) -> None:
    home.prepare()
    left, alive = (make(home.cache / "scratch", run) for run in ("run-a", "run-b"))
    os.close(left.lock)  # as the kernel does for a process that was killed
    async with app.local_engine(home=home):
        assert (left.path.exists(), alive.path.exists()) == (False, True)
    alive.remove()


async def test_scratch_is_wiped_whatever_modes_a_guest_left(
    engine: LocalEngine, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    async with app.session(engine, Settings(tmp_path / "work")) as session:
        await session.call("bash", {"script": "echo x > /tmp/f"})
        (scratch,) = [s for s in (engine.home.cache / "scratch").iterdir() if (s / "f").exists()]
        (scratch / "d" / "e").mkdir(parents=True)
        (scratch / "d").chmod(0)
    assert not scratch.exists()


async def test_a_run_under_way_is_an_open_prefix(engine: LocalEngine, records: object,
                                                 tmp_path: Path) -> None:  # fmt: skip
    (tmp_path / "work").mkdir()
    async with app.session(engine, Settings(tmp_path / "work")) as session:
        result = await session.call("bash", {"script": "echo x"})
        assert records.verdicts() == (OpenPrefix(result.journal, 3),)


async def test_the_tools_work_with_every_kernel_wall_absent(home: Home, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "a.txt").write_text("alpha\n")
    async with app.local_engine(home=home, walls=NO_WALLS, spares=False) as engine:
        settings = Settings(tmp_path / "work", grants=("read:/workspace",))
        async with app.session(engine, settings) as session:
            read = await session.call("read", {"path": "a.txt"})
            write = await session.call("bash", {"script": "echo x > a.txt"})
    assert (read.ok, [d.missing for d in write.denied]) == (True, ["write:/workspace/a.txt"])
    assert (tmp_path / "work" / "a.txt").read_text() == "alpha\n"


async def test_progress_is_reported_once_when_tools_are_compiled(
    tmp_path: Path, cache: Path
) -> None:
    lines: list[str] = []
    home = Home(tmp_path / "config", tmp_path / "state", cache)
    async with app.local_engine(lines.append, home=home, spares=False) as engine:
        await engine.compile_tools()
        said = len(lines)
        await engine.compile_tools()
        compiled = list((cache / "compiled").glob("*.cwasm"))
    assert (len(lines), bool(compiled)) == (said, True)


def children() -> str:
    """The numbers of this process's children."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


async def test_an_engine_that_cannot_be_opened_leaves_no_process(tmp_path: Path) -> None:
    home = Home(tmp_path / "config", tmp_path / "state", tmp_path / "cache")
    home.state.mkdir(mode=0o700)
    (home.state / "journal").write_text("not a directory")
    before = children()
    with pytest.raises(JournalError) as kept:  # with its traceback, and so everything in it
        async with app.local_engine(home=home):
            raise AssertionError("it opened")
    assert (children(), kept.type) == (before, JournalError)
