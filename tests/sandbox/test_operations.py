"""What a worker asks of the parent; one that was taken over asks before the parent can wait."""

from __future__ import annotations

import socket
import time
from collections.abc import Awaitable, Callable

import anyio
import pytest

from capbox.authority.limits import Limits
from capbox.authority.paths import HostPath
from capbox.messages import JsonObject, Spent
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.channel import Channel
from capbox.sandbox.handles import WorkerHandle, ZygoteHandle
from capbox.sandbox.lockdown.walls import probe
from capbox.sandbox.pool import Breed
from capbox.sandbox.process import wire
from capbox.sandbox.process.frames import Birth, Report
from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import Answer, Finished, Job, Outcome, Stopped, UnderWay, stopped

MakeJob = Callable[..., Job]
Called = Callable[..., Awaitable[tuple[Outcome, int]]]
NOTHING = '(module (memory (export "memory") 1) (func (export "_start")))'
LATE = Stopped("time", "stopped: the call did not end at its time limit and was killed")
HOPELESS_SECONDS = 15.0


class Voiced(WorkerHandle):
    """A worker whose other end is a test's, and closes when its process is killed."""

    theirs: socket.socket

    def kill(self) -> None:
        """End the process, and its socket with it."""
        super().kill()
        self.theirs.close()


class TakenOver(ZygoteHandle):
    """A zygote whose workers are what they always are, but a test speaks in their place."""

    theirs: socket.socket

    async def fork(self, birth: Birth) -> WorkerHandle:
        """Return a worker that has its first operation ready."""
        worker = await super().fork(birth)
        worker.channel.close()
        ours, self.theirs = socket.socketpair()
        self.theirs.setblocking(False)
        self.theirs.send(wire.pack({"http": []}))
        voiced = Voiced(worker.pid, worker.pidfd, Channel(ours))
        voiced.theirs = self.theirs
        return voiced

    def speak(self, header: JsonObject, body: bytes = b"") -> None:
        """Take whatever was said and have the next frame ready."""
        try:
            while self.theirs.recv(1 << 20):
                pass
        except BlockingIOError:
            self.theirs.send(wire.pack(header, body))


async def passed(seconds: float) -> None:
    """Return when so much time has passed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await anyio.lowlevel.checkpoint()


@pytest.fixture
def called(compiled: HostPath, job: MakeJob) -> Called:
    """Return what makes one call whose worker asks `asked` times, and then reports."""

    async def call(
        asked: int, operations_max: int, wall_seconds: float = 20.0, seconds: float = 0.0
    ) -> tuple[Outcome, int]:
        work = job(NOTHING, limits=Limits(wall_seconds=wall_seconds))
        zygote = TakenOver(Breed.of(work).engine)
        hopeless = time.monotonic() + HOPELESS_SECONDS
        answered = 0

        async def serve(header: JsonObject, body: bytes, under_way: UnderWay) -> Answer:
            nonlocal answered
            answered += 1
            if seconds:
                await passed(seconds)
                with under_way.paused():
                    await passed(seconds)
            if answered < asked and time.monotonic() < hopeless:
                zygote.speak({"http": []})
            else:
                zygote.speak(*Report(Finished(b"done"), spent=Spent(wall_ms=0)).frame())
            return {"http": [0, 0]}, b""

        cache = CompileCache(compiled, lambda line: None)
        async with Sandbox(
            cache, probe(), operations_max=operations_max, zygotes=[zygote]
        ) as sandbox:
            outcome = await sandbox.call(work, serve=serve)
        return outcome, answered

    return call


async def test_a_worker_that_never_lets_the_parent_wait_is_stopped_in_time(called: Called) -> None:
    outcome, _ = await called(asked=1 << 30, operations_max=1 << 30, wall_seconds=0.2)
    assert outcome.end == LATE


@pytest.mark.parametrize(
    ("asked", "end", "answered"),
    [(100, Finished(b"done"), 100), (101, stopped("operations"), 100)],
)
async def test_a_call_may_ask_so_often_and_not_once_more(
    asked: int, end: object, answered: int, called: Called
) -> None:
    outcome, found = await called(asked=asked, operations_max=100)
    assert (outcome.end, found) == (end, answered)


async def test_the_time_of_a_call_is_the_parents_to_say_without_that_of_people(
    called: Called,
) -> None:
    """Attack: a worker says that it took nothing, and its time can be spent again."""
    began = time.monotonic()
    outcome, _ = await called(asked=1, operations_max=9, seconds=0.5)
    assert 500 <= outcome.spent.wall_ms <= (time.monotonic() - began) * 1_000 - 500
