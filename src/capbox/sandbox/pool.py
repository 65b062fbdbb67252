"""Which worker serves which call: idle ones with the same rights, spares, or newly forked ones.

Guarantees: a worker serves one call at a time and only calls of the very rights it was locked for;
one that died or spoke without being asked is not lent; a waiting worker that is not needed goes.
Does not run calls: see `run`.
"""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path

from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.engine import EngineKey
from capbox.sandbox.handles import SandboxError, WorkerHandle, ZygoteHandle
from capbox.sandbox.process.frames import Assignment, Birth, Walls
from capbox.sandbox.process.wire import DESCRIPTORS_MAX
from capbox.sandbox.spec import Job, Module, Mount, Rule

IDLE_MAX = 8
SPARES_MAX = 4


@dataclass(frozen=True, slots=True)
class Breed:
    """What a worker is from its birth on, before it has any rights."""

    module: Module
    engine: EngineKey
    memory_bytes: int

    @classmethod
    def of(cls, job: Job) -> Breed:
        """Return what a worker for `job` must be."""
        engine = EngineKey(job.limits.fuel is not None, job.limits.stack_bytes).clamped()
        return cls(job.module, engine, job.limits.memory_bytes)


class Pool:
    """All zygotes and waiting workers of one parent."""

    def __init__(
        self, cache: CompileCache, walls: Walls, zygotes: Iterable[ZygoteHandle] = ()
    ) -> None:
        self._cache = cache
        self._walls = walls
        self._zygotes = {zygote.key: zygote for zygote in zygotes}
        self._dead: list[ZygoteHandle] = []
        self._idle = Waiting(IDLE_MAX)
        self._spares = Waiting(SPARES_MAX)
        self._brewing: set[Breed] = set()

    def waiting(self, job: Job) -> WorkerHandle | None:
        """Return a worker that is already locked for exactly this job's rights, if there is one."""
        return self._idle.take(_rights(job))

    async def unlocked(self, breed: Breed) -> WorkerHandle:
        """Return a worker without rights. Raises what `cache` and `handles` do, and OSError."""
        return self._spares.take(breed) or await self._forked(breed)

    async def assign(self, worker: WorkerHandle, job: Job) -> None:
        """Give the rights of `job` to an unlocked worker. Raises SandboxError, Hangup, OSError."""
        mounts = (*job.mounts, Mount(GuestPath("/tmp"), job.scratch, (Rule(write=True),)))  # noqa: S108
        if len(mounts) + 1 > DESCRIPTORS_MAX:
            raise SandboxError(f"{len(mounts)} mounts: at most {DESCRIPTORS_MAX - 1} fit one call")
        worker.effects_fd = _effect_file(job.scratch, memfd=self._walls.memfd)
        worker.rights, worker.run = _rights(job), job.run
        fds: list[int] = []
        try:
            fds.extend(open_root(mount) for mount in mounts)
            assignment = Assignment(mounts, self._walls, job.limits.open_files, job.keeps)
            await worker.channel.send(assignment.header(), fds=[worker.effects_fd, *fds])
        finally:
            for fd in fds:
                os.close(fd)

    def put(self, worker: WorkerHandle) -> None:
        """Keep a worker that ended its call by itself for another one of the same rights."""
        self._idle.put(worker.rights, worker)

    def wants(self, breed: Breed) -> bool:
        """Say whether a spare is missing: only guests of capbox's own may start before the lock."""
        return breed.module.shipped and breed not in self._spares and breed not in self._brewing

    async def brew(self, breed: Breed) -> None:
        """Fork a spare. Raises as `unlocked` does."""
        self._brewing.add(breed)
        try:
            self._spares.put(breed, await self._forked(breed))
        finally:
            self._brewing.discard(breed)

    async def how_it_ended(self, worker: WorkerHandle, breed: Breed) -> str:
        """Return words for how a dead worker ended."""
        zygote = self._zygotes.get(breed.engine)
        return "its zygote is gone" if zygote is None else await zygote.how_it_ended(worker.pid)

    def end(self, run: str) -> None:
        """End the waiting workers of `run`."""
        self._idle.end(run)

    def kill(self) -> None:
        """Kill every process; whoever waits for one sees a hangup."""
        for zygote in self._zygotes.values():
            zygote.kill()

    def release(self) -> None:
        """Close everything; nobody may be waiting for a zygote."""
        for waiting in (self._idle, self._spares):
            waiting.end()
        for zygote in (*self._zygotes.values(), *self._dead):
            zygote.release()

    async def _forked(self, breed: Breed) -> WorkerHandle:
        compiled = await self._cache.compiled(breed.module, breed.engine)
        zygote = self._zygotes.get(breed.engine)
        if zygote is None or not zygote.alive:
            if zygote is not None:
                # A call may still wait for its answer: its socket must not become another's yet.
                zygote.kill()
                self._dead.append(zygote)
            zygote = self._zygotes[breed.engine] = ZygoteHandle(breed.engine)
        birth = Birth(
            digest=breed.module.digest,
            compiled=compiled,
            shipped=breed.module.shipped,
            fuel=breed.engine.fuel,
            memory_bytes=breed.memory_bytes,
            openat2=self._walls.openat2,
            export=breed.module.export,
        )
        return await zygote.fork(birth)


class Waiting:
    """Workers that wait under a key, the ones that wait longest first out."""

    def __init__(self, workers_max: int) -> None:
        self._workers: OrderedDict[WorkerHandle, Hashable] = OrderedDict()
        self._workers_max = workers_max

    def __contains__(self, key: Hashable) -> bool:
        return key in self._workers.values()

    def take(self, key: Hashable) -> WorkerHandle | None:
        """Return the worker under `key` that was used last, if one lives."""
        for worker in [w for w, k in reversed(self._workers.items()) if k == key]:
            del self._workers[worker]
            if worker.channel.quiet():
                return worker
            worker.release()
        return None

    def put(self, key: Hashable, worker: WorkerHandle) -> None:
        """Keep `worker`, ending the one that has waited longest if there are too many."""
        self._workers[worker] = key
        if len(self._workers) > self._workers_max:
            self._workers.popitem(last=False)[0].release()

    def end(self, run: str | None = None) -> None:
        """End the waiting workers of `run`, or all of them."""
        for worker in [w for w in self._workers if run is None or w.run == run]:
            del self._workers[worker]
            worker.release()


def _rights(job: Job) -> Hashable:
    # A worker holds directories, not paths: one whose directory was moved away and replaced would
    # go on in the old one, outside every grant.
    roots = tuple(_identity(mount.host) for mount in job.mounts)
    return (
        *(job.run, job.mounts, roots, job.scratch),
        *(job.limits.open_files, job.keeps, Breed.of(job)),
    )


def _identity(path: HostPath) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def open_root(mount: Mount) -> int:
    """Return a path descriptor of the mount's directory, or refuse one that is no longer there."""
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(mount.host, flags)
    try:
        found = str(Path(f"/proc/self/fd/{fd}").readlink())
    except OSError:
        return fd
    if found != mount.host:
        # A parent directory was swapped for a link after the grant was resolved.
        os.close(fd)
        raise SandboxError(f"{mount.host} is not where it was when it was granted")
    return fd


def _effect_file(scratch: HostPath, *, memfd: bool) -> int:
    """Return a descriptor that both sides share and that outlives the worker."""
    if memfd:
        return os.memfd_create("capbox-effects", os.MFD_CLOEXEC)
    fd, name = tempfile.mkstemp(dir=Path(scratch).parent)
    Path(name).unlink()
    return fd
