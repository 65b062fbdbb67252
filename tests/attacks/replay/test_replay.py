"""What a hostile run leaves for whoever replays it: its record, its tree, and its words."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from tests.undo.hand import tree

from capbox import app
from capbox.box import Box
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.replay.kept import ReplayError, taped
from capbox.engine.replay.recorded import run_on_record
from capbox.engine.replay.replaying import Report
from capbox.engine.replay.tree.copying import Copying
from capbox.journal.event import RunId
from capbox.journal.head import Signer
from capbox.store.journal import read

KEY = "KEY=the-live-secret"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with a secret that has a second name, and links that lead out of it."""
    folder = tmp_path / "outer" / "workspace"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("alpha\n")
    (folder / ".env").write_text(KEY)
    (folder / "sample.txt").hardlink_to(folder / ".env")
    (folder.parent / "mine.txt").write_text("mine\n")
    (folder / "out").symlink_to(folder.parent)
    (folder / "mine").symlink_to(folder.parent / "mine.txt")
    return folder


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody who would learn of any connection."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        opened.setblocking(False)
        yield opened


def connected(listener: socket.socket) -> bool:
    """Say whether anybody connected since the last time."""
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


Hostile = Callable[[], "object"]


async def hostile(engine: LocalEngine, workspace: Path, port: int) -> str:
    """Make a run that tries everything, with more grants than it should have; return its id."""
    grants = ("write:/workspace", f"fetch:http://localhost:{port}")
    async with Box(workspace=workspace, grants=grants, engine=engine) as box:
        script = (
            f"cat .env sample.txt; echo x > out/mine.txt; echo x > mine; curl -m 1 -s "
            f"http://localhost:{port}/; echo new > a.txt; rm mine; ln -s ../mine.txt again; "
            "echo x > again; mv a.txt b.txt"
        )
        first = await box.call("bash", script=script)
        await box.call("write", path="../mine.txt", content="x")
        await box.call("write", path="made.txt", content="made\n")
        assert first.journal is not None
        return first.journal


def naive_replay(home: Home, run: str, port: int) -> None:
    """Do once more what the record says, where it says: as one does who has not thought of it."""
    for record in read(home.state / "journal", RunId(run)):
        content = record.content or {}
        for effect in content.get("effects", ()):  # type: ignore[attr-defined]
            if effect["action"] in ("create", "write") and effect["host_path"]:
                Path(effect["host_path"]).write_text("replayed")
        if content.get("kind") == "request":
            try:
                urlopen(str(content["url"]), timeout=1)
            except OSError:
                continue


async def replayed(home: Home, run: str) -> Report:
    """Replay for real."""
    record = run_on_record(home.state, Signer.load(home.state / "journal.key"), RunId(run))
    return await app.replaying(home, lambda line: None, lambda played: None).replay(record)


@pytest.mark.attack
async def test_it_writes_nowhere_else_and_reaches_nobody(
    engine: LocalEngine, workspace: Path, home: Home, listener: socket.socket, tmp_path: Path
) -> None:
    port = listener.getsockname()[1]
    run = await hostile(engine, workspace, port)
    while connected(listener):
        pass
    shutil.copytree(workspace.parent, tmp_path / "kept", symlinks=True)
    naive_replay(home, run, port)
    assert connected(listener)
    assert (workspace / "made.txt").read_text() == "replayed"
    shutil.rmtree(workspace.parent)
    shutil.copytree(tmp_path / "kept", workspace.parent, symlinks=True)
    before, state = tree(workspace.parent), tree(home.state)
    report = await replayed(home, run)
    assert [one.tool for one in report.calls] == ["bash", "write", "write"]
    assert report.difference is None
    assert not connected(listener)
    assert tree(workspace.parent) == before
    assert (workspace.parent / "mine.txt").read_text() == "mine\n"
    assert tree(home.state) == state
    assert list((home.cache / "replay").iterdir()) == []


@pytest.mark.attack
async def test_the_live_secret_is_read_by_no_name_of_it(
    engine: LocalEngine, workspace: Path, home: Home, listener: socket.socket
) -> None:
    run = await hostile(engine, workspace, listener.getsockname()[1])
    naive = workspace.parent / "naive"
    shutil.copytree(workspace, naive, symlinks=True)
    assert (naive / "sample.txt").read_text() == KEY
    # Whoever opens it for reading waits here for ever, or finds that it is no file.
    for name in (".env", "sample.txt"):
        (workspace / name).unlink()
    (workspace / ".env").write_text(KEY)
    (workspace / "sample.txt").hardlink_to(workspace / ".env")
    read_before = (workspace / ".env").stat().st_atime_ns
    os.utime(workspace / ".env", ns=(1, (workspace / ".env").stat().st_mtime_ns))
    assert read_before
    await replayed(home, run)
    assert (workspace / ".env").stat().st_atime_ns == 1
    (workspace / ".env").read_text()
    assert (workspace / ".env").stat().st_atime_ns != 1, "the file system keeps no times of reading"


@pytest.mark.attack
@pytest.mark.parametrize("what", ["content", "order", "end"])
async def test_an_answer_that_was_changed_on_disk_is_noticed(
    engine: LocalEngine, workspace: Path, home: Home, what: str
) -> None:
    async with Box(workspace=workspace, grants=("read:/workspace",), engine=engine) as box:
        for _ in range(2):
            result = await box.call("read", path="a.txt")
    run = RunId(str(result.journal))
    (tape,) = home.replay.iterdir()
    content = tape.read_bytes()
    lines = content.splitlines(keepends=True)
    changed = {
        "content": content.replace(b"alpha", b"gamma"),
        "order": b"".join([lines[0], *lines[3:], *lines[1:3]]),
        "end": b"".join(lines[:-2]),
    }[what]
    assert changed != content
    # One that believes what is there: nothing in the file itself contradicts it.
    mark = f"{len(changed)}:{__import__('hashlib').sha256(changed).hexdigest()}"
    tape.write_bytes(changed)
    assert taped(home.replay, run, mark)
    with pytest.raises(ReplayError, match="changed, or cut off"):
        await replayed(home, run)
    tape.write_bytes(content)
    assert (await replayed(home, run)).identical


@pytest.mark.attack
async def test_what_a_model_writes_ends_no_tape(
    engine: LocalEngine, workspace: Path, home: Home
) -> None:
    async with Box(workspace=workspace, grants=("read:/workspace",), engine=engine) as box:
        for path in (float("nan"), {"a": 1e999}, "\ud800", "\x1b[2J", {"size": 1}):
            await box.call("read", path=path)
        result = await box.call("read", path="a.txt")
    report = await replayed(home, str(result.journal))
    assert report.difference is None
    assert report.calls[-1].state == "identical"
    assert json.dumps([one.tool for one in report.calls])


@pytest.mark.attack
@pytest.mark.parametrize("there", [True, False])
async def test_a_link_planted_later_leads_a_replay_nowhere(
    engine: LocalEngine, workspace: Path, home: Home, *, there: bool
) -> None:
    (workspace / "a" / "b").mkdir(parents=True)
    (workspace / "a" / "b" / "notes").write_text("old\n")
    grants = ("read:/workspace", "write:/workspace/a/b")
    async with Box(workspace=workspace, grants=grants, engine=engine) as box:
        result = await box.call("bash", script="cd /workspace/a/b; echo run > notes; cat notes")
    victim = workspace.parent / "victim"
    (victim / "b" if there else victim).mkdir(parents=True)
    (workspace / "a").rename(workspace / "was")
    (workspace / "a").symlink_to(victim)
    before = tree(victim)
    with pytest.raises(ReplayError, match="is a link or a file now"):
        await replayed(home, str(result.journal))
    assert tree(victim) == before


@pytest.mark.attack
async def test_a_mount_behind_a_link_planted_later_is_no_difference(
    engine: LocalEngine, workspace: Path, home: Home
) -> None:
    (workspace / "a" / "b").mkdir(parents=True)
    (workspace / "a" / "b" / "notes").write_text("old\n")
    grants = ("read:/workspace", "read:/workspace/a/b")
    async with Box(workspace=workspace, grants=grants, engine=engine) as box:
        result = await box.call("read", path="a/b/notes")
    shutil.copytree(workspace / "a", workspace.parent / "victim")
    (workspace / "a").rename(workspace / "was")
    (workspace / "a").symlink_to(workspace.parent / "victim")
    report = await replayed(home, str(result.journal))
    assert (report.difference, report.calls[0].state) == (None, "not replayable")


NESTED = """n=$(head -c 250 /dev/zero | tr "\\0" a); p=.
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do p=$p/$n; mkdir $p; done
mkdir $p/${n:0:200}; echo new > $p/new; ln $p/new $p/again; ln -s new $p/link; rm a.txt
"""
DEEP = "p=.; for i in {1..300}; do p=$p/a; done; mkdir -p $p; echo new > $p/new; find . | wc -l"


@pytest.mark.attack
@pytest.mark.parametrize(
    ("first", "second"),
    [
        # Whether the longest name can be opened in the copy depends on where the copy is.
        pytest.param(NESTED, {"identical", "not replayable"}, id="long"),
        pytest.param(DEEP, {"identical"}, id="deep"),
    ],
)
async def test_names_that_a_run_makes_hold_up_no_replay(
    engine: LocalEngine, workspace: Path, home: Home, first: str, second: set[str]
) -> None:
    async with Box(workspace=workspace, grants=("write:/workspace",), engine=engine) as box:
        assert (await box.call("bash", script=first)).ok
        await box.call("bash", script="find . | wc")
        result = await box.call("bash", script="ls; cat out/mine.txt")
    report = await replayed(home, str(result.journal))
    states = [one.state for one in report.calls]
    assert (report.difference, states[0], states[2]) == (None, "identical", "identical")
    assert states[1] in second


@pytest.mark.attack
def test_a_file_that_grows_is_copied_as_far_as_it_was_counted(
    workspace: Path, tmp_path: Path
) -> None:
    log = workspace / "log"
    log.write_bytes(b"x" * 1_000)

    def readable(host: str) -> bool:
        if host.endswith("/log"):  # asked before it is read, after its size was seen
            os.truncate(log, log.stat().st_size + 1_000_000)
        return True

    copied = Copying(tmp_path / "copy", readable)
    copied.top.mkdir()
    copied.roots([str(workspace)])
    copy = Path(copied.moved(str(log)))
    assert copy.stat().st_size <= 1_001_000 < log.stat().st_size
