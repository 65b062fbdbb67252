"""The bytes of a component: sections, numbers, names.

Guarantees: nothing is read beyond the end of what was given; what is malformed or too much raises
`Misuse` with its place. Does not: know what a section means (`scope` does), or validate types.
Source: the component model's Binary.md, and the core specification for LEB128.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

from capbox.sandbox.component.plan import BYTES_A_PART, PARTS_MAX
from capbox.sandbox.component.side import Misuse

MAGIC = b"\0asm\x0d\0\1\0"
CORE_MAGIC = b"\0asm\1\0\0\0"
CORE_MODULE, COMPONENT = 1, 4
_IMPORT, _MEMORY = 2, 5
_ITEMS_MAX = 100_000
_DEPTH_MAX = 16
_SECTIONS_MAX = 50_000
MODULES_MAX = 64
_SKELETON_BYTES_MAX = PARTS_MAX * BYTES_A_PART
_T = TypeVar("_T")
Content = bytes | memoryview


class Reader:
    """A place in the bytes of a component."""

    def __init__(
        self, content: Content, at: int = 0, spend: Callable[[int], None] | None = None
    ) -> None:
        """Begin at `at`; `spend` is told of items before they are read."""
        self.content, self.at, self._spend = content, at, spend

    def __bool__(self) -> bool:
        return self.at < len(self.content)

    def byte(self) -> int:
        """Return the next byte."""
        return self.take(1)[0]

    def take(self, count: int) -> Content:
        """Return the next bytes: a view, where a view is read."""
        found = self.content[self.at : self.at + count]
        if len(found) != count:
            raise Misuse(f"the component is cut off at byte {self.at}")
        self.at += count
        return found

    def number(self) -> int:
        """Return an unsigned LEB128 number of 32 bits."""
        value = self._leb(5)
        if value >> 32:
            raise Misuse(f"a number at byte {self.at} is too large")
        return value

    def signed(self) -> int:
        """Return a signed LEB128 number of 33 bits."""
        start = self.at
        value = self._leb(5)
        width = 7 * (self.at - start)
        return value - (1 << width) if value >> width - 1 else value

    def name(self) -> str:
        """Return a name."""
        try:
            return str(self.take(self.number()), "utf-8")
        except UnicodeDecodeError:
            raise Misuse(f"a name at byte {self.at} is not UTF-8") from None

    def all(self, one: Callable[[], _T]) -> list[_T]:
        """Return as many as are announced."""
        count = self.number()
        if count > _ITEMS_MAX:
            raise Misuse(f"{count} items at byte {self.at} are too many")
        if self._spend is not None:
            self._spend(count)
        return [one() for _ in range(count)]

    def _leb(self, bytes_max: int) -> int:
        value = 0
        for shift in range(0, 7 * bytes_max, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise Misuse(f"a number at byte {self.at} does not end")


def is_component(wasm: Content) -> bool:
    """Say whether these are the first bytes of a component."""
    return wasm[:8] == MAGIC


def part_name(first: str, number: int) -> str:
    """Return the name of file `number` of a compiled guest whose first one is called `first`."""
    return f"{first}.{number}" if number else first


def sections(content: Content) -> Iterator[tuple[int, Content]]:
    """Yield the sections of a component, each with its number."""
    reader = Reader(content)
    if reader.take(8) != MAGIC:
        raise Misuse("this is not a component of the present binary format")
    while reader:
        kind = reader.byte()
        yield kind, reader.take(reader.number())


def taken_apart(
    content: Content, modules: list[memoryview], depth: int = 0, left: Iterator[int] | None = None
) -> bytes:
    """Put every core module into `modules`; return the component with their numbers instead.

    Where a module was there are now its number, and how many memories it has of its own. Nothing
    large is copied: a component of 60 MB may lie in sixteen others.
    """
    left = iter(range(_SECTIONS_MAX)) if left is None else left
    if depth > _DEPTH_MAX:
        raise Misuse("components are nested too deeply")
    skeleton = bytearray(MAGIC)
    for kind, body in sections(memoryview(content)):
        _spend(left)
        if kind == 0:
            continue
        if kind == CORE_MODULE:
            if len(modules) == MODULES_MAX:
                raise Misuse(f"the component has more than {MODULES_MAX} core modules")
            modules.append(memoryview(body))
            body = _leb(len(modules) - 1) + _leb(_memories(body, left))
        elif kind == COMPONENT:
            body = taken_apart(body, modules, depth + 1, left)
        if len(skeleton) + len(body) > _SKELETON_BYTES_MAX:
            raise Misuse("the component is made of too many parts")
        skeleton += bytes([kind]) + _leb(len(body))
        skeleton += body
    return bytes(skeleton)


def _memories(module: Content, left: Iterator[int]) -> int:
    """Count the memories that a core module defines."""
    reader, count = Reader(module, len(CORE_MAGIC)), 0
    while reader:
        kind, body = reader.byte(), Reader(reader.take(reader.number()))
        # Attack: a million imports, each an object of ours before the call has begun.
        _spend(left, body.number() if kind == _IMPORT else 1)
        count += body.number() if kind == _MEMORY else 0
    return count


def _spend(left: Iterator[int], count: int = 1) -> None:
    if sum(1 for _ in islice(left, count)) < count:
        raise Misuse(f"the component has more than {_SECTIONS_MAX:,} sections and imports")


def _leb(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
