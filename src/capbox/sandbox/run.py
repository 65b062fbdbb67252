"""One tool call from rights to outcome: find or lock a worker, send the request, gather the report.

Guarantees: every call ends, at the latest some seconds after its deadline; whatever ended it, its
worker is dead or idle before the outcome is returned, and the effects recorded until then are in
it; a revocation counts from the first line of `call` on. Does not decide: mounts and limits in the
job are what the gate granted.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

import anyio
import anyio.abc
import anyio.lowlevel

from capbox.authority.limits import Limits
from capbox.messages import JsonObject, Spent
from capbox.sandbox.cache import CacheError, CompileCache, CompileError
from capbox.sandbox.effects import EffectLog, read_effects
from capbox.sandbox.engine import EngineKey
from capbox.sandbox.handles import SandboxError, WorkerHandle, ZygoteHandle
from capbox.sandbox.leftovers import tidy
from capbox.sandbox.pool import Breed, Pool
from capbox.sandbox.process.frames import BODY_BYTES_MAX, Report, Request, Walls, parse_report
from capbox.sandbox.process.wire import Hangup
from capbox.sandbox.scratch import bytes_left
from capbox.sandbox.spec import (
    INVOKED_BYTES_MAX,
    Answer,
    Broken,
    Failed,
    Finished,
    Job,
    Module,
    Outcome,
    Serve,
    Stopped,
    Touched,
    UnderWay,
    stopped,
)
from capbox.sandbox.wasi.call import CallBounds

WORKERS_MAX = 16
OPERATIONS_MAX = 1_000_000  # that the parent answers; 100 MB of a body take some thousands
_SERVED = frozenset({"http", "invoke", "save"})  # what a frame asks for that is no report
_GRACE_SECONDS = 1.0  # beyond the worker's own deadline: hung file systems, engine bugs
_LATE = Stopped("time", "stopped: the call did not end at its time limit and was killed")


async def no_service(header: JsonObject, body: bytes, under_way: UnderWay) -> Answer:
    """Answer a guest whose parent does nothing for it."""
    return {"http": [0, 0]}, b""


@dataclass(slots=True, eq=False)
class _Flight:
    """A call under way; cancelling `scope` ends it."""

    job: Job
    breed: Breed
    serve: Serve
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    worker: WorkerHandle | None = None
    called_ns: int = field(default_factory=time.monotonic_ns)
    started_ns: int = field(default_factory=time.monotonic_ns)
    waited_ns: int = 0  # by a person, since the worker was last told
    paused_ns: int = 0  # by a person, all in all
    ended_by: Stopped | None = None  # who cut it, and time if nobody did
    done: anyio.Event = field(default_factory=anyio.Event)

    def unexpired_seconds(self) -> float:
        """Return how long the grants of this call still last; waiting for a worker uses it up."""
        if self.job.expires_ns is None:
            return math.inf
        waited_ns = time.monotonic_ns() - self.called_ns
        return max((self.job.expires_ns - self.job.started_ns - waited_ns) / 1e9, 0.0)

    def touched(self) -> tuple[Touched, ...]:
        """Return what the call has done to files until now, as far as its worker says."""
        worker = self.worker
        return () if worker is None else read_effects(worker.effects_fd).touched

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock of the call while a person is asked; a grant's end still counts after."""
        left, began_ns = self.scope.deadline - anyio.current_time(), time.monotonic_ns()
        self.scope.deadline = math.inf
        try:
            yield
        finally:
            waited_ns = time.monotonic_ns() - began_ns
            self.waited_ns, self.paused_ns = self.waited_ns + waited_ns, self.paused_ns + waited_ns
            self.scope.deadline = anyio.current_time() + min(left, self.unexpired_seconds())

    def cut(self, end: Stopped) -> None:
        """Kill what runs, now, and let the call end with `end`."""
        self.ended_by = end
        if self.worker is not None:
            self.worker.kill()
        self.scope.cancel()

    def stop(self) -> Stopped:
        """Return what the end of `scope` means."""
        return self.ended_by or (stopped("time") if self.worker is None else _LATE)

    def cut_short(self, end: Failed | Stopped | Broken) -> Report:
        """Return the report that the parent makes when the worker can make none."""
        return Report(end, cut=True)

    def spent(self, report: Report) -> Spent:
        """Return what `report` says was spent, and how long it took: for that we have a clock.

        Attack: a worker that was taken over says that it took no time, and nothing bounds its run.
        """
        wall_ns = time.monotonic_ns() - self.started_ns - self.paused_ns
        return replace(report.spent, wall_ms=wall_ns // 1_000_000)


class Sandbox:
    """All zygotes and workers of one parent. Use it as an async context manager."""

    def __init__(
        self,
        cache: CompileCache,
        walls: Walls,
        *,
        workers_max: int = WORKERS_MAX,
        operations_max: int = OPERATIONS_MAX,
        spares: bool = True,
        zygotes: Iterable[ZygoteHandle] = (),
    ) -> None:
        """Prepare; at most `workers_max` calls run at once, the others wait.

        A call may ask `serve` for `operations_max` answers.
        `zygotes` were started by the caller, and end with this sandbox.
        """
        self._pool = Pool(cache, walls, zygotes)
        self._slots = anyio.Semaphore(workers_max, fast_acquire=True)
        self._operations_max = operations_max
        self._spares = spares
        self._flights: set[_Flight] = set()
        self._stack = AsyncExitStack()
        self._tasks: anyio.abc.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        """Start the task group that owns background work."""
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every worker and zygote, whoever still waits for one."""
        tasks, self._tasks = self._tasks, None
        for flight in self._flights:
            flight.cut(stopped("interrupted"))
        # Before anything waits: a hung zygote must not hold up the exit.
        self._pool.kill()
        with anyio.CancelScope(shield=True):
            for flight in tuple(self._flights):
                await flight.done.wait()
        if tasks is not None:
            tasks.cancel_scope.cancel()
        try:
            await self._stack.__aexit__(kind, error, trace)
        finally:
            self._pool.release()

    async def call(
        self,
        job: Job,
        cut: Callable[[Outcome], None] | None = None,
        serve: Serve = no_service,
    ) -> Outcome:
        """Run one call to its end and return its outcome; no failure of the tool or ours raises.

        `serve` answers what the guest asks of the parent; it ends with the call. When the
        surrounding task is cancelled, the worker is killed, `cut` receives what had happened until
        then, and the cancellation goes on.
        """
        flight = _Flight(job, Breed.of(job), serve)
        self._flights.add(flight)
        report: Report | None = None
        try:
            report = await self._report(flight)
        finally:
            cut_short = flight.cut_short(stopped("interrupted"))
            try:
                outcome = await self._landed(flight, cut_short if report is None else report)
            finally:
                self._flights.discard(flight)
                flight.done.set()
            if report is None and cut is not None:
                cut(outcome)
            self._refill(flight.breed)
        return outcome

    async def warm(self, module: Module, key: EngineKey) -> None:
        """Compile `module`, start the zygote and park a spare, so that the first call is quick.

        Raises SandboxError, CacheError, CompileError or OSError.
        """
        await self._pool.brew(Breed(module, key.clamped(), Limits().memory_bytes))

    def stop_run(self, run: str) -> None:
        """Revoke: kill every worker of `run` now; its calls in flight end as stopped: revoked."""
        for flight in self._flights:
            if flight.job.run == run:
                flight.cut(stopped("revoked"))
        self._pool.end(run)

    async def _report(self, flight: _Flight) -> Report:
        try:
            flight.scope.deadline = anyio.current_time() + flight.unexpired_seconds()
            with flight.scope:
                async with self._slots:
                    return await self._served(flight)
            end: Failed | Stopped | Broken = flight.stop()
        except Hangup as error:
            cut = flight.scope.cancel_called
            end = flight.stop() if cut else await self._how_it_died(flight, str(error))
        except CompileError as error:
            end = Failed(str(error))
        except (SandboxError, CacheError, OSError) as error:
            end = Broken(str(error))
        return flight.cut_short(end)

    async def _served(self, flight: _Flight) -> Report:
        job = flight.job
        worker = flight.worker = self._pool.waiting(job)
        if worker is None:
            worker = flight.worker = await self._pool.unlocked(flight.breed)
        seconds = min(job.limits.wall_seconds, flight.unexpired_seconds())
        if seconds <= 0:
            return flight.cut_short(stopped("time"))
        flight.started_ns = time.monotonic_ns()
        flight.scope.deadline = anyio.current_time() + seconds + _GRACE_SECONDS
        if worker.effects_fd < 0:
            await self._pool.assign(worker, job)
        header, body = _request(job, flight.started_ns + int(seconds * 1e9)).frame()
        await worker.channel.send(header, body)
        return await self._heard(flight, worker)

    async def _heard(self, flight: _Flight, worker: WorkerHandle) -> Report:
        """Answer what the guest asks for until its report comes."""
        limits = flight.job.limits
        report_max = limits.output_bytes + BODY_BYTES_MAX
        bytes_max = max(report_max, limits.body_bytes, INVOKED_BYTES_MAX)
        under_way = UnderWay(flight.touched, flight.paused)
        for served in range(self._operations_max + 1):
            header, body, _ = await worker.channel.receive(bytes_max)
            if _SERVED.isdisjoint(header):
                return parse_report(header, body)
            if served == self._operations_max:
                break
            answer, content = await flight.serve(header, body, under_way)
            waited, flight.waited_ns = flight.waited_ns, 0
            await worker.channel.send({**answer, "waited_ns": waited}, content)
            # Attack: a worker that was taken over has its next frame ready at every moment. Nothing
            # would be waited for: no deadline would pass, and no other call go on.
            await anyio.lowlevel.checkpoint()
        return flight.cut_short(stopped("operations"))

    async def _how_it_died(self, flight: _Flight, error: str) -> Broken:
        if flight.worker is None or not await flight.worker.end():
            return Broken(f"the worker of this call hangs: {error}")
        how = await self._pool.how_it_ended(flight.worker, flight.breed)
        others = "other calls are not affected"
        return Broken(f"the worker of this call is gone ({error}; {how}); {others}")

    async def _landed(self, flight: _Flight, report: Report) -> Outcome:
        """Keep or end the worker of a call that is over, and read what it did."""
        worker, dead, spent = flight.worker, True, flight.spent(report)
        keep = worker is not None and not report.cut and not flight.scope.cancel_called
        if worker is not None and not keep:
            # Dead first: until then it could do what no one would read any more.
            dead = await worker.end()
        effects = EffectLog((), whole=True)
        if worker is not None and worker.effects_fd >= 0:
            effects = read_effects(worker.effects_fd)
        touched = effects.touched
        if worker is not None and keep:
            self._pool.put(worker)
        elif worker is not None:
            worker.release()
        if (keep or dead) and not isinstance(report.end, Finished):
            touched += tidy(flight.job, effects)
        return Outcome(
            report.end,
            touched,
            report.refused,
            spent,
            report.clock,
            effects_whole=effects.whole and dead,
        )

    def _refill(self, breed: Breed) -> None:
        if self._spares and self._tasks is not None and self._pool.wants(breed):
            self._tasks.start_soon(self._brew, breed)

    async def _brew(self, breed: Breed) -> None:
        try:
            await self._pool.brew(breed)
        except (SandboxError, CacheError, CompileError, OSError):
            return  # a spare only saves time; the next call meets the same error and reports it


def _request(job: Job, deadline_ns: int) -> Request:
    bounds = CallBounds(
        deadline_ns=deadline_ns,
        output_bytes=job.limits.output_bytes,
        written_bytes=job.limits.written_bytes,
        files_created=job.limits.files_created,
        open_files=job.limits.open_files,
        tmp_bytes=bytes_left(job.scratch, job.limits.tmp_bytes),
        seed=job.seed,
        started_ns=job.started_ns,
        replay=job.replay,
    )
    return Request(bounds, job.limits.fuel, job.request, job.argv)
