"""Data behind the memory that a module begins with: one more segment, and the pages for it.

Guarantees: all else of the module stays, byte for byte, but for custom sections, which are left
out. Does not: run or compile anything.
"""

from __future__ import annotations

from capbox.sandbox.image.sections import (
    CUSTOM,
    DATA,
    DATA_COUNT,
    MEMORY,
    PAGE_BYTES,
    PackingError,
    sections,
    unsigned,
)


def placed_behind(module: bytes, content: bytes) -> bytes:
    """Return the module with `content` in memory of its own, behind its first. Raises PackingError.

    Where that is, is where the memory of `module` ends when it is instantiated.
    """
    out = bytearray(module[:8])
    pages = 0
    for kind, body in sections(module):
        if kind == DATA_COUNT:
            raise PackingError("its code names data segments")
        if kind == MEMORY:
            if body[:2] != b"\1\0":
                raise PackingError("it has not one memory that may grow")
            pages, _ = unsigned(body, 2)
            body = body[:2] + _leb(pages + -(-len(content) // PAGE_BYTES))
        if kind == DATA:
            count, at = unsigned(body, 0)
            head = b"\0\x41" + _signed(pages * PAGE_BYTES) + b"\x0b" + _leb(len(content))
            body = _leb(count + 1) + body[at:] + head + content
        if kind != CUSTOM:
            out += bytes([kind]) + _leb(len(body)) + body
    if not pages:
        raise PackingError("it has no memory of its own")
    return bytes(out)


def _leb(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _signed(value: int) -> bytes:
    """Return signed LEB128 of what is not negative."""
    out = _leb(value)
    return out if out[-1] < 0x40 else out[:-1] + bytes([out[-1] | 0x80, 0])
