"""capbox's own files: unreadable, damaged, or on a disk that is full. No record, no effect."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from capbox import app
from capbox.box import Box
from capbox.engine.home import Home
from capbox.engine.settings import SettingsError
from capbox.journal.errors import DiskError, JournalError
from capbox.journal.head import Signer
from capbox.journal.verify import Closed, OpenPrefix, verify


@pytest.fixture
def home(small_disk: Path, cache: Path) -> Home:
    """A state directory on the small disk; the compiled tools lie elsewhere."""
    return Home(small_disk / "config", small_disk / "state", cache)


def fill(disk: Path) -> Path:
    """Take what is left of a disk."""
    path = disk / "filled"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    return path


async def test_an_engine_does_not_open_where_its_record_has_no_room(
    home: Home, small_disk: Path
) -> None:
    home.state.mkdir(mode=0o700)
    fill(small_disk)
    with pytest.raises((JournalError, SettingsError), match=str(home.state.parent)):
        async with app.local_engine(home=home, spares=False):
            raise AssertionError("it opened")


async def test_a_full_disk_makes_no_record_a_broken_one(
    home: Home, small_disk: Path, workspace: Path
) -> None:
    async with (
        app.local_engine(home=home, spares=False) as engine,
        Box(workspace=workspace, grants=["write:/workspace"], engine=engine) as box,
    ):
        assert (await box.call("write", path="a.txt", content="x")).ok
    journal, signer = home.state / "journal", Signer.load(home.state / "journal.key")
    filled = fill(small_disk)
    with pytest.raises(DiskError, match="its disk is full or fails; it is left as it is"):
        verify(journal, signer)
    filled.unlink()
    assert [type(verdict) for verdict in verify(journal, signer)] == [Closed]


async def test_a_call_whose_record_has_no_room_has_no_effect(
    home: Home, small_disk: Path, workspace: Path
) -> None:
    async with app.local_engine(home=home, spares=False) as engine:
        box = Box(workspace=workspace, grants=["write:/workspace"], engine=engine)
        await box.__aenter__()
        first = await box.call("write", path="first.txt", content="x")
        filled = fill(small_disk)
        tries = []
        for number in range(40):
            # What the journal had room for in files that are there already may still be done.
            result = await box.call("write", path=f"{number}.txt", content="x" * 5_000)
            tries.append(result)
            if not result.ok:
                break
        again = await box.call("read", path="first.txt")
        filled.unlink()
        stopped = await box.call("read", path="first.txt")
        with pytest.raises(JournalError, match="an earlier write failed"):
            await box.__aexit__(None, None, None)
    assert first.ok
    for result in (tries[-1], again, stopped):
        assert result.error is not None and result.error.code == "sandbox_failed"
        assert "the journal cannot be written" in result.error.message
    done = [n for n, result in enumerate(tries) if result.ok]
    left = {f"{n}.txt" for n in done} | {"first.txt"}
    undone = len(tries) - 1
    assert set(os.listdir(workspace)) - {f"{undone}.txt"} == left
    # The last one may have been done, if its intent still found room: then that is on record.
    (verdict,) = verify(home.state / "journal", Signer.load(home.state / "journal.key"))
    assert isinstance(verdict, OpenPrefix)
    on_record = verdict.entries == 2 * len(tries) + 2
    assert on_record or f"{undone}.txt" not in os.listdir(workspace)
    async with (
        app.local_engine(home=home, spares=False) as engine,
        Box(workspace=workspace, grants=["read:/workspace"], engine=engine) as box,
    ):
        assert (await box.call("read", path="first.txt")).ok
    ends = verify(home.state / "journal", Signer.load(home.state / "journal.key"))
    assert {type(end) for end in ends} == {OpenPrefix, Closed}  # of one second, in any order


DAMAGE = [
    ("state/journal/journal.db", b"this is no database", "journal.db"),
    ("state/journal.key", b"short", "journal.key"),
    ("config/config.toml", b"never = 3", "config.toml"),
    ("config/config.toml", b"\xff\xfe", "config.toml"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("file", "content", "named"), DAMAGE)
@pytest.mark.parametrize("how", ["damaged", "closed", "a directory"])
def test_a_file_of_its_own_that_cannot_be_used_is_named_kept_and_stops_everything(
    ordinary_user: object, cache: Path, file: str, content: bytes, named: str, how: str
) -> None:
    work = ordinary_user.directory("work")  # type: ignore[attr-defined]
    (work / "a.txt").write_text("here\n")
    compiled = ordinary_user.home / "capbox" / "cache" / "compiled"  # type: ignore[attr-defined]
    shutil.copytree(cache / "compiled", compiled)
    for made in (compiled.parents[1], compiled.parent, compiled, *compiled.iterdir()):
        os.chown(made, ordinary_user.uid, ordinary_user.gid)  # type: ignore[attr-defined]
        made.chmod(0o600 if made.is_file() else 0o700)
    capbox = ordinary_user.capbox  # type: ignore[attr-defined]
    assert capbox("call", "read", "path=a.txt", "--read", ".", cwd=work).returncode == 0
    path = ordinary_user.home / "capbox" / file  # type: ignore[attr-defined]
    if how == "a directory":
        path.unlink(missing_ok=True)
        path.mkdir()
    else:
        path.write_bytes(content)
    os.chown(path, ordinary_user.uid, ordinary_user.gid)  # type: ignore[attr-defined]
    path.chmod(0 if how == "closed" else 0o700 if how == "a directory" else 0o600)
    write = (
        "call",
        "write",
        json.dumps({"path": "b.txt", "content": "x"}),
        "--write",
        ".",
        "--json",
    )
    done = capbox(*write, cwd=work)
    error = json.loads(done.stdout)["error"]
    assert done.returncode not in (0, 1) and named in error["message"], done
    assert "Traceback" not in done.stderr
    assert os.listdir(work) == ["a.txt"]
    if how == "damaged":
        assert path.read_bytes() == content
