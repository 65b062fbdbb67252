"""Renaming on real files: what is swapped meanwhile, what fails half-way, what is recorded."""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from capbox.sandbox.effects import EffectWriter

TRIES = 400
PATIENCE_SECONDS = 30  # on one core the other process may not run at all during these
# Swaps two names without end: stands for another call of the same run, only faster.
SWAP = """
import ctypes, os, sys
one, two = (os.fsencode(path) for path in sys.argv[1:])
libc = ctypes.CDLL(None)
libc.renameat2(-100, one, -100, two, 2)
print(flush=True)
while os.getppid() == {parent}:
    for _ in range(1000):
        libc.renameat2(-100, one, -100, two, 2)
"""


def can_swap(place: Path) -> bool:
    """Say whether the kernel and the file system know RENAME_EXCHANGE."""
    one, two = place / "1", place / "2"
    one.touch()
    two.touch()
    done = getattr(ctypes.CDLL(None), "renameat2", lambda *_: -1)(
        -100, os.fsencode(one), -100, os.fsencode(two), 2
    )
    one.unlink()
    two.unlink()
    return bool(done == 0)


@pytest.fixture
def swapped(world: Any) -> Iterator[Path]:
    """A directory whose `f` and `x` another process swaps all the time."""
    place = world.workspace / "a" / "b"
    place.mkdir(parents=True)
    if not can_swap(place):
        pytest.skip("no RENAME_EXCHANGE here")
    command = [sys.executable, "-c", SWAP.format(parent=os.getpid()), place / "f", place / "x"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield place
        other.kill()


@pytest.mark.parametrize("planted", ["a directory", "a link"])
def test_what_is_swapped_in_after_the_judgement_does_not_arrive(
    world: Any, outcome: Any, swapped: Path, planted: str
) -> None:
    (swapped / "f").write_text("plain")
    if planted == "a directory":
        (swapped / "x").mkdir()
    else:
        (swapped / "x").symlink_to("../../outside")
    guest = world.writer()
    got: list[str] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(got) < TRIES or ("done" not in got and time.monotonic() < deadline):
        answer = outcome(lambda: guest.rename("/workspace/a/b/f", "/workspace/out"))
        got.append(answer)
        if answer == "done":
            assert stat.S_ISREG((world.workspace / "out").lstat().st_mode)
            (world.workspace / "out").rename(swapped / "f")
    assert "done" in got
    assert {path.name for path in swapped.iterdir()} == {"f", "x"}
    assert not (world.workspace / "out").exists()


def tree(root: Path) -> dict[str, str]:
    """Every name below `root` and what it is."""
    return {
        str(path.relative_to(root)): "link"
        if path.is_symlink()
        else "directory"
        if path.is_dir()
        else path.read_text()
        for path in root.rglob("*")
    }


@pytest.fixture
def guest(world: Any) -> Any:
    """Two files, two directories (one of them not empty), and two names of one file."""
    ws = world.workspace
    for name in ("a", "b"):
        (ws / name).write_text(name)
    (ws / "d").mkdir()
    (ws / "full").mkdir()
    (ws / "full" / "c").write_text("c")
    (ws / "again").hardlink_to(ws / "a")
    (ws / "l").symlink_to("a")
    return world.writer()


LEFT_ALONE = [
    ("a file over a directory", "a", "d", "EISDIR"),
    ("a directory over a file", "d", "a", "ENOTDIR"),
    ("a directory over a full one", "d", "full", "ENOTEMPTY"),
    ("a directory into itself", "full", "full/x", "EINVAL"),
    ("a name that is not there", "none", "b", "ENOENT"),
    ("a name to itself", "a", "a", "done"),
    ("a directory to itself", "full", "full", "done"),
    ("a name over another one of the same file", "a", "again", "done"),
]


@pytest.mark.parametrize(("old", "new", "answer"), [r[1:] for r in LEFT_ALONE])
def test_a_rename_that_does_nothing_leaves_everything_where_it_was(
    guest: Any, world: Any, outcome: Any, old: str, new: str, answer: str
) -> None:
    before = tree(world.workspace)
    got = outcome(lambda: guest.rename(f"/workspace/{old}", f"/workspace/{new}"))
    assert (got, tree(world.workspace)) == (answer, before)


MOVED = [
    ("a file", "b", "new", "b"),
    ("a file over a file", "b", "a", "b"),
    ("an empty directory", "d", "new", "directory"),
    ("a link", "l", "new", "link"),
    ("a link over a file", "l", "b", "link"),
]


@pytest.mark.parametrize(("old", "new", "what"), [r[1:] for r in MOVED])
def test_a_rename_leaves_one_name(guest: Any, world: Any, old: str, new: str, what: str) -> None:
    before = tree(world.workspace)
    guest.rename(f"/workspace/{old}", f"/workspace/{new}")
    del before[old]
    assert tree(world.workspace) == before | {new: what}


def test_a_name_that_something_is_moving_by_is_never_listed(guest: Any, world: Any) -> None:
    (world.workspace / ".capbox-moving-0123").touch()
    assert guest.names("/workspace") == ["a", "again", "b", "d", "full", "l"]


def test_no_guest_may_use_such_a_name(guest: Any, world: Any, outcome: Any) -> None:
    # Attack: a file that no listing shows, for a person to trip over.
    name = "/workspace/.capbox-moving-0123"
    assert outcome(lambda: guest.mkdir(name)) == "EACCES"
    assert outcome(lambda: guest.symlink("a", name)) == "EACCES"
    assert outcome(lambda: guest.open(name, "wc")) == "EACCES"
    assert outcome(lambda: guest.rename("/workspace/a", name)) == "EACCES"
    assert [r.reason for r in guest.finish().refused] == [
        "a name that capbox uses while it moves a file"
    ]
    assert not (world.workspace / ".capbox-moving-0123").exists()


def effects(guest: Any) -> list[tuple[str, str, str, int]]:
    """End the guest; return what was recorded, host paths relative to the workspace."""
    guest.finish()
    log = guest.effects()
    assert log.whole
    return [(t.action, t.path[11:], t.host.partition("/ws/")[2], t.bytes) for t in log.touched]


def test_two_objects_behind_one_name_are_two_effects(guest: Any) -> None:
    guest.write_file("/workspace/d/innocent", b"1", mode="wc")
    guest.write_file("/workspace/d/important", b"22", mode="wc")
    guest.finish()
    guest.symlink("innocent", "/workspace/d/l")
    guest.write_file("/workspace/d/l", b"333", mode="w")
    guest.unlink("/workspace/d/l")
    guest.symlink("important", "/workspace/d/l")
    guest.write_file("/workspace/d/l", b"4444", mode="w")
    assert effects(guest) == [
        ("symlink", "d/l", "d/l", 0),
        ("write", "d/innocent", "d/innocent", 3),
        ("delete", "d/l", "d/l", 0),
        ("write", "d/important", "d/important", 4),
    ]


def test_what_is_read_by_a_descriptor_for_writing_is_on_record(guest: Any) -> None:
    guest.write_file("/workspace/new", b"1", mode="wc")
    guest.finish()
    guest.open("/workspace/new", "rw")  # opened, and no more: nothing was read
    assert effects(guest) == [("write", "new", "new", 0)]
    assert guest.read(guest.open("/workspace/new", "rw")) == b"1"
    assert effects(guest) == [("write", "new", "new", 0), ("read", "new", "new", 0)]


def test_the_scratch_directory_records_what_was_opened_too(guest: Any) -> None:
    guest.write_file("/tmp/a", b"1")
    guest.symlink("a", "/tmp/l")
    guest.write_file("/tmp/l", b"2")
    guest.finish()
    assert [(t.action, t.host.rpartition("/")[2]) for t in guest.effects().touched] == [
        ("create", "a"),
        ("symlink", "l"),
    ]
    assert guest.effects().touched[0].bytes == 2


def test_only_a_temporary_file_of_this_call_disappears_into_its_target(guest: Any) -> None:
    temporary = "/workspace/.capbox-1-b.tmp"
    guest.write_file(temporary, b"333")
    guest.rename(temporary, "/workspace/b")
    guest.write_file(temporary, b"payload")
    assert effects(guest) == [("write", "b", "b", 3), ("create", temporary[11:], temporary[11:], 7)]
    guest.rename(temporary, "/workspace/b")
    assert effects(guest) == [
        ("rename", temporary[11:], temporary[11:], 0),
        ("write", "b", "b", 0),
    ]


def test_a_temporary_file_whose_rename_failed_is_still_listed(guest: Any, outcome: Any) -> None:
    guest.write_file("/workspace/.capbox-1-b.tmp", b"333")
    assert outcome(lambda: guest.rename("/workspace/.capbox-1-b.tmp", "/workspace/d")) == "EISDIR"
    assert effects(guest)[:1] == [("create", ".capbox-1-b.tmp", ".capbox-1-b.tmp", 3)]


class Meanwhile(EffectWriter):
    """A list of effects that lets another call act between a rename's judgement and the rename."""

    def __init__(self, fd: int, act: Callable[[], object]) -> None:
        super().__init__(fd)
        self._act = act

    def record(self, action: str, path: str, host: str) -> int | None:
        """Record; first let the other call act."""
        if action == "rename":
            self._act()
        return super().record(action, path, host)


def test_a_link_made_in_a_deeper_place_meanwhile_is_not_brought_up(
    world: Any, outcome: Any
) -> None:
    other = world.writer()
    for name in ("p", "p/d", "deep", "deep/1", "deep/1/2", "t"):
        other.mkdir(f"/workspace/{name}")

    def meanwhile() -> None:
        other.rename("/workspace/p", "/workspace/deep/1/2/p")
        other.symlink("../../../../../x", "/workspace/deep/1/2/p/d/link")

    guest = world.writer(writer=lambda fd: Meanwhile(fd, meanwhile))
    assert outcome(lambda: guest.rename("/workspace/p/d", "/workspace/t/d")) == "EXDEV"
    links = [path for path in world.workspace.rglob("*") if path.is_symlink()]
    assert links == [world.workspace / "deep/1/2/p/d/link"]
    assert list((world.workspace / "deep/1/2/p").iterdir()) == [links[0].parent]
