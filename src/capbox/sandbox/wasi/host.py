"""Our own WASI preview 1 host: one `Host` serves all guests of a worker, one at a time.

Guarantees: all 46 functions of preview 1 exist; none raises; whatever is not granted answers with
an errno and is recorded; crossing a bound ends the guest. Before its request has arrived a parked
guest has no files and no output: any such call waits for the request first. Does not: start or
time out guests (the worker's part), or link
anything beyond preview 1, `capbox_fs`, `capbox_http` and `capbox_invoke`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress

import wasmtime

from capbox.sandbox.effects import EffectWriter
from capbox.sandbox.process.device import Device
from capbox.sandbox.process.http import Exchange, Http, no_network
from capbox.sandbox.process.invoke import Invoke
from capbox.sandbox.process.saving import Saving
from capbox.sandbox.raw import TRAP, GuestMemory, RawFunctions
from capbox.sandbox.wasi import abi
from capbox.sandbox.wasi.access import Access
from capbox.sandbox.wasi.call import Call, CallBounds, CallReport, StopCall
from capbox.sandbox.wasi.clock import Clock
from capbox.sandbox.wasi.files import Files
from capbox.sandbox.wasi.listing import Listing
from capbox.sandbox.wasi.mounts import Mount, MountTree, OpenMount
from capbox.sandbox.wasi.paths import Paths
from capbox.sandbox.wasi.renaming import Renaming
from capbox.sandbox.wasi.table import Table

__all__ = ["CallBounds", "CallReport", "Host", "OpenMount"]

ARGUMENTS = (b"tool",)
ENVIRONMENT = (
    b"HOME=/tmp",
    b"LANG=C.UTF-8",
    b"PATH=/usr/bin:/bin",
    b"PWD=/workspace",
    b"TMPDIR=/tmp",
    b"TZ=UTC",
)
# What a parked guest may call without its request: starting up, the clock, waiting.
_EARLY = frozenset(
    {
        *("args_get", "args_sizes_get", "environ_get", "environ_sizes_get"),
        *("clock_res_get", "clock_time_get", "fd_close", "fd_fdstat_get", "fd_fdstat_set_flags"),
        *("fd_prestat_get", "fd_prestat_dir_name", "fd_read", "poll_oneoff", "random_get"),
        *("sched_yield",),
    }
)


class Host:
    """The host functions and the state behind them.

    `source` returns the guest's standard input; it may block (so a guest is parked) and calls
    `begin` before it returns. `exchange` takes to the
    parent what is for the network. `openat2` False forces the walk by components, True uses openat2
    where it works.
    """

    def __init__(
        self,
        source: Callable[[], bytes],
        exchange: Exchange = no_network,
        *,
        openat2: bool = True,
    ) -> None:
        self._openat2 = openat2
        self._call = Call()
        self._memory = GuestMemory()
        self._table = Table(self._call)
        self._access = Access(self._call, self._memory, self._table)
        self._clock = Clock(self._call, self._memory, self._table)
        self._device = Device(exchange)
        self._files = Files(self._call, self._memory, self._table, source, self._device)
        self._exchange = exchange
        self._http = Http(self._memory, exchange)
        self._invoke = Invoke(self._memory, exchange)
        self._raw = RawFunctions()
        self._arguments: tuple[bytes, ...] = ARGUMENTS
        self._bodies = self._functions()

    def adopt(
        self, mounts: tuple[OpenMount, ...], effects: EffectWriter, *, keeps: bool = False
    ) -> None:
        """Take the rights of this worker, once; until then there are no files at all.

        With `keeps`, the parent saves what is changed, before it is changed.
        """
        self._call.effects = effects
        self._call.saving = Saving(self._exchange) if keeps else None
        self._access.adopt(MountTree(mounts), openat2=self._openat2)

    def link(self, linker: wasmtime.Linker) -> None:
        """Define every function on `linker`; keep this host alive as long as its instances."""
        for name, params in abi.SIGNATURES.items():
            module, _, field = name.rpartition(".")
            self._raw.define(
                linker,
                (module or abi.MODULE, field),
                params,
                result="" if name == "proc_exit" else "i",
                body=self._bodies[name],
            )

    def attach(self, store: wasmtime.Store, memory: wasmtime.Memory) -> None:
        """Use the memory of the instance that starts now."""
        self._memory.attach(store, memory)

    def attach_buffer(self, view: memoryview) -> None:
        """Use plain memory: for guests that are not WebAssembly."""
        self._memory.attach_buffer(view)

    def preload(self, request: bytes, argv: Iterable[str] = ()) -> None:
        """Give the next guest its standard input before it starts, and words after its name."""
        self._files.preload(request)
        self._arguments = (*ARGUMENTS, *(word.encode() for word in argv))

    def begin(self, bounds: CallBounds) -> None:
        """Arm the bounds of one call."""
        self._access.restart()
        self._call.begin(bounds)
        self._clock.begin()

    def extend(self, nanoseconds: int) -> int:
        """Move the deadline of the call by the time that a person took; return the new one."""
        self._call.deadline_ns += nanoseconds
        return self._call.deadline_ns

    def invoke(self, name: str, *arguments: int) -> int:
        """Call one host function as a guest would (capbox_fs ones as "capbox_fs.stat")."""
        return self._bodies[name](*arguments)

    def guard(self, body: Callable[..., int]) -> Callable[..., int]:
        """Return `body` such that no exception leaves it, and nothing happens after the end."""
        return self._guarded(body, early=True)

    def finish(self, memory_bytes: int | None = None) -> CallReport:
        """End the guest: close everything, report, and be ready for the next one.

        A component's memory is not the host's to know: `memory_bytes` says how much it had.
        """
        memory_bytes = self._memory.size if memory_bytes is None else memory_bytes
        self._table.clear()
        for mount in self._access.tree.mounts:
            _remove_temporaries(mount)
        report = self._call.report(memory_bytes)
        self._call.reset()
        self._clock.restart()
        self._files.restart()
        self._http.restart()
        self._invoke.restart()
        self._arguments = ARGUMENTS
        self._device.restart()
        self._memory.attach_buffer(memoryview(b""))
        return report

    def _functions(self) -> dict[str, Callable[..., int]]:
        """Collect the methods that are called as the functions of the ABI are."""
        access = self._access
        files = (self._files, Listing(access), Paths(access), Renaming(access))
        parts = (self._clock, *files, self._http, self._invoke, self)
        found: dict[str, Callable[..., int]] = {}
        for name in abi.SIGNATURES:
            method = name.replace(".", "_")
            body = next((getattr(p, method) for p in parts if hasattr(p, method)), _not_supported)
            found[name] = self._guarded(body, early=name in _EARLY)
        return found

    def _guarded(self, body: Callable[..., int], *, early: bool) -> Callable[..., int]:
        call = self._call

        def guarded(*arguments: int) -> int:
            try:
                if call.over():
                    return TRAP
                self._memory.sync()
                if not (early or call.begun):
                    self._files.await_input()
                return body(*arguments)
            except OSError as error:
                return abi.WASI_ERRNO.get(error.errno or 0, abi.EIO)
            except StopCall:
                return TRAP
            # An exception that reached ctypes would be printed and the guest would go on with
            # whatever is in the result slot, so here everything is caught.
            except BaseException as error:
                call.fail(error)
                return TRAP

        return guarded

    def args_sizes_get(self, count: int, size: int) -> int:
        """Number and total size of the arguments."""
        return self._sizes(self._arguments, count, size)

    def args_get(self, table: int, texts: int) -> int:
        """The arguments."""
        return self._strings(self._arguments, table, texts)

    def environ_sizes_get(self, count: int, size: int) -> int:
        """Number and total size of the variables."""
        return self._sizes(ENVIRONMENT, count, size)

    def environ_get(self, table: int, texts: int) -> int:
        """The variables: constants, those of a call travel in its request."""
        return self._strings(ENVIRONMENT, table, texts)

    def sched_yield(self) -> int:
        """There is no one to yield to."""
        return 0

    def proc_exit(self, code: int) -> int:
        """End the guest."""
        self._call.exit_code = code
        raise StopCall

    def _sizes(self, texts: tuple[bytes, ...], count: int, size: int) -> int:
        self._memory.put_u32(count, len(texts))
        self._memory.put_u32(size, sum(len(text) + 1 for text in texts))
        return 0

    def _strings(self, texts: tuple[bytes, ...], table: int, at: int) -> int:
        for index, text in enumerate(texts):
            self._memory.put_u32(table + 4 * index, at)
            self._memory.write(at, text + b"\0")
            at += len(text) + 1
        return 0


def _not_supported(*_arguments: int) -> int:
    return abi.ENOSYS


def _remove_temporaries(mount: Mount) -> None:
    for base in mount.made:
        with suppress(OSError):
            os.unlink(base, dir_fd=mount.fd)
    mount.made.clear()
