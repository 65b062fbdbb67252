"""What a killed worker leaves half done: cleaned up, and never anything else."""

# ruff: noqa: ASYNC110 - polling for what has no event

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from capbox.authority.limits import Limits
from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox import leftovers
from capbox.sandbox.effects import EffectLog
from capbox.sandbox.leftovers import put_back, tidy
from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import Job, Mount, Rule, Stopped, Touched

MakeJob = Callable[..., Job]
TEMPORARY = ".capbox-0123456789abcdef-a.txt.tmp"
STAGED = ".capbox-moving-0123456789abcdef"
KILLS = 25

# Moves `a` to `b` and back without end.
MOVE_FOR_EVER = """
(module
  (import "wasi_snapshot_preview1" "path_rename"
    (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "workspace/a") (data (i32.const 96) "workspace/b")
  (func (export "_start") (loop $again
    (drop (call $rename (i32.const 3) (i32.const 64) (i32.const 11)
                        (i32.const 3) (i32.const 96) (i32.const 11)))
    (drop (call $rename (i32.const 3) (i32.const 96) (i32.const 11)
                        (i32.const 3) (i32.const 64) (i32.const 11)))
    (br $again))))
"""

# Prepares a replacement, and never gets further.
LOOP_AFTER_CREATE = f"""
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "workspace/{TEMPORARY}")
  (func (export "_start")
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 64)
      (i32.const {len(TEMPORARY) + 10}) (i32.const 5) (i64.const 64) (i64.const 0)
      (i32.const 0) (i32.const 8)))
    (loop $again (br $again))))
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def job_with(job: MakeJob, *mounts: Mount) -> Job:
    made = job("garbage")
    return replace(made, mounts=mounts or made.mounts)


def mount(host: Path, *, write: bool = True, name: str | None = None, **rule: object) -> Mount:
    rules = (replace(Rule(write=write), **rule),)
    return Mount(GuestPath("/workspace"), HostPath(str(host)), rules, name)


def entry(action: str, work: Path, name: str) -> Touched:
    return Touched(action, GuestPath(f"/workspace/{name}"), HostPath(f"{work}/{name}"))


def made(work: Path, name: str) -> EffectLog:
    return EffectLog((entry("create", work, name),), whole=True)


def moving(work: Path, name: str, staged: str = STAGED) -> EffectLog:
    return EffectLog((), whole=False, staged=(entry("rename", work, name), staged))


def test_a_prepared_replacement_is_removed_and_that_is_told(job: MakeJob, work: Path) -> None:
    which = job_with(job)
    (work / "sub").mkdir()
    (work / "sub" / TEMPORARY).write_text("half")
    assert tidy(which, made(work, f"sub/{TEMPORARY}")) == (
        entry("delete", work, f"sub/{TEMPORARY}"),
    )
    assert list((work / "sub").iterdir()) == []


def test_what_was_being_moved_gets_its_name_back(job: MakeJob, work: Path) -> None:
    which = job_with(job)
    (work / STAGED).write_text("content")
    assert tidy(which, moving(work, "a")) == (entry("create", work, "a"),)
    assert [(f.name, f.read_text()) for f in work.iterdir()] == [("a", "content")]
    assert tidy(which, moving(work, "a")) == ()  # it had arrived


def test_what_cannot_get_its_name_back_stays_and_is_told(job: MakeJob, work: Path) -> None:
    which = job_with(job)
    (work / STAGED).write_text("content")
    (work / "a").write_text("someone else's")
    assert tidy(which, moving(work, "a")) == (entry("create", work, STAGED),)
    assert (work / "a").read_text() == "someone else's"
    assert (work / STAGED).read_text() == "content"


def test_what_cannot_be_looked_at_counts_as_left(work: Path, job: MakeJob) -> None:
    job("garbage")
    folder = os.open(work, os.O_RDONLY)
    assert put_back(folder, STAGED, "a") is None  # nothing stands there
    os.close(folder)
    assert put_back(folder, STAGED, "a") is False


# A worker that was taken over writes what it likes into its list: none of it makes the parent,
# which is behind none of the worker's walls, touch what the worker could not.
FORGED = {
    "an ordinary name": ("notes.txt", {}),
    "a name outside the mount": (f"../outside/{TEMPORARY}", {}),
    "by a link": (f"link/{TEMPORARY}", {}),
    "a directory": (f"folder/{TEMPORARY}", {}),
    "below an exclusion": (f".git/hooks/{TEMPORARY}", {"protected": ("**/.git/hooks/**",)}),
    "in a folder granted for reading": (TEMPORARY, {"write": False}),
    "beside the one file granted": (TEMPORARY, {"name": "b.txt"}),
    "below the one file granted": (f"sub/{TEMPORARY}", {"name": "a.txt"}),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_list_removes_and_moves_nothing(name: str, job: MakeJob, work: Path) -> None:
    path, given = FORGED[name]
    which = job_with(job, mount(work, **given))  # type: ignore[arg-type]  # of several types
    for folder in ("../outside", ".git/hooks", "sub", f"folder/{TEMPORARY}"):
        (work / folder).mkdir(parents=True)
    (work / "link").symlink_to("../outside")
    for folder in ("../outside", ".git/hooks", "sub", "."):
        (work / folder / TEMPORARY).write_text("theirs")
        (work / folder / STAGED).write_text("theirs")
    (work / "notes.txt").write_text("theirs")
    before = sorted(work.parent.rglob("*"))
    assert tidy(which, made(work, path)) == ()
    if name not in ("an ordinary name", "a directory"):
        tidy(which, moving(work, path))
    tidy(which, moving(work, "b", f"../outside/{STAGED}"))
    tidy(which, moving(work, "b", f"{STAGED}/../notes.txt"))
    tidy(which, moving(work, "b", "notes.txt"))
    assert sorted(work.parent.rglob("*")) == before


def test_a_link_in_the_place_of_a_mount_leads_nowhere(job: MakeJob, work: Path) -> None:
    inner, outside = work / "sub", work.parent / "outside"
    outside.mkdir()
    (outside / TEMPORARY).write_text("theirs")
    (outside / STAGED).write_text("theirs")
    which = job_with(job, mount(inner))
    inner.symlink_to(outside)
    assert tidy(which, made(inner, TEMPORARY)) == tidy(which, moving(inner, "a")) == ()
    assert {f.name for f in outside.iterdir()} == {TEMPORARY, STAGED}


def test_a_path_that_does_not_go_with_its_place_removes_nothing(job: MakeJob, work: Path) -> None:
    which = job_with(job)
    (work / "precious.txt").write_text("theirs")
    forged = Touched(
        "create", GuestPath(f"/workspace/{TEMPORARY}"), HostPath(f"{work}/precious.txt")
    )
    assert tidy(which, EffectLog((forged,), whole=True)) == ()
    assert (work / "precious.txt").exists()


def test_what_takes_longer_than_its_time_is_left(
    job: MakeJob, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = job_with(job)
    (work / TEMPORARY).write_text("half")
    monkeypatch.setattr(leftovers, "SECONDS_MAX", 0.0)
    assert tidy(which, made(work, TEMPORARY)) == ()
    assert (work / TEMPORARY).exists()


async def test_what_a_bound_cut_short_is_tidied_too(
    sandbox: Sandbox, job: MakeJob, work: Path
) -> None:
    wat = LOOP_AFTER_CREATE
    outcome = await sandbox.call(job(wat, shipped=True, limits=Limits(wall_seconds=1)))
    assert isinstance(outcome.end, Stopped), outcome
    assert [(t.action, t.path) for t in outcome.touched] == [
        ("create", f"/workspace/{TEMPORARY}"),
        ("delete", f"/workspace/{TEMPORARY}"),
    ]
    assert os.listdir(work) == []


async def test_a_kill_in_the_midst_of_a_move_loses_no_file(
    sandbox: Sandbox, job: MakeJob, work: Path
) -> None:
    which = job(MOVE_FOR_EVER)
    (work / "a").write_text("content")
    for _ in range(KILLS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sandbox.call, which)
            while (work / "a").exists():
                await anyio.sleep(0.001)
            sandbox.stop_run(which.run)
        (left,) = os.listdir(work)
        assert left in ("a", "b")
        (work / left).rename(work / "a")
