"""A zygote asked by many, and a worker killed more than once."""

# ruff: noqa: ASYNC110, ASYNC240 - small local files, and polling for what has no event

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from capbox.authority.paths import HostPath
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.engine import EngineKey
from capbox.sandbox.handles import SandboxError, WorkerHandle, ZygoteHandle
from capbox.sandbox.process.frames import Birth
from capbox.sandbox.spec import Job

KEY = EngineKey(False, 1 << 20)


@pytest.fixture
async def birth(compiled: HostPath, job: Callable[..., Job]) -> Birth:
    module = job('(module (memory (export "memory") 1) (func (export "_start")))').module
    path = await CompileCache(compiled, lambda line: None).compiled(module, KEY)
    return Birth(module.digest, path, True, False, 64 << 20, True)


@pytest.fixture
async def zygote() -> AsyncIterator[ZygoteHandle]:
    handle = ZygoteHandle(KEY)
    yield handle
    handle.release()


async def test_workers_that_are_asked_for_at_once_are_all_different(
    zygote: ZygoteHandle, birth: Birth
) -> None:
    found: list[WorkerHandle] = []

    async def fork() -> None:
        found.append(await zygote.fork(birth))

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(fork)
    assert len({worker.pid for worker in found}) == 5
    for worker in found:
        worker.release()


@pytest.mark.parametrize("ticks", [0, 1, 2, 3, 5, 8])
async def test_an_answer_goes_to_the_one_who_asked_whoever_is_cancelled(
    ticks: int, zygote: ZygoteHandle, birth: Birth
) -> None:
    (await zygote.fork(birth)).release()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fork_and_release, zygote, birth)
        tasks.start_soon(zygote.how_it_ended, 1)
        for _ in range(ticks):
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    worker = await zygote.fork(birth)
    assert os.readlink(f"/proc/{worker.pid}/exe") == os.readlink("/proc/self/exe")
    assert await worker.end()
    assert await zygote.how_it_ended(worker.pid) == "killed by SIGKILL"
    worker.release()


async def fork_and_release(zygote: ZygoteHandle, birth: Birth) -> None:
    (await zygote.fork(birth)).release()


async def test_a_worker_can_be_killed_ended_and_released_again_and_again(
    zygote: ZygoteHandle, birth: Birth
) -> None:
    before = len(os.listdir("/proc/self/fd"))
    worker = await zygote.fork(birth)
    for _ in range(2):
        worker.kill()
        assert await worker.end()
    for _ in range(2):
        worker.release()
        worker.kill()
    assert len(os.listdir("/proc/self/fd")) == before


async def test_how_a_worker_ended_is_told_once_and_in_words(
    zygote: ZygoteHandle, birth: Birth
) -> None:
    worker = await zygote.fork(birth)
    os.kill(worker.pid, signal.SIGSEGV)
    await worker.channel.drained()
    assert await zygote.how_it_ended(worker.pid) == "a fault: SIGSEGV"
    assert await zygote.how_it_ended(worker.pid) == "nobody knows how"
    worker.release()


async def test_what_cannot_be_forked_is_an_error_and_leaves_no_descriptor(
    zygote: ZygoteHandle, birth: Birth
) -> None:
    (await zygote.fork(birth)).release()
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(SandboxError, match="no worker could be started"):
        await zygote.fork(replace(birth, digest="other", compiled=HostPath("/etc/passwd")))
    assert (zygote.alive, len(os.listdir("/proc/self/fd"))) == (True, before)


async def test_a_zygote_that_is_gone_is_an_error_and_takes_its_workers_along(
    zygote: ZygoteHandle, birth: Birth
) -> None:
    worker = await zygote.fork(birth)
    zygote.kill()
    await worker.channel.drained()
    with pytest.raises(SandboxError, match="the zygote is gone"):
        await zygote.fork(birth)
    assert "the zygote is gone" in await zygote.how_it_ended(worker.pid)
    with anyio.fail_after(20):
        while zygote.alive or Path(f"/proc/{worker.pid}/exe").is_symlink():
            await anyio.sleep(0.01)
    worker.release()
