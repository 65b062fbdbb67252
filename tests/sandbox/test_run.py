"""A call from rights to outcome, with small guests that do one thing each."""

# ruff: noqa: ASYNC240 - small local files, and polling for what has no event

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from capbox.authority.limits import Limits
from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.lockdown.walls import probe
from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import (
    Broken,
    Failed,
    Finished,
    Job,
    Mount,
    Outcome,
    Rule,
    Stopped,
    stopped,
)

MakeJob = Callable[..., Job]
PATIENCE_SECONDS = 60.0
SHORT = Limits(wall_seconds=0.3)
LATE = Stopped("time", "stopped: the call did not end at its time limit and was killed")

IMPORTS = """
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory"
    (func $mkdir (param i32 i32 i32) (result i32)))
"""


def guest(body: str, more: str = "") -> str:
    """A command that runs `body`; 64 is where its strings lie."""
    return f"""(module {IMPORTS} (memory (export "memory") 1) {more}
      (func $make (param $length i32)
        (drop (call $mkdir (i32.const 3) (i32.const 64) (local.get $length))))
      (func (export "_start") {body}))"""


COPY = """
  (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 4096))
  (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
  (i32.store (i32.const 4) (i32.load (i32.const 8)))
  (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
"""
LOOP = "(loop $again (br $again))"
MAKE = '(data (i32.const 64) "workspace/made")'
ECHO = guest(COPY)
MAKE_AND_LOOP = guest(f"(call $make (i32.const 14)) {LOOP}", MAKE)

ENDS = {
    "copies its input": (ECHO, Finished(b"request")),
    "never reads": (guest(""), Finished(b"")),
    "exits with 0": (guest("(call $exit (i32.const 0)) unreachable"), Finished(b"")),
    "exits with 3": (
        guest("(call $exit (i32.const 3))"),
        Failed("the tool ended with exit code 3"),
    ),
    "exits with 4000000000": (
        guest("(call $exit (i32.const -294967296))"),
        Failed("the tool ended with exit code 4000000000"),
    ),
    "traps": (
        guest("unreachable"),
        Failed("the tool crashed: wasm trap: wasm `unreachable` instruction executed"),
    ),
    "never ends": (guest(LOOP), stopped("time")),
    "never ends before it starts": (
        f'(module (memory (export "memory") 1) (func $f {LOOP}) (start $f)'
        ' (func (export "_start")))',
        stopped("time"),
    ),
    "calls itself without end": (
        guest("(call $f)", "(func $f (call $f) (call $f))"),
        stopped("stack"),
    ),
    "exports no memory": (
        '(module (func (export "_start")))',
        Failed("the tool crashed: it exports no memory"),
    ),
    "exports a function called memory": (
        '(module (func (export "memory")) (func (export "_start")))',
        Failed("the tool crashed: it exports no memory"),
    ),
    "has no entry": (
        '(module (memory (export "memory") 1))',
        Failed("the tool crashed: it exports no function _start without parameters"),
    ),
    "has an entry with parameters": (
        '(module (memory (export "memory") 1) (func (export "_start") (param i32)))',
        Failed("the tool crashed: it exports no function _start without parameters"),
    ),
    "imports what does not exist": (
        '(module (import "env" "escape" (func)) (memory (export "memory") 1)'
        ' (func (export "_start")))',
        Failed("the tool crashed: unknown import: `env::escape` has not been defined"),
    ),
    "imports with another type": (
        '(module (import "wasi_snapshot_preview1" "fd_read" (func (param i64)))'
        ' (memory (export "memory") 1) (func (export "_start")))',
        None,
    ),
    "starts with too much memory": (
        '(module (memory (export "memory") 65536) (func (export "_start")))',
        stopped("memory"),
    ),
    "starts with an enormous table": (
        '(module (table 4000000000 funcref) (memory (export "memory") 1) (func (export "_start")))',
        None,
    ),
    "grows a table without end": (
        guest(
            "(loop $again (br_if $again (i32.ne (i32.const -1)"
            " (table.grow $t (ref.null func) (i32.const 100000)))))" + COPY,
            "(table $t 1 funcref)",
        ),
        Finished(b"request"),
    ),
    "is no WebAssembly": ("garbage", None),
}


@pytest.mark.parametrize("shipped", [False, True], ids=["a stranger's", "capbox's own"])
@pytest.mark.parametrize("name", ENDS)
async def test_however_a_guest_ends_there_is_one_clear_outcome_and_the_next_call_works(
    name: str, shipped: bool, sandbox: Sandbox, job: MakeJob
) -> None:
    wat, expected = ENDS[name]
    limits = SHORT if expected == stopped("time") else Limits(wall_seconds=20)
    if shipped and expected == stopped("time"):
        expected = LATE  # it never came to its first read, so the worker could not stop it
    for _ in range(2):
        outcome = await sandbox.call(job(wat, shipped=shipped, limits=limits))
        if expected is None:
            assert isinstance(outcome.end, Failed), outcome
        else:
            assert outcome.end == expected
    assert (await sandbox.call(job(ECHO))).end == Finished(b"request")


async def test_a_call_touches_only_what_is_mounted_for_writing(
    sandbox: Sandbox, job: MakeJob, tmp_path: Path
) -> None:
    make = guest("(call $make (i32.const 14))" + COPY, MAKE)
    refused = await sandbox.call(job(make, write=False))
    assert not (tmp_path / "work" / "made").exists()
    assert [(r.action, r.path) for r in refused.refused] == [("write", "/workspace/made")]
    allowed = await sandbox.call(job(make))
    assert (tmp_path / "work" / "made").is_dir()
    assert ([t.action for t in allowed.touched], allowed.refused) == (["mkdir"], ())


async def test_what_a_killed_call_did_is_in_its_outcome(
    sandbox: Sandbox, job: MakeJob, tmp_path: Path
) -> None:
    outcome: list[Outcome] = []
    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            outcome.append(await sandbox.call(job(MAKE_AND_LOOP)))

        tasks.start_soon(run)
        await until((tmp_path / "work" / "made").is_dir)
        (worker,) = workers()
        os.kill(worker, signal.SIGKILL)
    assert isinstance(outcome[0].end, Broken)
    assert "SIGKILL" in outcome[0].end.reason
    assert [(t.action, t.path) for t in outcome[0].touched] == [("mkdir", "/workspace/made")]
    assert (await sandbox.call(job(ECHO))).end == Finished(b"request")


async def test_a_worker_that_does_not_stop_by_itself_is_killed_by_the_parent(
    sandbox: Sandbox, job: MakeJob, tmp_path: Path
) -> None:
    outcome: list[Outcome] = []
    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            outcome.append(await sandbox.call(job(MAKE_AND_LOOP, limits=Limits(wall_seconds=1))))

        tasks.start_soon(run)
        await until((tmp_path / "work" / "made").is_dir)
        (worker,) = workers()
        os.kill(worker, signal.SIGSTOP)
    assert outcome[0].end == LATE
    await until(lambda: workers() == [])


async def test_a_dead_zygote_ends_its_calls_and_the_next_call_has_another(
    sandbox: Sandbox, job: MakeJob, tmp_path: Path
) -> None:
    outcome: list[Outcome] = []
    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            outcome.append(await sandbox.call(job(MAKE_AND_LOOP)))

        tasks.start_soon(run)
        await until((tmp_path / "work" / "made").is_dir)
        (zygote,) = children(os.getpid())
        os.kill(zygote, signal.SIGKILL)
    assert isinstance(outcome[0].end, Broken)
    assert (await sandbox.call(job(ECHO))).end == Finished(b"request")


async def test_a_waiting_worker_that_died_is_replaced_and_nobody_notices(
    sandbox: Sandbox, job: MakeJob
) -> None:
    assert (await sandbox.call(job(ECHO))).end == Finished(b"request")
    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    await until(lambda: workers() == [])
    assert (await sandbox.call(job(ECHO))).end == Finished(b"request")


EXPIRING = {
    "an hour hence": (3_600 * 10**9, ECHO, Finished(b"request")),
    "during the call": (300_000_000, guest(LOOP), stopped("time")),
    "now": (0, MAKE_AND_LOOP, stopped("time")),
    "in the past": (-1, MAKE_AND_LOOP, stopped("time")),
}


@pytest.mark.parametrize("name", EXPIRING)
async def test_a_call_lasts_no_longer_than_its_grants(
    name: str, sandbox: Sandbox, job: MakeJob, tmp_path: Path
) -> None:
    left_ns, wat, end = EXPIRING[name]
    now_ns = 5 * 10**9  # of the gate's clock, not ours
    outcome = await sandbox.call(job(wat, started_ns=now_ns, expires_ns=now_ns + left_ns))
    assert (outcome.end, (tmp_path / "work" / "made").exists()) == (end, False)


async def test_no_time_at_all_is_no_call_at_all(
    sandbox: Sandbox, job: MakeJob, tmp_path: Path
) -> None:
    outcome = await sandbox.call(job(MAKE_AND_LOOP, limits=Limits(wall_seconds=0)))
    assert (outcome.end, outcome.touched) == (stopped("time"), ())
    assert not (tmp_path / "work" / "made").exists()


@pytest.mark.parametrize("ticks", [0, 1, 2, 5, 10, 50, 200])
async def test_a_revocation_at_any_moment_after_the_decision_ends_the_call(
    ticks: int, sandbox: Sandbox, job: MakeJob
) -> None:
    await sandbox.call(job(ECHO))
    outcome: list[Outcome] = []
    async with anyio.create_task_group() as tasks:

        async def run(which: Job) -> None:
            outcome.append(await sandbox.call(which))

        tasks.start_soon(run, job(guest(LOOP)))
        for _ in range(ticks + 1):
            await anyio.lowlevel.checkpoint()
        sandbox.stop_run("run-2")
        sandbox.stop_run("run-1")
    assert outcome[0].end == stopped("revoked")
    await until(lambda: workers() == [])
    assert (await sandbox.call(job(ECHO))).end == Finished(b"request")


async def test_a_revocation_while_the_call_waits_for_its_turn_ends_it_too(
    sandbox: Sandbox, job: MakeJob
) -> None:
    ends: list[object] = []

    async def run(which: Job) -> None:
        ends.append((await sandbox.call(which)).end)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(run, job(guest(LOOP)))
        await until(lambda: len(workers()) == 16)
        sandbox.stop_run("run-1")
    assert ends == [stopped("revoked")] * 20


async def test_a_cancelled_call_is_dead_before_the_cancellation_goes_on(
    sandbox: Sandbox, job: MakeJob, tmp_path: Path
) -> None:
    reports: list[Outcome] = []
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:

            async def run() -> None:
                try:
                    await sandbox.call(job(MAKE_AND_LOOP), reports.append)
                finally:
                    with anyio.CancelScope(shield=True):
                        await until(lambda: workers() == [])

            tasks.start_soon(run)
            await until((tmp_path / "work" / "made").is_dir)
            scope.cancel()
    assert [(r.end, len(r.touched)) for r in reports] == [(stopped("interrupted"), 1)]
    assert reports[0].spent.wall_ms > 0
    assert (await sandbox.call(job(ECHO))).end == Finished(b"request")


@pytest.mark.parametrize("ticks", [0, 1, 2, 5, 20])
async def test_a_call_cancelled_at_any_moment_reports_once_and_leaves_nothing(
    ticks: int, sandbox: Sandbox, job: MakeJob
) -> None:
    await sandbox.call(job(ECHO))
    before = descriptors()
    reports: list[Outcome] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sandbox.call, job(guest(LOOP)), reports.append)
        for _ in range(ticks + 1):
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert [r.end for r in reports] == [stopped("interrupted")]
    # asyncio closes the pipes of a compiler that it never quite started a few turns later.
    await until(lambda: descriptors() == before)


async def test_a_sandbox_that_is_left_ends_the_calls_under_way(
    compiled: HostPath, job: MakeJob, tmp_path: Path
) -> None:
    outcome: list[Outcome] = []
    before = descriptors()
    async with anyio.create_task_group() as tasks:
        async with Sandbox(CompileCache(compiled, lambda line: None), probe()) as sandbox:

            async def run() -> None:
                outcome.append(await sandbox.call(job(MAKE_AND_LOOP)))

            tasks.start_soon(run)
            await until((tmp_path / "work" / "made").is_dir)
        assert list(children(os.getpid())) == []
    assert [(o.end, len(o.touched)) for o in outcome] == [(stopped("interrupted"), 1)]
    assert descriptors() == before


BAD_MOUNTS = {
    "a directory that is gone": "gone",
    "a file": "file",
    "a link": "link",
    "below a link": "link/inside",
}


@pytest.mark.parametrize("name", BAD_MOUNTS)
async def test_a_mount_that_is_not_where_it_was_granted_breaks_the_call(
    name: str, sandbox: Sandbox, job: MakeJob, tmp_path: Path
) -> None:
    (tmp_path / "real" / "inside").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").touch()
    before = descriptors()
    host = HostPath(str(tmp_path / BAD_MOUNTS[name]))
    mounts = (Mount(GuestPath("/mnt/it"), host, (Rule(write=False),)),)
    outcome = await sandbox.call(job(ECHO, mounts=mounts))
    assert isinstance(outcome.end, Broken)
    straight = replace(mounts[0], host=HostPath(str(tmp_path / "real" / "inside")))
    assert (await sandbox.call(job(ECHO, mounts=(straight,)))).end == Finished(b"request")
    sandbox.stop_run("run-1")
    assert len(descriptors() - before) <= 1  # the zygote's socket


async def test_more_mounts_than_descriptors_can_travel_are_refused(
    sandbox: Sandbox, job: MakeJob, tmp_path: Path
) -> None:
    def mounts(count: int) -> tuple[Mount, ...]:
        work = HostPath(str(tmp_path / "work"))
        rules = (Rule(write=False),)
        return tuple(Mount(GuestPath(f"/mnt/{i}"), work, rules) for i in range(count))

    assert (await sandbox.call(job(ECHO, mounts=mounts(200)))).end == Finished(b"request")
    assert isinstance((await sandbox.call(job(ECHO, mounts=mounts(300)))).end, Broken)


async def test_many_calls_leave_no_descriptor_and_no_zombie(sandbox: Sandbox, job: MakeJob) -> None:
    await sandbox.call(job(ECHO))
    before = descriptors()
    for wat in (ECHO, guest("unreachable"), guest("")) * 10:
        await sandbox.call(job(wat))
    for _ in range(5):
        await sandbox.call(job(guest(LOOP), limits=Limits(wall_seconds=0.05)))
    sandbox.stop_run("run-1")
    assert len(descriptors()) <= len(before)


async def test_a_worker_holds_its_own_socket_and_grants_and_no_environment(
    sandbox: Sandbox, job: MakeJob, tmp_path: Path
) -> None:
    await sandbox.call(job(ECHO))
    (worker,) = workers()
    held = {fd.name: os.readlink(fd) for fd in Path(f"/proc/{worker}/fd").iterdir()}
    kinds = sorted(target.partition(":")[0] for target in held.values())
    directories = [kind for kind in kinds if kind.startswith(str(tmp_path))]
    others = [k for k in kinds if not k.startswith(str(tmp_path)) and not k.endswith(".cwasm")]
    assert directories == [str(tmp_path / "scratch"), str(tmp_path / "work")]
    effects = "/memfd"
    assert others == ["/dev/null"] * 3 + [effects, "anon_inode", "socket"]
    (zygote,) = children(os.getpid())
    for pid in (worker, zygote):
        assert Path(f"/proc/{pid}/environ").read_bytes() == b""
        assert os.getsid(pid) != os.getsid(0)
    limits = Path(f"/proc/{worker}/limits").read_text()
    assert limits.split("Max core file size")[1].split()[:2] == ["0", "0"]


async def test_stdin_and_replayed_clock_arrive_whole_however_large(
    sandbox: Sandbox, job: MakeJob
) -> None:
    large = job(ECHO, request=b"x" * 3_000_000)
    assert (await sandbox.call(large)).end == Finished(b"x" * 4096)


async def until(there: Callable[[], bool]) -> None:
    """Wait until something is so; fail when it is not after a long time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not there():
        assert time.monotonic() < deadline
        await anyio.sleep(0.01)


def children(parent: int) -> Iterator[int]:
    """Yield the living children of a process."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, ppid = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
            # Of two threads the first may be gone, and the other still hold the sockets.
            dead = state in "ZX" and len(os.listdir(stat.with_name("task"))) < 2
        except OSError:
            continue
        if int(ppid) == parent and not dead:
            yield int(stat.parent.name)


def workers() -> list[int]:
    """Return the workers of all zygotes of this process."""
    return [worker for zygote in children(os.getpid()) for worker in children(zygote)]


def descriptors() -> frozenset[str]:
    """Return the open descriptors of this process."""
    found = set()
    for fd in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{fd.name} {os.readlink(fd)}")
        except OSError:
            continue
    return frozenset(found)
