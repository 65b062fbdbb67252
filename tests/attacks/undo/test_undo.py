"""What a hostile run plants for the undo, and what a worker that was taken over asks for."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from tests.conftest import OrdinaryUser
from tests.undo.hand import Hand

from capbox.authority.limits import Limits
from capbox.authority.paths import GuestPath, HostPath
from capbox.messages import Json
from capbox.sandbox.run import no_service
from capbox.sandbox.spec import Finished, Job, Module, Mount, Outcome, Rule, Touched, UnderWay
from capbox.sandbox.undo.asking import NOT_GRANTED, Saving
from capbox.sandbox.undo.blobs import Blobs, copy
from capbox.sandbox.undo.keeper import ENTRIES_MAX, INLINE_ENDS_MAX, Bounds, Keeper
from capbox.undo.history import Kept, find
from capbox.undo.log import read_log
from capbox.undo.restore import open_up
from capbox.undo.undoing import Undone, undo

MakeHand = Callable[..., Hand]


def naive_undo(kept: Kept) -> None:
    """Write back by path, as one does who has not thought of links."""
    log = read_log(kept.folder / "index")
    for entry in reversed(list(log.changes())):
        path, state = Path(entry.path), entry.state
        if state is None and path.is_file():
            path.unlink()
        elif state is not None and state.kind == "file":
            path.write_bytes((kept.folder / state.blob).read_bytes())


def changed(work: Hand) -> Kept:
    """Change and make files in a folder."""
    work.write("a/x", "changed")
    work.write("a/made", "made")
    return work.close()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that no run has anything to do with."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in ("x", "made"):
        (folder / name).write_text("mine")
    return folder


def plant_folder(top: Path, outside: Path) -> None:
    """Put a link in the place of the folder."""
    (top / "a").rename(top / "aside")
    (top / "a").symlink_to(outside)


def plant_file(top: Path, outside: Path) -> None:
    """Put a link in the place of the file."""
    for name in ("x", "made"):
        (top / "a" / name).unlink()
        (top / "a" / name).symlink_to(outside / name)


def plant_top(top: Path, outside: Path) -> None:
    """Put a link in the place of the workspace itself."""
    top.rename(top.with_name("aside"))
    top.symlink_to(outside.parent / "top")
    (outside.parent / "top").mkdir()
    (outside.parent / "top" / "a").symlink_to(outside)


PLANTS = {"a folder": plant_folder, "a file": plant_file, "the workspace": plant_top}


@pytest.mark.parametrize("plant", PLANTS)
def test_the_naive_undo_writes_through_a_planted_link(
    plant: str, hand: MakeHand, top: Path, outside: Path
) -> None:
    kept = changed(hand())
    PLANTS[plant](top, outside)
    naive_undo(kept)
    left = [p.read_text() for p in (outside / "x", outside / "made") if p.exists()]
    assert left != ["mine", "mine"]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("plant", PLANTS)
def test_an_undo_writes_through_no_planted_link(
    plant: str, force: bool, hand: MakeHand, top: Path, outside: Path
) -> None:
    kept = changed(hand())
    PLANTS[plant](top, outside)
    done: Undone = undo(kept, force=force)
    assert [(outside / name).read_text() for name in ("x", "made")] == ["mine", "mine"]
    if plant == "a file" and force:
        assert (top / "a" / "x").read_text() == "x in a\n"  # the link was replaced, not followed
    else:
        assert done.left


# --- a worker that was taken over ----------------------------------------------------------------


def test_a_link_put_where_a_folder_is_opened_up_opens_nothing_else(
    top: Path, outside: Path
) -> None:
    """A run closes its folder; who shares the tree swaps it for a link to a private one."""
    closed = top / "closed"
    closed.mkdir()
    closed.chmod(0o077)
    outside.chmod(0o700)
    (top / "link").symlink_to(outside)
    fd = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.chmod("link", 0o777, dir_fd=fd)  # as one does who has just looked at it
        assert stat.S_IMODE(outside.stat().st_mode) == 0o777
        outside.chmod(0o700)
        with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
            open_up(fd, "link")
        open_up(fd, "closed")
    finally:
        os.close(fd)
    assert stat.S_IMODE(outside.stat().st_mode) == 0o700
    assert stat.S_IMODE(closed.stat().st_mode) == 0o777


def job_at(top: Path, *, hidden: tuple[str, ...] = (), name: str | None = None) -> Job:
    """Return a call that may write below `top`, or the one file in it."""
    mount = Mount(GuestPath("/workspace"), HostPath(str(top)), (Rule(True, hidden),), name)
    read = Mount(GuestPath("/mnt/read"), HostPath(str(top)), (Rule(False),))
    return Job(
        run="run",
        module=Module(HostPath("/none"), "0"),
        mounts=(mount, read),
        scratch=HostPath("/none"),
        limits=Limits(),
        request=b"",
        seed=bytes(32),
        started_ns=0,
        keeps=True,
    )


async def asked(saving: Saving, question: Json) -> Json:
    """Return what a worker hears."""
    under_way = UnderWay(lambda: (), nullcontext)
    answer, _ = await saving.beside(no_service)({"save": question}, b"", under_way)
    return answer["saved"]


@pytest.fixture
def keeper(tmp_path: Path, top: Path) -> Keeper:
    """What keeps the states of a run."""
    header = {"run": "run", "workspace": str(top), "started": 1.0}
    return Keeper(tmp_path / "undo", header, Bounds(run_bytes=1_000))


REFUSED: dict[str, Json] = {
    "a name that climbs": ["change", "/workspace", "../outside/x"],
    "a name that climbs within": ["change", "/workspace", "a/../../outside/x"],
    "an absolute name": ["change", "/workspace", "/etc/passwd"],
    "an empty part": ["change", "/workspace", "a//x"],
    "a NUL": ["change", "/workspace", "a\0x"],
    "the root itself": ["change", "/workspace", ""],
    "a mount that is not there": ["change", "/elsewhere", "x"],
    "a mount that may only be read": ["change", "/mnt/read", "z"],
    "an excluded file": ["change", "/workspace", ".env"],
    "an excluded file, renamed": ["rename", "/workspace", "z", ".env", ".capbox-moving-0"],
    "a rename by way of any name": ["rename", "/workspace", "z", "y", "a"],
    "a rename by way of another folder": ["rename", "/workspace", "z", "y", "../.capbox-moving-0"],
    "no question": ["read", "/workspace", "z"],
    "no list": 5,
    "a number for a name": ["change", "/workspace", 5],
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", REFUSED)
async def test_a_worker_can_have_nothing_saved_that_it_may_not_write(
    case: str, keeper: Keeper, top: Path, tmp_path: Path
) -> None:
    (top / ".env").write_text("KEY=1\n")
    saving = Saving(keeper, job_at(top, hidden=(".env",)), 1)
    assert await asked(saving, REFUSED[case]) == NOT_GRANTED
    assert not (tmp_path / "undo").exists()
    assert await asked(saving, ["change", "/workspace", "z"]) == ""


@pytest.mark.anyio
async def test_a_link_on_the_way_is_not_followed_and_one_at_the_end_is_kept_as_a_link(
    keeper: Keeper, top: Path, outside: Path
) -> None:
    (top / "way").symlink_to(outside)
    saving = Saving(keeper, job_at(top), 1)
    assert await asked(saving, ["change", "/workspace", "way/x"]) == "Not a directory"
    assert await asked(saving, ["change", "/workspace", "way"]) == ""
    keeper.close()
    kept = find(top.parent / "undo", None, str(top))
    blobs = [p for p in kept.folder.iterdir() if not p.name.startswith("index")]
    assert blobs == []


@pytest.mark.anyio
async def test_a_single_file_of_a_grant_does_not_open_its_folder(keeper: Keeper, top: Path) -> None:
    saving = Saving(keeper, job_at(top, name="z"), 1)
    assert await asked(saving, ["change", "/workspace", "c"]) == NOT_GRANTED
    assert await asked(saving, ["change", "/workspace", "a/x"]) == NOT_GRANTED
    assert await asked(saving, ["change", "/workspace", ".capbox-0-z.tmp"]) == ""
    assert await asked(saving, ["change", "/workspace", "z"]) == ""


@pytest.mark.anyio
async def test_what_would_exceed_the_bound_of_a_run_is_refused_and_the_rest_is_not(
    keeper: Keeper, top: Path
) -> None:
    (top / "large").write_bytes(bytes(1_001))
    saving = Saving(keeper, job_at(top), 1)
    refused = await asked(saving, ["change", "/workspace", "large"])
    assert refused == "saving its 1001 bytes would exceed the bound of one run"
    assert await asked(saving, ["change", "/workspace", "z"]) == ""


@pytest.mark.anyio
async def test_a_pipe_is_never_opened_and_a_socket_is_refused(keeper: Keeper, top: Path) -> None:
    os.mkfifo(top / "pipe")
    os.mknod(top / "socket", stat.S_IFSOCK | 0o600)
    saving = Saving(keeper, job_at(top), 1)
    assert await asked(saving, ["change", "/workspace", "pipe"]) == ""
    told = await asked(saving, ["change", "/workspace", "socket"])
    assert told == "it is no file, folder, link or pipe, so it could not be restored"


@pytest.mark.anyio
async def test_a_worker_that_does_not_ask_is_told_of_as_not_undoable(
    keeper: Keeper, top: Path
) -> None:
    saving = Saving(keeper, job_at(top), 1)
    assert await asked(saving, ["change", "/workspace", "z"]) == ""
    for name in ("z", "a/x"):
        (top / name).write_text("changed")
    touched = tuple(
        Touched("write", GuestPath(f"/workspace/{n}"), HostPath(f"{top}/{n}"))
        for n in ("z", "a/x", "../outside/x")
    )
    await saving.ended(Outcome(Finished(b""), touched))
    keeper.close()
    done = undo(find(top.parent / "undo", None, str(top)))
    assert ((top / "z").read_text(), (top / "a" / "x").read_text()) == ("z\n", "changed")
    assert done.missed == (f"{top}/a/x",)


def test_what_is_saved_is_closed_to_others(hand: MakeHand, top: Path) -> None:
    (top / "z").chmod(0o644)
    kept = changed(hand())
    everything = [kept.folder.parent, *kept.folder.parent.rglob("*")]
    assert {p for p in everything if stat.S_IMODE(p.stat().st_mode) & 0o077} == set()


@pytest.mark.anyio
async def test_a_persons_edit_between_calls_that_a_worker_overwrites_unasked_is_told_of(
    keeper: Keeper, top: Path
) -> None:
    """What an earlier call had saved is another text; asked anew, the edit would have been kept."""

    async def call(number: int, *questions: str) -> None:
        saving = Saving(keeper, job_at(top), number)
        for name in questions:
            assert await asked(saving, ["change", "/workspace", name]) == ""
        for name in ("z", "a/x"):
            (top / name).write_text(f"by call {number}")
        touched = tuple(
            Touched("write", GuestPath(f"/workspace/{n}"), HostPath(f"{top}/{n}"))
            for n in ("z", "a/x")
        )
        await saving.ended(Outcome(Finished(b""), touched))

    await call(1, "z", "a/x")
    for name in ("z", "a/x"):
        (top / name).write_text("two hours of work")
    await call(2, "a/x")
    keeper.close()
    done = undo(find(top.parent / "undo", None, str(top)))
    assert done.missed == (f"{top}/z",)
    assert (top / "a" / "x").read_text() == "two hours of work"


@pytest.mark.anyio
async def test_what_was_refused_and_changed_all_the_same_is_told_of(
    keeper: Keeper, top: Path
) -> None:
    (top / "large").write_bytes(bytes(1_001))
    saving = Saving(keeper, job_at(top), 1)
    assert await asked(saving, ["change", "/workspace", "large"]) != ""
    (top / "large").write_text("gone")
    touched = Touched("write", GuestPath("/workspace/large"), HostPath(f"{top}/large"))
    await saving.ended(Outcome(Finished(b""), (touched,)))
    keeper.close()
    assert undo(find(top.parent / "undo", None, str(top))).missed == (f"{top}/large",)


@pytest.mark.anyio
async def test_the_end_of_a_call_that_asked_for_much_keeps_nobody_waiting(
    keeper: Keeper, top: Path
) -> None:
    saving, served = Saving(keeper, job_at(top), 1), 0
    for number in range(INLINE_ENDS_MAX + 1):
        assert await asked(saving, ["change", "/workspace", f"n{number}"]) == ""
    done = anyio.Event()

    async def others() -> None:
        nonlocal served
        while not done.is_set():
            served += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(others)
        # Not even a cancellation: what was changed is noted.
        with anyio.CancelScope() as scope:
            scope.cancel()
            await saving.ended(Outcome(Finished(b"")))
        done.set()
    assert served > 1
    keeper.close()
    assert read_log(find(top.parent / "undo", None, str(top)).folder / "index").ended


def test_asking_beyond_the_bound_of_a_run_costs_no_memory(keeper: Keeper, top: Path) -> None:
    assert keeper.save(1, str(top), "z") == ""
    keeper._entries = ENTRIES_MAX
    for number in range(3):
        assert "and no more" in keeper.save(1, str(top), f"n{number}")
    assert len(keeper._calls[1].asked) == 1


def test_a_file_that_grows_while_it_is_copied_is_refused(tmp_path: Path) -> None:
    """The naive copy goes on to an end that whoever appends moves."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "own").mkdir()
    blobs = Blobs(tmp_path / "shared", tmp_path / "own")
    file, target = tmp_path / "file", tmp_path / "naive"
    file.write_bytes(bytes(5 << 20))
    with file.open("rb") as source, target.open("wb+") as naive:
        copy(source.fileno(), naive.fileno())
        assert target.stat().st_size == 5 << 20
        with pytest.raises(OSError, match="it grew while it was saved"):
            blobs.put(source.fileno(), 2 << 20)  # its size a moment ago
        assert len(blobs.put(source.fileno(), 5 << 20)) == 64
    assert blobs.written == 5 << 20
    assert len(list((tmp_path / "own").iterdir())) == 1
    blobs.close()


SETUID = """
import os, stat, sys
from pathlib import Path
from capbox.sandbox.undo.blobs import Blobs
from capbox.sandbox.undo.state import captured
from capbox.undo.restore import put, settle
home = Path(sys.argv[1])
for name in ("ws", "shared", "own"):
    (home / name).mkdir()
blobs, fd = Blobs(home / "shared", home / "own"), os.open(home / "ws", os.O_RDONLY)
for name, owner in (("mine", os.geteuid()), ("theirs", 1)):
    file = home / "ws" / name
    file.write_text("#!/bin/sh")
    file.chmod(0o6755)
    state = captured(fd, name, blobs, 1 << 20)
    from dataclasses import replace
    state = replace(state, uid=owner)
    file.unlink()
    put(fd, name, state, blobs)
    print(oct(stat.S_IMODE(file.stat().st_mode)))
    (home / "ws" / f"{name}-folder").mkdir()
    settle(fd, f"{name}-folder", replace(state, mode=0o7755), times=True)
    print(oct(stat.S_IMODE((home / "ws" / f"{name}-folder").stat().st_mode)))
"""


def test_another_users_setuid_program_does_not_come_back_as_ones_own(
    ordinary_user: OrdinaryUser,
) -> None:
    """Who may not give a file its owner back would run, as himself, what somebody else wrote."""
    done = ordinary_user.run([ordinary_user.python, "-c", SETUID, str(ordinary_user.home)])
    assert done.stderr == ""
    assert done.stdout.split() == ["0o6755", "0o7755", "0o755", "0o1755"]
