"""A WebAssembly module as its sections: its memory and stack pointer written anew.

Guarantees: what is not named here stays byte for byte, but for custom sections, which are left out.
Does not: know what code does; a module whose code names its data is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

CUSTOM, MEMORY, GLOBAL, CODE, DATA, DATA_COUNT = 0, 5, 6, 10, 11, 12
PAGE_BYTES = 64 << 10
_BLOCK_BYTES = 256


class PackingError(Exception):
    """The guest cannot be packed; the message says why."""


def rewritten(module: bytes, image: bytes, top: int | None) -> bytes:
    """Return the module, whose memory begins as `image`; custom sections are left out.

    `top` is where its stack begins from now on, downwards; None leaves it.
    """

    def of(kind: int, body: bytes) -> bytes:
        if kind == DATA_COUNT:
            raise PackingError("its code names data segments")
        if kind == MEMORY:
            return _grown(body, len(image) // PAGE_BYTES)
        if kind == GLOBAL and top is not None:
            if body[:3] != b"\1\x7f\1":
                raise PackingError("it has not one global, the stack pointer")
            return body[:3] + b"\x41" + _signed(top) + b"\x0b"
        return _data(image) if kind == DATA else body

    return _each(module, of)


def _each(module: bytes, of: Callable[[int, bytes], bytes]) -> bytes:
    out = bytearray(module[:8])
    for kind, body in sections(module):
        if kind != CUSTOM:
            new = of(kind, body)
            out += bytes([kind]) + _leb(len(new)) + new
    return bytes(out)


def sections(module: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the body of each section. Raises PackingError."""
    if module[:8] != b"\0asm\1\0\0\0":
        raise PackingError("it is no WebAssembly module")
    at = 8
    while at < len(module):
        try:
            size, start = unsigned(module, at + 1)
        except IndexError:
            size, start = len(module), at
        if start + size > len(module):
            raise PackingError("it ends in the middle of a section")
        yield module[at], module[start : start + size]
        at = start + size


def _grown(section: bytes, pages: int) -> bytes:
    """Return a memory section whose one memory begins with `pages`."""
    if section[:2] not in (b"\1\0", b"\1\1"):
        raise PackingError("it has not one plain memory")
    _, end = unsigned(section, 2)
    return section[:2] + _leb(pages) + section[end:]


def _data(image: bytes) -> bytes:
    """Return a data section that fills memory with what is not zero in `image`."""
    runs = list[list[int]]()
    for at in range(0, len(image), _BLOCK_BYTES):
        if not image[at : at + _BLOCK_BYTES].strip(b"\0"):
            continue
        if runs and runs[-1][1] == at:
            runs[-1][1] = at + _BLOCK_BYTES
        else:
            runs.append([at, at + _BLOCK_BYTES])
    body = bytearray(_leb(len(runs)))
    for start, end in runs:
        content = image[start:end]
        body += b"\0\x41" + _signed(start) + b"\x0b" + _leb(len(content)) + content
    return bytes(body)


def unsigned(text: bytes, at: int) -> tuple[int, int]:
    """Read LEB128; return the number and the place after it."""
    value = shift = 0
    while True:
        byte = text[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _leb(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _signed(value: int) -> bytes:
    """Return signed LEB128 of what is not negative."""
    out = _leb(value)
    return out if out[-1] < 0x40 else out[:-1] + bytes([out[-1] | 0x80, 0])
