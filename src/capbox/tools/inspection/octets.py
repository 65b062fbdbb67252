"""The bytes of a WebAssembly binary, taken one after the other.

Guarantees: nothing is read beyond the end, no number is longer than the format has it, a count is
never trusted to be small; what is wrong is a `Malformed` with its place. Does not: know sections.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
NAME_BYTES_MAX = 100_000  # of any engine (WebAssembly JavaScript API, implementation limits)


class Malformed(ValueError):
    """The bytes at `offset` are not what the format has there."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(f"{message} (at byte {offset})")
        self.offset = offset


class Octets:
    """A part of a file; `at` is where the next byte is taken, counted from the file's beginning."""

    def __init__(self, content: bytes, start: int = 0, end: int | None = None) -> None:
        self._content = content
        self.at = start
        self.end = len(content) if end is None else end

    @property
    def left(self) -> int:
        """Return how many bytes there are still."""
        return self.end - self.at

    def wrong(self, message: str) -> Malformed:
        """Return the error that something is wrong here."""
        return Malformed(self.at, message)

    def byte(self) -> int:
        """Take one byte."""
        if self.left < 1:
            raise self.wrong("it ends in the middle")
        self.at += 1
        return self._content[self.at - 1]

    def take(self, count: int) -> bytes:
        """Take so many bytes."""
        if count > self.left:
            raise self.wrong(f"it ends in the middle: {count:,} bytes are announced")
        self.at += count
        return self._content[self.at - count : self.at]

    def number(self, bits: int = 32) -> int:
        """Take an unsigned number (LEB128) of at most so many bits."""
        value = shift = 0
        while True:
            part = self.byte()
            value |= (part & 0x7F) << shift
            shift += 7
            if value >> bits:
                raise self.wrong(f"a number has more than {bits} bits")
            if part < 0x80:
                return value
            if shift >= bits:
                raise self.wrong(f"a number has more than {bits} bits")

    def name(self) -> str:
        """Take a name: a length, and so many bytes of UTF-8."""
        size = self.number()
        if size > NAME_BYTES_MAX:
            raise self.wrong(f"a name has {size:,} bytes")
        try:
            return self.take(size).decode()
        except UnicodeDecodeError:
            raise self.wrong("a name is not UTF-8") from None

    def part(self, size: int) -> Octets:
        """Take a part of so many bytes, to be read by itself."""
        if size > self.left:
            raise self.wrong(f"it ends in the middle: {size:,} bytes are announced")
        found = Octets(self._content, self.at, self.at + size)
        self.at += size
        return found

    def several(self, most: int, take: Callable[[Octets], _T]) -> tuple[_T, ...]:
        """Take a count, and so many of what `take` takes."""
        count = self.number()
        # Attack: a count of four billion in a file of twenty bytes.
        if count > most or count > self.left:
            raise self.wrong(f"{count:,} entries are announced")
        return tuple(take(self) for _ in range(count))
