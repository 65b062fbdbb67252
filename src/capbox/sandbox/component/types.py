"""The types of the component model: what a value is in memory, in core parameters, and in words.

Guarantees: a value is read only inside the memory of the component that it comes from, its size is
bounded, and what does not fit its type raises `Misuse`. Does not: call anything, or know WASI.

Values: bool, int, float and str as they are, `list<u8>` is bytes, a list a list, a record or tuple
a tuple, a variant, enum, option or result `(case, value)`, flags a frozenset, a handle its thing.
Source: the component model's CanonicalABI.md. Core values are raw bits, one letter each: `i` and
`I` are an i32 and an i64, `f` and `F` an f32 and an f64.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct

from capbox.sandbox.component.extent import deeper, sized, worded
from capbox.sandbox.component.side import ELEMENT_BYTES, Misuse, Resource, Side

FLAT_PARAMS_MAX = 16
_FLAT_MAX = FLAT_PARAMS_MAX + 1  # from there on the letters do not matter: it travels in memory
_UTF16_TAG = 1 << 31
_U32_MASK = 0xFFFFFFFF


class _Layout:
    """What all types have: size and alignment in memory, and letters of their core values.

    `words` is how long it is about when it is written out, its parts with it.
    """

    size: int
    align: int
    flat: str
    depth: int = 0
    words: int = 1


_LAYOUTS = {
    **{"bool": "B", "u8": "B", "s8": "b", "u16": "H", "s16": "h", "u32": "I", "s32": "i"},
    **{"u64": "Q", "s64": "q", "f32": "f", "f64": "d", "char": "I"},
}
_FLAT = {"u64": "I", "s64": "I", "f32": "f", "f64": "F"}
_WIDE, _NARROW = Struct("<Q"), Struct("<I")


class Scalar(_Layout):
    """A number, a truth value or a character."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._struct = Struct(f"<{_LAYOUTS[name]}")
        self.size = self.align = self._struct.size
        self.flat = _FLAT.get(name, "i")
        self._core = _WIDE if self.flat in "IF" else _NARROW

    def load(self, side: Side, at: int) -> object:
        """Read it."""
        return self._checked(self._struct.unpack(side.memory.slice(at, self.size))[0])

    def store(self, side: Side, value: object, at: int) -> None:
        """Write it."""
        side.memory.write(at, self._struct.pack(ord(value) if isinstance(value, str) else value))

    def lift(self, side: Side, slots: Iterator[int]) -> object:
        """Take it, cut to its width."""
        raw = self._core.pack(next(slots) & (1 << 8 * self._core.size) - 1)
        return self._checked(self._struct.unpack_from(raw)[0])

    def lower(self, side: Side, value: object) -> list[int]:
        """Return its bits, a signed number's to the width of its core value."""
        if isinstance(value, int) and self.flat in "iI":
            return [value & (1 << 8 * self._core.size) - 1]
        if isinstance(value, str):
            return [ord(value)]
        return [self._core.unpack(self._struct.pack(value))[0]]

    def _checked(self, value: bool | float) -> object:
        if self.name == "bool":
            return bool(value)
        if self.name == "char":
            if not isinstance(value, int) or value > 0x10FFFF or 0xD800 <= value < 0xE000:
                raise Misuse("a character is none")
            return chr(value)
        return value


class Text(_Layout):
    """A string, in the encoding that the component chose."""

    size, align, flat = 8, 4, "ii"

    def load(self, side: Side, at: int) -> object:
        """Read it."""
        return self._text(side, *_PAIR.unpack(side.memory.slice(at, 8)))

    def store(self, side: Side, value: object, at: int) -> None:
        """Write it."""
        side.memory.write(at, _PAIR.pack(*self.lower(side, value)))

    def lift(self, side: Side, slots: Iterator[int]) -> object:
        """Take it."""
        return self._text(side, next(slots), next(slots))

    def lower(self, side: Side, value: object) -> list[int]:
        """Have it written to new room."""
        text = str(value)
        if side.encoding == "utf-8":
            content = text.encode()
            return [side.place(content, 1), len(content)]
        content = text.encode("utf-16-le")
        tag = _UTF16_TAG if side.encoding == "latin1+utf-16" else 0
        return [side.place(content, 2), len(content) // 2 | tag]

    def _text(self, side: Side, pointer: int, length: int) -> str:
        encoding = side.encoding
        if encoding == "latin1+utf-16":
            encoding = "utf-16-le" if length & _UTF16_TAG else "latin-1"
            length &= ~_UTF16_TAG
        wide = 2 if encoding == "utf-16-le" else 1
        try:
            return side.copied(pointer, wide * length).decode(encoding)
        except UnicodeDecodeError:
            raise Misuse("a text is not in its encoding") from None


_PAIR = Struct("<II")


class ListOf(_Layout):
    """A list; of bytes in one piece."""

    size, align, flat = 8, 4, "ii"

    def __init__(self, item: Type) -> None:
        self.item, self.depth = item, deeper([item.depth])
        self.words = worded((), [item.words])
        self.of_bytes = isinstance(item, Scalar) and item.name == "u8"

    def load(self, side: Side, at: int) -> object:
        """Read it."""
        return self._items(side, *_PAIR.unpack(side.memory.slice(at, 8)))

    def store(self, side: Side, value: object, at: int) -> None:
        """Write it."""
        side.memory.write(at, _PAIR.pack(*self.lower(side, value)))

    def lift(self, side: Side, slots: Iterator[int]) -> object:
        """Take it."""
        return self._items(side, next(slots), next(slots))

    def lower(self, side: Side, value: object) -> list[int]:
        """Have it written to new room."""
        if isinstance(value, bytes):
            return [side.place(value, 1), len(value)]
        if not isinstance(value, list):
            raise TypeError("a list is expected")
        size = self.item.size
        start = side.room(size * len(value), self.item.align)
        for number, item in enumerate(value):
            self.item.store(side, item, start + size * number)
        return [start, len(value)]

    def _items(self, side: Side, pointer: int, length: int) -> object:
        if self.of_bytes:
            return side.copied(pointer, length)
        size = self.item.size
        side.memory.slice(pointer, size * length)
        if pointer % self.item.align:
            raise Misuse("a list is not aligned")
        side.spend(ELEMENT_BYTES * length)
        return [self.item.load(side, pointer + size * number) for number in range(length)]


class Record(_Layout):
    """A record, or a tuple: `fields` of that are called "0", "1" and so on."""

    def __init__(self, fields: Sequence[tuple[str, Type]], *, named: bool = True) -> None:
        self.fields, self.named = tuple(fields), named
        self.depth = deeper(kind.depth for _, kind in fields)
        self.words = worded((n for n, _ in fields), (kind.words for _, kind in fields))
        self.align = max((kind.align for _, kind in self.fields), default=1)
        self.flat = "".join(kind.flat for _, kind in self.fields)[:_FLAT_MAX]
        self._placed: list[tuple[int, Type]] = []
        end = 0
        for _, kind in self.fields:
            at = _aligned(end, kind.align)
            self._placed.append((at, kind))
            end = at + kind.size
        self.size = sized(_aligned(end, self.align))

    def load(self, side: Side, at: int) -> object:
        """Read it."""
        side.spend(ELEMENT_BYTES * (1 + len(self.fields)))
        return tuple(kind.load(side, at + offset) for offset, kind in self._placed)

    def store(self, side: Side, value: object, at: int) -> None:
        """Write it."""
        for (offset, kind), item in zip(self._placed, _items(value), strict=True):
            kind.store(side, item, at + offset)

    def lift(self, side: Side, slots: Iterator[int]) -> object:
        """Take it."""
        return tuple(kind.lift(side, slots) for _, kind in self._placed)

    def lower(self, side: Side, value: object) -> list[int]:
        """Return what its fields are."""
        pairs = zip(self._placed, _items(value), strict=True)
        return [slot for (_, kind), item in pairs for slot in kind.lower(side, item)]


class Variant(_Layout):
    """One of several cases; `form` is variant, enum, option or result."""

    def __init__(self, form: str, cases: Sequence[tuple[str, Type | None]]) -> None:
        self.form, self.cases = form, tuple(cases)
        kinds = [kind for _, kind in self.cases if kind is not None]
        self.depth = deeper(kind.depth for kind in kinds)
        self.words = worded((n for n, _ in self.cases), (kind.words for kind in kinds))
        count = len(self.cases)
        self._tag = Scalar("u8" if count <= 1 << 8 else "u16" if count <= 1 << 16 else "u32")
        self.align = max(self._tag.align, *(kind.align for kind in kinds), 1)
        self._at = _aligned(self._tag.size, max((kind.align for kind in kinds), default=1))
        size = self._at + max((kind.size for kind in kinds), default=0)
        self.size = sized(_aligned(size, self.align))
        self._joined = _joined([kind.flat for kind in kinds])
        self.flat = f"i{self._joined}"[:_FLAT_MAX]
        self._numbers = {name: number for number, (name, _) in enumerate(self.cases)}

    def load(self, side: Side, at: int) -> object:
        """Read it."""
        name, kind = self._case(self._tag.load(side, at))
        return name, None if kind is None else kind.load(side, at + self._at)

    def store(self, side: Side, value: object, at: int) -> None:
        """Write it."""
        number, kind, item = self._chosen(value)
        self._tag.store(side, number, at)
        if kind is not None:
            kind.store(side, item, at + self._at)

    def lift(self, side: Side, slots: Iterator[int]) -> object:
        """Take it: every case takes as many core values as the longest."""
        name, kind = self._case(next(slots) & _U32_MASK)
        taken = [next(slots) for _ in self._joined]
        return name, None if kind is None else kind.lift(side, iter(taken))

    def lower(self, side: Side, value: object) -> list[int]:
        """Return its number, and the core values of its case, filled up with zeros."""
        number, kind, item = self._chosen(value)
        slots = [] if kind is None else kind.lower(side, item)
        return [number, *slots, *([0] * (len(self._joined) - len(slots)))]

    def _case(self, number: object) -> tuple[str, Type | None]:
        if not isinstance(number, int) or number >= len(self.cases):
            raise Misuse(f"there is no case {number}")
        return self.cases[number]

    def _chosen(self, value: object) -> tuple[int, Type | None, object]:
        name, item = _items(value)
        number = self._numbers[str(name)]
        return number, self.cases[number][1], item


class Flags(_Layout):
    """A set of names, at most 32."""

    flat = "i"

    def __init__(self, names: Sequence[str]) -> None:
        if len(names) > 32:
            raise Misuse("a type has more than 32 flags")
        self.names = tuple(names)
        self.words = worded(self.names, ())
        self._bits = Scalar("u8" if len(names) <= 8 else "u16" if len(names) <= 16 else "u32")
        self.size = self.align = self._bits.size

    def load(self, side: Side, at: int) -> object:
        """Read it."""
        return self._set(self._bits.load(side, at))

    def store(self, side: Side, value: object, at: int) -> None:
        """Write it."""
        self._bits.store(side, self.lower(side, value)[0], at)

    def lift(self, side: Side, slots: Iterator[int]) -> object:
        """Take it."""
        return self._set(next(slots))

    def lower(self, side: Side, value: object) -> list[int]:
        """Return its bits."""
        chosen = value if isinstance(value, frozenset) else frozenset()
        return [sum(1 << n for n, name in enumerate(self.names) if name in chosen)]

    def _set(self, bits: object) -> frozenset[str]:
        number = bits if isinstance(bits, int) else 0
        return frozenset(name for n, name in enumerate(self.names) if number >> n & 1)


class Handle(_Layout):
    """A thing of a resource, given away (`own`) or lent for the call."""

    size, align, flat = 4, 4, "i"

    def __init__(self, resource: Resource, *, own: bool) -> None:
        self.resource, self.own = resource, own

    def load(self, side: Side, at: int) -> object:
        """Read it."""
        return self._thing(side, _NARROW.unpack(side.memory.slice(at, 4))[0])

    def store(self, side: Side, value: object, at: int) -> None:
        """Write it."""
        side.memory.put_u32(at, self.lower(side, value)[0])

    def lift(self, side: Side, slots: Iterator[int]) -> object:
        """Take it."""
        return self._thing(side, next(slots))

    def lower(self, side: Side, value: object) -> list[int]:
        """Give it a number, but what a component is lent of its own: that it knows already."""
        if not self.own and side.handles.owner == self.resource.owner and isinstance(value, int):
            return [value]
        return [side.handles.add(self.resource, value, own=self.own)]

    def _thing(self, side: Side, number: int) -> object:
        if not self.own:
            return side.handles.get(self.resource, number)
        thing, own = side.handles.take(self.resource, number)
        if not own:
            raise Misuse(f"{number} was lent, and cannot be given away")
        return thing


Type = Scalar | Text | ListOf | Record | Variant | Flags | Handle
"""Each has `load` and `store` of memory, `lift` and `lower` of core values."""


@dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """What a function takes and gives."""

    params: tuple[tuple[str, Type], ...]
    result: Type | None

    def __post_init__(self) -> None:
        """Raise Misuse if it is too long to be written out."""
        worded((n for n, _ in self.params), (kind.words for _, kind in self.params))

    @property
    def words(self) -> int:
        """Return how long it is about when it is written out."""
        return self.taken.words + (0 if self.result is None else self.result.words)

    @property
    def taken(self) -> Record:
        """Return all parameters as one."""
        return Record(self.params)


def _aligned(at: int, align: int) -> int:
    return -(-at // align) * align


def _joined(flats: list[str]) -> str:
    """Return the letters that hold the core values of any case."""
    joined: list[str] = []
    for flat in flats:
        for number, letter in enumerate(flat):
            if number == len(joined):
                joined.append(letter)
            elif joined[number] != letter:
                joined[number] = "i" if {joined[number], letter} <= {"i", "f"} else "I"
    return "".join(joined)


def _items(value: object) -> tuple[object, ...]:
    if not isinstance(value, tuple):
        raise TypeError("a tuple is expected")
    return value
