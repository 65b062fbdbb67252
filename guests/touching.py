"""Have an image write, when it is instantiated, to the pages that a short call will write.

The first write to a page of an image is a fault with a copy, 2 us on a small virtual machine, and
a short call of CPython makes two hundred: refcounts lie everywhere. A module that is instantiated
before its request arrives may as well pay them while it waits, so it gets a start function that
reads and writes back one byte of each page. Which they are is what the kernel says after calls
that are rehearsed (`/proc/self/pagemap`: a private page of a mapped file stops being the file's);
where the kernel does not say, the module stays as it is. A wrong list costs time, never
correctness. Guarantees that nothing else of the module changes.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from segments import Unsupported, as_signed, as_unsigned, unsigned

SOURCES = Path(__file__).resolve().parents[1] / "src"

TYPE, IMPORT, FUNCTION, EXPORT, START, CODE = 1, 2, 3, 7, 8, 10
PAGE_BYTES = 4096
PRESENT, OF_A_FILE = 1 << 63, 1 << 61
NOTHING = b"\x60\0\0"  # the type of a function that takes and gives nothing
READINGS = 64
CALL = {"id": "rehearsal", "deadline_ms": 60_000, "output_bytes_max": 100_000}


def touch(module: Path, tool: str, codes: tuple[str, ...]) -> None:
    """Change a module in place, by calls of its tool with each of these. Raises CalledProcessError.

    In a process of its own, in which nothing of it stays.
    """
    command = [sys.executable, str(Path(__file__).resolve()), str(module), tool, *codes]
    subprocess.run(command, check=True, capture_output=True, text=True)


def touching(module: bytes, pages: list[int]) -> bytes:
    """`module` with a start function that writes to these pages. Raises Unsupported."""
    found = dict(sections(module))
    if START in found:
        raise Unsupported("it has a start function already")
    kinds = [found[TYPE][start:end] for start, end in types(found[TYPE])]
    kind = kinds.index(NOTHING) if NOTHING in kinds else len(kinds)
    count, _ = unsigned(found[FUNCTION], 0)
    number = imported(found.get(IMPORT, b"\0")) + count
    once = (b"\x41" + as_signed(page * PAGE_BYTES) for page in pages)
    body = b"\0" + b"".join(at + at + b"\x2d\0\0\x3a\0\0" for at in once) + b"\x0b"
    if kind == len(kinds):
        found[TYPE] = added(found[TYPE], NOTHING)
    found[FUNCTION] = added(found[FUNCTION], as_unsigned(kind))
    found[CODE] = added(found[CODE], as_unsigned(len(body)) + body)
    out = bytearray(module[:8])
    for section, content in found.items():
        out += bytes([section]) + as_unsigned(len(content)) + content
        if section == EXPORT:
            starts = as_unsigned(number)
            out += bytes([START]) + as_unsigned(len(starts)) + starts
    return bytes(out)


def sections(module: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the body of each section; custom ones are left out."""
    at = 8
    while at < len(module):
        size, start = unsigned(module, at + 1)
        if module[at]:
            yield module[at], module[start : start + size]
        at = start + size


def types(section: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each type begins and ends: what is taken and what is given, of one byte each."""
    count, at = unsigned(section, 0)
    for _ in range(count):
        start = at
        taken, at = unsigned(section, at + 1)
        given, at = unsigned(section, at + taken)
        at += given
        yield start, at


def imported(section: bytes) -> int:
    """How many functions are imported. Raises Unsupported for an import of anything else."""
    count, at = unsigned(section, 0)
    for _ in range(count):
        for _name in range(2):
            size, at = unsigned(section, at)
            at += size
        if section[at]:
            raise Unsupported("it imports what is no function")
        _, at = unsigned(section, at + 1)
    return count


def added(section: bytes, item: bytes) -> bytes:
    """A section that counts its items, with one more."""
    count, at = unsigned(section, 0)
    return as_unsigned(count + 1) + section[at:] + item


def written(module: Path, tool: str, codes: list[str]) -> list[int]:
    """The pages that any of these calls writes to; none where the kernel does not say."""
    import wasmtime

    from capbox.sandbox.wasi.host import CallBounds, Host

    def source() -> bytes:
        host.begin(CallBounds(1 << 62, 1 << 20, 0, 0, 8, 0, 0, bytes(32), bytes(8 * READINGS)))
        return json.dumps(frame).encode()

    config = wasmtime.Config()
    config.cranelift_opt_level = "none"  # what is compiled here runs once
    engine = wasmtime.Engine(config)
    compiled, host, found = wasmtime.Module.from_file(engine, str(module)), Host(source), set[int]()
    for code in codes:
        frame = {"tool": tool, "arguments": {"code": code}, "cwd": "/", "env": {}, "call": CALL}
        store, linker = wasmtime.Store(engine), wasmtime.Linker(engine)
        host.link(linker)
        exports = linker.instantiate(store, compiled).exports(store)
        memory, start = exports["memory"], exports.get("capbox_call", exports.get("_start"))
        if not isinstance(memory, wasmtime.Memory) or not isinstance(start, wasmtime.Func):
            raise Unsupported("it exports no memory, or nothing to call")
        host.attach(store, memory)
        size = memory.data_len(store)  # what it grows by later is not there when it starts
        with suppress(wasmtime.Trap, wasmtime.WasmtimeError):  # to exit is to trap
            start(store)
        if json.loads(host.finish().stdout)["ok"] is not True:
            raise Unsupported(f"a call that was rehearsed has failed: {code}")
        first = ctypes.cast(memory.data_ptr(store), ctypes.c_void_p).value or 0
        found |= private(first, size // PAGE_BYTES)
    return sorted(found)


def private(address: int, pages: int) -> set[int]:
    """Which of the pages at an address are in memory, and no longer the file's that is mapped."""
    try:
        with Path("/proc/self/pagemap").open("rb", buffering=0) as file:
            marks = os.pread(file.fileno(), 8 * pages, address // PAGE_BYTES * 8)
    except OSError:
        return set()
    numbered = enumerate(struct.unpack(f"<{len(marks) // 8}Q", marks))
    return {number for number, mark in numbered if mark & PRESENT and not mark & OF_A_FILE}


def main(module: str, tool: str, *codes: str) -> None:
    """The program behind `touch`."""
    sys.path.insert(0, str(SOURCES))
    path = Path(module)
    pages = written(path, tool, list(codes))
    if pages:
        path.write_bytes(touching(path.read_bytes(), pages))


if __name__ == "__main__":
    main(*sys.argv[1:])
