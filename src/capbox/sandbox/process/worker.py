"""The worker: one locked process that runs one guest at a time, a fresh instance for every call.

Guarantees: it serves only after every wall it was told to put up stands and was tried, with rights
that never change for its life; while idle the next guest of capbox's own is already started and
blocks in its first read. Does not decide what a grant means: it enforces the mounts it was given.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import NoReturn

import wasmtime

from capbox.messages import JsonObject, Spent
from capbox.sandbox.component.code import Code, ComponentCode
from capbox.sandbox.component.guest import ComponentGuest
from capbox.sandbox.component.side import Misuse
from capbox.sandbox.effects import EffectWriter
from capbox.sandbox.lockdown import landlock, privileges, rlimits, seccomp
from capbox.sandbox.process import wire
from capbox.sandbox.process.frames import (
    Assignment,
    Birth,
    Report,
    Request,
    parse_assignment,
    parse_request,
)
from capbox.sandbox.process.timer import Timer
from capbox.sandbox.process.verdict import Failure, verdict
from capbox.sandbox.spec import Broken
from capbox.sandbox.wasi.host import Host, OpenMount

_FUEL_UNARMED = 1 << 62
_TABLES_MAX, _TABLE_ELEMENTS_MAX = 4, 1 << 20  # a table's memory is ours, not the guest's
# wasmtime-py leaves cycles: +4 MB over 10,000 calls without (measured). Rather while nobody waits.
_COLLECT_EVERY_CALLS, _COLLECT_AT_LATEST_CALLS = 200, 2_000
_YIELD_MS = 1  # starting the next guest at once steals the woken parent's core: +1.3 ms (measured)


def main(zygote: int, fd: int, engine: wasmtime.Engine, code: Code, birth: Birth) -> NoReturn:
    """Serve calls on socket `fd` until the parent hangs up, then end this process."""
    rlimits.die_with_parent(zygote)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    sys.unraisablehook = end_at_once
    Worker(socket.socket(fileno=fd), engine, code, birth).serve()


class Worker:
    """One worker process. Guests that ship with capbox are parked, others start when called."""

    def __init__(
        self, parent: socket.socket, engine: wasmtime.Engine, code: Code, birth: Birth
    ) -> None:
        self._parent = parent
        self._engine = engine
        self._birth = birth
        self._timer = Timer(engine.increment_epoch)
        self._host = Host(self._await_request, self._exchange, openat2=birth.openat2)
        self._guest = self._linked(code)
        self._locked = False
        self._request: Request | None = None
        self._store: wasmtime.Store | None = None
        self._started_ns = 0

    def serve(self) -> NoReturn:
        """Run guests until the parent hangs up."""
        poll = select.poll()
        poll.register(self._parent, select.POLLIN)
        uncollected = 0
        while True:
            self._run_guest()
            uncollected += 1
            idle = not poll.poll(_YIELD_MS)
            if uncollected >= (_COLLECT_EVERY_CALLS if idle else _COLLECT_AT_LATEST_CALLS):
                gc.collect()
                uncollected = 0

    def _linked(self, code: Code) -> wasmtime.InstancePre | ComponentGuest | wasmtime.WasmtimeError:
        try:
            if isinstance(code, ComponentCode):
                return ComponentGuest(self._engine, code, self._host, self._birth.export)
            if self._birth.export:
                raise Misuse("it is no component, and the manifest names a function of one")
            linker = wasmtime.Linker(self._engine)
            self._host.link(linker)
            return linker.instantiate_pre(code)
        except Misuse as error:
            return wasmtime.WasmtimeError(str(error))
        except wasmtime.WasmtimeError as error:
            return error  # it imports what does not exist: every call of it fails, with this reason

    def _run_guest(self) -> None:
        """Start one guest, see it end, and report; a parked one blocks in its first read."""
        self._request = None
        parked = self._birth.shipped and not isinstance(self._guest, ComponentGuest)
        first = None if parked else self._take_request()
        store = self._store = self._new_store()
        if first is not None:
            # A stranger's guest may loop before it ever reads: its clock starts before it does.
            self._host.preload(self._arm(first), first.argv)
        failure = self._enter(store, first)
        request = self._request
        if request is None:
            # It ended without reading: this end answers the next request.
            request = self._take_request()
            self._arm(request)
        self._timer.disarm()
        self._report(store, request, failure)
        store.close()

    def _new_store(self) -> wasmtime.Store:
        store = wasmtime.Store(self._engine)
        store.set_epoch_deadline(1)
        if self._birth.fuel:
            store.set_fuel(_FUEL_UNARMED)
        store.set_limits(
            memory_size=self._birth.memory_bytes,
            table_elements=_TABLE_ELEMENTS_MAX,
            instances=1,
            tables=_TABLES_MAX,
            memories=1,
        )
        if isinstance(self._guest, ComponentGuest):
            self._guest.bound(store, self._birth.memory_bytes)
        return store

    def _enter(self, store: wasmtime.Store, first: Request | None) -> Failure | None:
        if isinstance(self._guest, wasmtime.WasmtimeError):
            return self._guest
        if isinstance(self._guest, ComponentGuest):
            return self._guest.run(store, b"" if first is None else first.stdin)
        try:
            exports = self._guest.instantiate(store).exports(store)
            memory, call = exports.get("memory"), exports.get("capbox_call", exports.get("_start"))
            if not isinstance(memory, wasmtime.Memory):
                return wasmtime.WasmtimeError("it exports no memory")
            if not isinstance(call, wasmtime.Func) or call.type(store).params:
                return wasmtime.WasmtimeError("it exports no function _start without parameters")
            self._host.attach(store, memory)
            call(store)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            return error
        return None

    def _await_request(self) -> bytes:
        """Return the guest's input and arm its bounds; here a parked guest waits."""
        return self._arm(self._take_request())

    def _take_request(self) -> Request:
        """Read the next request from the parent, after this worker's rights if it has none yet."""
        try:
            if not self._locked:
                header, _, fds = wire.receive(self._parent, fds_max=wire.DESCRIPTORS_MAX)
                self._adopt(parse_assignment(header), fds)
            header, body, _ = wire.receive(self._parent)
            return parse_request(header, body)
        except wire.Hangup:
            os._exit(0)
        except (OSError, RuntimeError) as error:
            # We may be inside a host function: an exception would end there as an errno for the
            # guest, and this process would go on without a wall. So it ends here.
            wire.send(self._parent, *Report(Broken(f"worker: {error}")).frame())
            os._exit(1)

    def _exchange(self, header: JsonObject, body: bytes) -> tuple[JsonObject, bytes]:
        """Hand what only the parent can do to it, and wait for its answer."""
        # The parent keeps the deadline meanwhile: it alone knows how long a person was asked.
        self._timer.disarm()
        try:
            wire.send(self._parent, header, body)
            answer, content, _ = wire.receive(self._parent)
        except wire.Hangup:
            os._exit(0)
        waited = answer.get("waited_ns")
        self._timer.arm(self._host.extend(waited if isinstance(waited, int) else 0))
        return answer, content

    def _arm(self, request: Request) -> bytes:
        self._request = request
        self._host.begin(request.bounds)
        if request.fuel is not None and self._store is not None:
            self._store.set_fuel(request.fuel)
        self._started_ns = time.monotonic_ns()
        self._timer.arm(request.bounds.deadline_ns)
        return request.stdin

    def _adopt(self, assignment: Assignment, fds: list[int]) -> None:
        """Take the rights and put up the walls, in the one order that leaves no thread outside."""
        walls, mounts = assignment.walls, assignment.mounts
        if len(fds) != len(mounts) + 1:
            raise OSError("descriptors were lost on the way")
        rlimits.restrict(
            memory_bytes=self._birth.memory_bytes, open_files=assignment.open_files + len(fds)
        )
        privileges.restrict()
        if walls.landlock:
            landlock.restrict(
                (fd, any(rule.write for rule in mount.rules))
                for mount, fd in zip(mounts, fds[1:], strict=True)
            )
        self._timer.start()
        if walls.seccomp:
            seccomp.restrict()
        everything = any(mount.host == "/" for mount in mounts)
        check = partial(_breach, files=walls.landlock and not everything, calls=walls.seccomp)
        if breach := check() or self._timer.ask(check):
            raise OSError(f"a wall does not stand: {breach}")
        opened = tuple(map(OpenMount, mounts, fds[1:]))
        self._host.adopt(opened, EffectWriter(fds[0]), keeps=assignment.keeps)
        self._locked = True

    def _report(self, store: wasmtime.Store, request: Request, failure: Failure | None) -> None:
        component = self._guest if isinstance(self._guest, ComponentGuest) else None
        seen = self._host.finish(None if component is None else component.end())
        spent = Spent(
            wall_ms=(time.monotonic_ns() - self._started_ns) // 1_000_000,
            fuel=None if request.fuel is None else request.fuel - store.get_fuel(),
            memory_bytes=seen.memory_bytes,
            output_bytes=len(seen.stdout),
        )
        end = verdict(seen, failure, self._birth.memory_bytes)
        header, body = Report(end, seen.refused, spent, seen.clock).frame()
        try:
            wire.send(self._parent, header, body)
        except wire.Hangup:
            os._exit(0)


def end_at_once(_what: object) -> None:
    """End the worker. Attack: an exception in a callback itself, before or after what catches all.
    ctypes would print it and return what lay on the stack: a success, or a trap to free (measured).
    """
    os._exit(1)


def _breach(*, files: bool, calls: bool) -> str:
    """Try what the walls forbid on this thread; return what got through, or nothing."""
    if calls and not _refused(lambda: socket.socket().close()):
        return "a socket could be made"
    if files and not _refused(lambda: os.close(os.open("/", os.O_RDONLY | os.O_DIRECTORY))):
        return "the root directory could be opened"
    return ""


def _refused(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except PermissionError:
        return True
    except OSError:
        return False  # it failed, but not at the wall
    return False
