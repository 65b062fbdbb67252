"""Rewrite a WebAssembly module's data section: fewer, larger segments.

Go writes up to 100,000 data segments and wizer keeps a placeholder for each beside its own 10,000;
together they exceed what engines accept. This drops what is passive and joins neighbours. It
guarantees that memory starts with the same bytes, and refuses modules whose code could name a
segment. It looks at nothing else in the module.
"""

from __future__ import annotations

from dataclasses import dataclass

DATA, DATA_COUNT = 11, 12
# A segment costs about 8 bytes of frame and a copy at every start; filling a short gap costs less.
GAP_BYTES_MAX = 64


class Unsupported(Exception):
    """The module has something that this rewriting does not know."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes that go to a fixed address of memory 0."""

    start: int
    content: bytes

    @property
    def end(self) -> int:
        """The address after the last byte."""
        return self.start + len(self.content)


def joined(module: bytes) -> bytes:
    """The module with its active data segments sorted and joined, its passive ones dropped."""
    if module[:8] != b"\0asm\1\0\0\0":
        raise Unsupported("not a WebAssembly module")
    out = bytearray(module[:8])
    at = 8
    while at < len(module):
        kind = module[at]
        size, start = unsigned(module, at + 1)
        if kind == DATA_COUNT:
            raise Unsupported("code may name data segments")
        if kind == DATA:
            body = written(join(parsed(module[start : start + size])))
            out += bytes([DATA]) + as_unsigned(len(body)) + body
        else:
            out += module[at : start + size]
        at = start + size
    return bytes(out)


def parsed(section: bytes) -> list[Segment]:
    """The active segments of a data section."""
    count, at = unsigned(section, 0)
    segments = []
    for _ in range(count):
        mode, at = unsigned(section, at)
        start = -1
        if mode == 0:
            if section[at] != 0x41:
                raise Unsupported("a segment's address is not a constant")
            start, at = signed(section, at + 1)
            at += 1
        elif mode != 1:
            raise Unsupported("a segment of another memory")
        size, at = unsigned(section, at)
        if mode == 0 and size:
            segments.append(Segment(start & 0xFFFFFFFF, section[at : at + size]))
        at += size
    return segments


def join(segments: list[Segment]) -> list[Segment]:
    """Join segments whose gap is short; the gap is filled with the zeros that are there anyway."""
    runs: list[tuple[int, bytearray]] = []
    for segment in sorted(segments, key=lambda one: one.start):
        if runs:
            start, content = runs[-1]
            gap = segment.start - start - len(content)
            if gap < 0:
                raise Unsupported("overlapping segments")
            if gap <= GAP_BYTES_MAX:
                content += bytes(gap) + segment.content
                continue
        runs.append((segment.start, bytearray(segment.content)))
    return [Segment(start, bytes(content)) for start, content in runs]


def written(segments: list[Segment]) -> bytes:
    """A data section of active segments."""
    body = bytearray(as_unsigned(len(segments)))
    for segment in segments:
        body += (
            b"\0\x41"
            + as_signed(segment.start)
            + b"\x0b"
            + as_unsigned(len(segment.content))
            + segment.content
        )
    return bytes(body)


def unsigned(text: bytes, at: int) -> tuple[int, int]:
    """Read LEB128; give the number and the place after it."""
    value = shift = 0
    while True:
        byte = text[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def signed(text: bytes, at: int) -> tuple[int, int]:
    """Read signed LEB128; give the number and the place after it."""
    value, after = unsigned(text, at)
    bits = 7 * (after - at)
    return (value - (1 << bits) if value >> (bits - 1) else value), after


def as_unsigned(value: int) -> bytes:
    """Write LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def as_signed(value: int) -> bytes:
    """Write a 32-bit address as signed LEB128."""
    if value >= 1 << 31:
        value -= 1 << 32
    out = bytearray()
    while not -64 <= value < 64:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)
