"""Runs an interpreter once and writes its module anew, with its memory as it is then.

Guarantees: seed and clock are constants, and of what is packed names and bytes alone are read, so
the same guest gives the same module. Does not: take a
guest that is no command of wasi-libc, or one with more state than memory and a stack pointer.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import wasmtime

from capbox.sandbox.cache import require_private
from capbox.sandbox.image.sections import (
    CODE,
    PAGE_BYTES,
    PackingError,
    rewritten,
    sections,
    unsigned,
)
from capbox.sandbox.image.shelf import Shelf
from capbox.sandbox.wasi.host import CallBounds, Host

PACK = "wasi_vfs_pack_fs"
IMAGED = 77  # the exit code of a first start
SECONDS_MAX = 120.0
MEMORY_BYTES_MAX = 512 << 20
_SEED, _STARTED_NS, _TICK_NS = bytes(32), 1_700_000_000 * 10**9, 1_000_000
_READINGS = 4_096
# CPython 3.12 refuses the 500th nested call in C (RecursionError), of up to 12 KB each (measured).
# The 512 KB of its own would end at the 50th, by a trap.
_STACK_BYTES = 16 << 20
# How wasi-libc's crt1-command.c begins: a command that was started is not started again.
_STARTED = re.compile(
    rb"\x41([\x80-\xff]*[\x00-\x7f])\x28\x02\x00\x45\x04\x40\x41\1\x41\x01\x36\x02\x00", re.DOTALL
)


def with_folders(module: bytes, folders: Mapping[str, Path]) -> bytes:
    """Return `module` with the folders in it. Raises PackingError."""
    next(sections(module), None)  # wasmtime would read a text as one of its own format
    engine, shelf = _engine(), Shelf(folders)
    return rewritten(module, _filled(engine, wasmtime.Module(engine, module), shelf), None)


def _filled(engine: wasmtime.Engine, module: wasmtime.Module, shelf: Shelf) -> bytes:
    """Return the memory of `module` with the folders in it."""
    store, linker = wasmtime.Store(engine), wasmtime.Linker(engine)
    host = Host(_no_input)
    host.link(linker)
    shelf.link(linker, host.guard)
    exports = linker.instantiate(store, module).exports(store)
    function, memory = exports.get(PACK), exports.get("memory")
    if not isinstance(function, wasmtime.Func) or not isinstance(memory, wasmtime.Memory):
        raise PackingError(f"it exports no {PACK}: it carries no files")
    host.attach(store, memory)
    shelf.attach(store, memory)
    host.begin(_bounds())
    with suppress(wasmtime.Trap, wasmtime.WasmtimeError):  # the report says why
        function(store)
        return bytes(memory.read(store))
    report = host.finish()
    raise PackingError(str(report.stderr.decode(errors="replace").strip() or report.fault))


def started(module: bytes, folders: Mapping[str, Path], kept: str | None = None) -> bytes:
    """Return `module` with the folders in it, as it is after its first start. Raises PackingError.

    As `prepared`, and then run in this process.
    """
    return prepared(module, folders, kept).image()


def prepared(module: bytes, folders: Mapping[str, Path], kept: str | None = None) -> Prepared:
    """Return `module` with the folders in it, about to be started. Raises PackingError.

    It is compiled once for both: that is nearly all of the time this takes, and `kept` keeps it.
    Raises CacheError where that directory is not ours alone.
    """
    shelf = Shelf(folders)
    code = next((body for kind, body in sections(module) if kind == CODE), b"")
    guard = _STARTED.search(code)
    if guard is None:
        raise PackingError("it is no command of wasi-libc")
    engine = _engine(kept)
    compiled = wasmtime.Module(engine, module)
    filled = _filled(engine, compiled, shelf)
    host, linker, store = Host(_no_input), wasmtime.Linker(engine), wasmtime.Store(engine)
    store.set_limits(memory_size=MEMORY_BYTES_MAX)
    host.link(linker)
    exports = linker.instantiate(store, compiled).exports(store)
    memory, start = exports.get("memory"), exports.get("_start")
    if not isinstance(memory, wasmtime.Memory) or not isinstance(start, wasmtime.Func):
        raise PackingError("it is no command: it exports no memory and _start")
    memory.grow(store, len(filled) // PAGE_BYTES - memory.size(store))
    memory.write(store, filled, 0)
    host.attach(store, memory)
    return Prepared(module, unsigned(guard[1], 0)[0], host, store, memory, start)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A guest with its folders, before its first start; `mark` is where it says that it had one."""

    module: bytes
    mark: int
    host: Host
    store: wasmtime.Store
    memory: wasmtime.Memory
    start: wasmtime.Func

    def image(self) -> bytes:
        """Start it, and return its module as it is then. Raises PackingError."""
        self.host.begin(_bounds())
        with suppress(wasmtime.Trap, wasmtime.WasmtimeError):  # to exit is to trap
            self.start(self.store)
        image = bytearray(self.memory.read(self.store)) + bytes(_STACK_BYTES)
        report = self.host.finish()
        if report.exit_code != IMAGED:
            said = report.stderr.decode(errors="replace").strip()
            raise PackingError(str(said or report.fault or report.exit_code))
        image[self.mark : self.mark + 4] = bytes(4)
        return rewritten(self.module, bytes(image), len(image))


def _bounds() -> CallBounds:
    # Seed and clock are constants: the same guest gives the same image.
    clock = b"".join((_STARTED_NS + n * _TICK_NS).to_bytes(8, "little") for n in range(_READINGS))
    deadline_ns = time.monotonic_ns() + int(SECONDS_MAX * 1e9)
    return CallBounds(deadline_ns, 1 << 20, 0, 0, 8, 0, _STARTED_NS, _SEED, clock)


def _engine(kept: str | None = None) -> wasmtime.Engine:
    config = wasmtime.Config()
    if kept is not None:
        # Attack: what is kept is native code, and runs here without a wall.
        require_private(Path(kept))
        said = Path(kept, "cache.toml")
        said.write_text(f"[cache]\ndirectory = {json.dumps(f'{kept}/modules')}\n")
        config.cache = str(said)
    config.cranelift_opt_level = "none"  # what is compiled here runs once
    return wasmtime.Engine(config)


def _no_input() -> bytes:
    return b""
