"""Find the pages of memory that typical calls write, and tell the module.

The first write to a page of a snapshot costs a fault and a copy (2.2 us on a small virtual machine,
a hundred of them are 40 % of a short call), and a guest that is parked before its request arrives
may as well pay them while it waits. So the build rehearses calls on the snapshot, compares, and
writes the numbers of the pages that differ behind the marks in `touched` (toolbox/touch.go).
Guarantees that nothing else of the module changes. A wrong list costs time, never correctness: the
guest writes back what it read.
"""

from __future__ import annotations

import json
import struct

import segments

PAGE_BYTES = 4096
MEMORY = 5
MARKS = struct.pack("<II", 0x63617062, 0x6F782E70)
UNUSED = b"\xff\xff\xff\xff"

# What is rehearsed, in a directory with one file: the most frequent calls, and all begin alike.
FILE, TEXT = "page.txt", "a line of the file that is read\n" * 32
CALLS = (("bash", {"script": "echo hi"}), ("read", {"path": FILE}))


class Unmarked(Exception):
    """The module has no place for the list, or too small a one."""


def requests() -> list[str]:
    """The requests of the calls."""
    frame = {"cwd": "/", "env": {}, "state": None}
    call = {"id": "rehearsal", "deadline_ms": 1000, "output_bytes_max": 100_000}
    return [json.dumps({"tool": t, "arguments": a, **frame, "call": call}) for t, a in CALLS]


def noted(module: bytes, rehearsals: list[bytes]) -> bytes:
    """`module` with the list of the pages that differ in any of its snapshots after a call."""
    before = contents(module)
    last = memory_bytes(module) // PAGE_BYTES
    changed = set()
    for rehearsed in rehearsals:
        after = contents(rehearsed)
        changed |= {n for n in {*before, *after} if before.get(n) != after.get(n)}
    numbers = sorted(n for n in changed if n < last)
    at = module.find(MARKS) + len(MARKS)
    listed = struct.pack(f"<{len(numbers)}I", *numbers)
    free = UNUSED * (len(numbers) + 1)  # one is left as the end of the list
    if module.count(MARKS) != 1:
        raise Unmarked(
            f"the marks of `touched` (toolbox/touch.go) stand {module.count(MARKS)} times in it"
        )
    if module[at : at + len(free)] != free:
        raise Unmarked(f"`touched` (toolbox/touch.go) has no place for {len(numbers)} pages")
    return module[:at] + listed + module[at + len(listed) :]


def contents(module: bytes) -> dict[int, bytes]:
    """What memory starts with, by the number of the page; pages of zeros are left out."""
    found: dict[int, bytearray] = {}
    for segment in segments.parsed(section(module, segments.DATA)):
        start, content = segment.start, segment.content
        while content:
            number, offset = divmod(start, PAGE_BYTES)
            part = content[: PAGE_BYTES - offset]
            page = found.setdefault(number, bytearray(PAGE_BYTES))
            page[offset : offset + len(part)] = part
            start, content = start + len(part), content[len(part) :]
    return {number: bytes(page) for number, page in found.items() if any(page)}


def memory_bytes(module: bytes) -> int:
    """How large memory is at the start."""
    body = section(module, MEMORY)
    _flags, at = segments.unsigned(body, 1)
    pages, _ = segments.unsigned(body, at)
    return pages << 16


def section(module: bytes, wanted: int) -> bytes:
    """The content of a section, empty if there is none."""
    at = 8
    while at < len(module):
        size, start = segments.unsigned(module, at + 1)
        if module[at] == wanted:
            return module[start : start + size]
        at = start + size
    return b""
