"""Which worker serves which call."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from capbox.authority.limits import Limits
from capbox.authority.paths import HostPath
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.channel import Channel
from capbox.sandbox.handles import SandboxError, WorkerHandle
from capbox.sandbox.lockdown.walls import probe
from capbox.sandbox.pool import Breed, Pool, Waiting
from capbox.sandbox.spec import Job, Rule

MakeJob = Callable[..., Job]
WAT = '(module (memory (export "memory") 1) (func (export "_start")))'


@pytest.fixture
async def pool(compiled: HostPath) -> AsyncIterator[Pool]:
    opened = Pool(CompileCache(compiled, lambda line: None), probe())
    yield opened
    opened.release()


async def assigned(pool: Pool, job: Job) -> WorkerHandle:
    worker = await pool.unlocked(Breed.of(job))
    await pool.assign(worker, job)
    return worker


OTHERS: dict[str, Callable[[Job], Job]] = {
    "another run": lambda job: replace(job, run="run-2"),
    "other mounts": lambda job: replace(job, mounts=()),
    "less in a mount": lambda job: replace(
        job, mounts=(replace(job.mounts[0], rules=(Rule(write=False),)),)
    ),
    "another scratch": lambda job: replace(job, scratch=HostPath("/elsewhere")),
    "less memory": lambda job: replace(job, limits=Limits(memory_bytes=1 << 20)),
    "metered": lambda job: replace(job, limits=Limits(fuel=1)),
    "fewer open files": lambda job: replace(job, limits=Limits(open_files=3)),
    "another module": lambda job: replace(job, module=replace(job.module, digest="0")),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_a_waiting_worker_serves_its_very_rights_only(
    name: str, pool: Pool, job: MakeJob
) -> None:
    first = job(WAT, limits=Limits())
    worker = await assigned(pool, first)
    pool.put(worker)
    assert pool.waiting(OTHERS[name](first)) is None
    assert pool.waiting(replace(first, request=b"other", seed=bytes(32))) is worker
    assert pool.waiting(first) is None
    worker.release()


async def test_spares_are_of_capboxs_own_guests_and_one_of_a_kind(pool: Pool, job: MakeJob) -> None:
    ours, strangers = Breed.of(job(WAT, shipped=True)), Breed.of(job(WAT))
    assert (pool.wants(ours), pool.wants(strangers)) == (True, False)
    await pool.brew(ours)
    assert not pool.wants(ours)
    spare = await pool.unlocked(ours)
    assert (pool.wants(ours), spare.effects_fd, spare.rights) == (True, -1, None)
    spare.release()


async def test_a_mount_that_cannot_be_opened_leaves_no_descriptor(
    pool: Pool, job: MakeJob, tmp_path: Path
) -> None:
    good = job(WAT)
    worker = await pool.unlocked(Breed.of(good))
    before = len(os.listdir("/proc/self/fd"))
    gone = replace(good.mounts[0], host=HostPath(str(tmp_path / "gone")))
    with pytest.raises(OSError):
        await pool.assign(worker, replace(good, mounts=(*good.mounts, gone)))
    with pytest.raises(SandboxError, match="at most"):
        await pool.assign(worker, replace(good, mounts=good.mounts * 300))
    worker.release()
    assert len(os.listdir("/proc/self/fd")) < before


async def test_a_zygote_that_died_is_replaced(pool: Pool, job: MakeJob) -> None:
    breed = Breed.of(job(WAT))
    first = await pool.unlocked(breed)
    pool.kill()
    second = await pool.unlocked(breed)
    assert second.channel.quiet()
    for worker in (first, second):
        worker.release()


def sleeper() -> tuple[WorkerHandle, socket.socket]:
    """A process that is no worker, with our end of a socket and the other."""
    ours, theirs = socket.socketpair()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    CHILDREN.append(child)
    return WorkerHandle(child.pid, os.pidfd_open(child.pid), Channel(ours)), theirs


CHILDREN: list[subprocess.Popen[bytes]] = []


def ended(worker: WorkerHandle) -> bool:
    (child,) = [c for c in CHILDREN if c.pid == worker.pid]
    return child.wait(timeout=20) == -9


async def test_the_one_that_waits_longest_goes_when_there_are_too_many() -> None:
    waiting = Waiting(2)
    pairs = [sleeper() for _ in range(3)]
    first, second, third = (worker for worker, _ in pairs)
    waiting.put("a", first)
    waiting.put("b", second)
    assert waiting.take("a") is first
    waiting.put("a", first)
    waiting.put("a", third)
    assert ended(second)
    assert [waiting.take("b"), waiting.take("a"), waiting.take("a")] == [None, third, first]
    for worker, theirs in pairs:
        worker.release()
        worker.release()
        theirs.close()


async def test_one_that_hung_up_or_spoke_unasked_is_ended_and_not_lent() -> None:
    waiting = Waiting(3)
    (good, one), (gone, two), (chatty, three) = sleeper(), sleeper(), sleeper()
    for worker in (good, gone, chatty):
        waiting.put("a", worker)
    two.close()
    three.send(b"a report that nobody asked for")
    assert waiting.take("a") is good
    assert ended(gone) and ended(chatty)
    good.release()
    one.close()
    three.close()


async def test_the_end_of_a_run_ends_its_workers_and_no_others() -> None:
    waiting = Waiting(3)
    (ours, one), (theirs, two) = sleeper(), sleeper()
    ours.run, theirs.run = "run-1", "run-2"
    waiting.put("a", ours)
    waiting.put("a", theirs)
    waiting.end("run-1")
    assert ended(ours)
    assert waiting.take("a") is theirs
    theirs.release()
    one.close()
    two.close()
