"""A core WebAssembly module, as far as a reviewer asks: what it imports, exports and was made by.

Guarantees: any bytes give a `Core` or a `Malformed`, in time and memory that are bounded by their
number. Does not: validate code, or run or compile anything. Follows the WebAssembly 3.0 binary
format (webassembly.github.io/spec/core/binary), and the tool conventions for `producers` and
`target_features`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from capbox.tools.inspection.octets import Malformed, Octets

MAGIC = b"\0asm"
CORE, COMPONENT = b"\1\0\0\0", b"\x0d\0\1\0"
PAGE_BYTES = 65_536
Kind = Literal["function", "table", "memory", "global", "tag"]
_KINDS: tuple[Kind, ...] = ("function", "table", "memory", "global", "tag")
_TYPES_MAX, _IMPORTS_MAX, _EXPORTS_MAX, _FUNCTIONS_MAX = 1_000_000, 100_000, 100_000, 1_000_000
_SECTIONS_MAX = 10_000
_TYPE_NAMES = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128"}
_REFERENCES_LONG = (0x63, 0x64)  # a heap type follows
_CUSTOM, _TYPE, _IMPORT, _FUNCTION, _TABLE, _MEMORY = range(6)
_EXPORT, _START, _CODE, _DATA = 7, 8, 10, 11


@dataclass(frozen=True, slots=True)
class Signature:
    """The type of a function: `("i32", "i64")` and the like."""

    params: tuple[str, ...]
    results: tuple[str, ...]

    def __str__(self) -> str:
        return f"({', '.join(self.params)}) -> {', '.join(self.results) or 'nothing'}"


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory: its pages at first and at most (None: as many as it is let)."""

    pages_min: int
    pages_max: int | None
    shared: bool = False
    wide: bool = False  # addressed with 64 bits


@dataclass(frozen=True, slots=True)
class Import:
    """Something that it wants to be given; the type of a function as far as it could be read."""

    module: str
    name: str
    kind: Kind
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """Something that it offers."""

    name: str
    kind: Kind
    signature: Signature | None = None


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made it, as it says: `field` is language, processed-by or sdk."""

    field: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Core:
    """What was found; sizes are in bytes. `customs` are sections that say something to tools."""

    imports: tuple[Import, ...]
    exports: tuple[Export, ...]
    memories: tuple[Memory, ...]
    tables: int
    functions: int
    starts: bool
    code_bytes: int
    data_bytes: int
    customs: tuple[tuple[str, int], ...]
    makers: tuple[Maker, ...]
    features: tuple[str, ...]


@dataclass(slots=True, eq=False)
class _Found:
    """What has been read so far."""

    types: list[Signature | None] = field(default_factory=list)
    imports: list[tuple[str, str, Kind, int]] = field(default_factory=list)
    defined: list[int] = field(default_factory=list)
    exports: list[tuple[str, Kind, int]] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)
    tables: int = 0
    starts: bool = False
    sizes: dict[int, int] = field(default_factory=dict)
    customs: list[tuple[str, int]] = field(default_factory=list)
    makers: list[Maker] = field(default_factory=list)
    features: list[str] = field(default_factory=list)

    def type_of(self, index: int) -> Signature | None:
        """Return a type by its index, if it is one of a function that could be read."""
        return self.types[index] if index < len(self.types) else None

    def functions(self) -> list[int]:
        """Return the type's index of every function; those that are imported come first."""
        return [*(place for *_, kind, place in self.imports if kind == "function"), *self.defined]


def read_core(content: bytes) -> Core | Malformed:
    """Read a module; `content` is the whole file."""
    if content[:8] != MAGIC + CORE:
        return Malformed(0, "this is not a WebAssembly module")
    found, octets = _Found(), Octets(content, 8)
    try:
        for _ in range(_SECTIONS_MAX):
            if not octets.left:
                return _read(found)
            _section(octets, found)
    except Malformed as error:
        return error
    return octets.wrong(f"it has more than {_SECTIONS_MAX:,} sections")


def _read(found: _Found) -> Core:
    functions = found.functions()

    def function(index: int) -> Signature | None:
        return found.type_of(functions[index]) if index < len(functions) else None

    return Core(
        imports=tuple(
            Import(module, name, kind, found.type_of(place) if kind == "function" else None)
            for module, name, kind, place in found.imports
        ),
        exports=tuple(
            Export(name, kind, function(index) if kind == "function" else None)
            for name, kind, index in found.exports
        ),
        memories=tuple(found.memories),
        tables=found.tables,
        functions=len(found.defined),
        starts=found.starts,
        code_bytes=found.sizes.get(_CODE, 0),
        data_bytes=found.sizes.get(_DATA, 0),
        customs=tuple(found.customs),
        makers=tuple(found.makers),
        features=tuple(found.features),
    )


def _section(octets: Octets, found: _Found) -> None:
    number, size = octets.byte(), octets.number()
    part = octets.part(size)
    found.sizes[number] = found.sizes.get(number, 0) + size
    read = _READERS.get(number)
    if read is not None:
        read(part, found)


def _custom(part: Octets, found: _Found) -> None:
    size, name = part.left, part.name()
    found.customs.append((name, size))
    try:
        if name == "producers":
            found.makers += (m for some in part.several(100, _makers) for m in some)
        elif name == "target_features":
            found.features += part.several(1_000, lambda o: (o.byte(), o.name())[1])
    except Malformed:
        return  # it only informs, and a module whose custom section is wrong is still valid


def _makers(octets: Octets) -> tuple[Maker, ...]:
    named = octets.name()
    return octets.several(1_000, lambda o: Maker(named, o.name(), o.name()))


def _types(part: Octets, found: _Found) -> None:
    count = part.number()
    if count > _TYPES_MAX:
        raise part.wrong(f"{count:,} types are announced")
    for _ in range(count):
        if part.byte() != 0x60:
            return  # a type of the garbage collector's: what follows is not read
        params, results = _values(part), _values(part)
        if params is None or results is None:
            return
        found.types.append(Signature(params, results))


def _values(octets: Octets) -> tuple[str, ...] | None:
    found: list[str] = []
    for _ in range(octets.number()):
        code = octets.byte()
        if code in _REFERENCES_LONG:
            return None
        found.append(_TYPE_NAMES.get(code, "reference"))
    return tuple(found)


def _imports(part: Octets, found: _Found) -> None:
    found.imports += part.several(_IMPORTS_MAX, lambda o: _import(o, found))


def _import(octets: Octets, found: _Found) -> tuple[str, str, Kind, int]:
    module, name, kind = octets.name(), octets.name(), _kind(octets)
    place = 0
    if kind == "function":
        place = octets.number()
    elif kind == "table":
        _table(octets)
    elif kind == "memory":
        found.memories.append(_memory(octets))
    elif kind == "global":
        _reference(octets)
        octets.byte()
    else:
        octets.byte()
        place = octets.number()
    return module, name, kind, place


def _kind(octets: Octets) -> Kind:
    number = octets.byte()
    if number >= len(_KINDS):
        raise octets.wrong(f"there is no kind {number} of import or export")
    return _KINDS[number]


def _reference(octets: Octets) -> None:
    """Pass over the type of a value."""
    if octets.byte() in _REFERENCES_LONG:
        octets.number(33)


def _table(octets: Octets) -> None:
    _reference(octets)
    _memory(octets)  # its limits are written alike


def _memory(octets: Octets) -> Memory:
    flags = octets.byte()
    if flags > 0x0F:
        raise octets.wrong(f"there are no limits of kind {flags}")
    wide = bool(flags & 4)
    least = octets.number(64 if wide else 32)
    most = octets.number(64 if wide else 32) if flags & 1 else None
    if flags & 8:
        octets.number()  # the size of a page
    return Memory(least, most, shared=bool(flags & 2), wide=wide)


def _functions(part: Octets, found: _Found) -> None:
    found.defined += part.several(_FUNCTIONS_MAX, Octets.number)


def _tables(part: Octets, found: _Found) -> None:
    found.tables += part.number()


def _memories(part: Octets, found: _Found) -> None:
    found.memories += part.several(_IMPORTS_MAX, _memory)


def _exports(part: Octets, found: _Found) -> None:
    found.exports += part.several(_EXPORTS_MAX, lambda o: (o.name(), _kind(o), o.number()))


def _start(_part: Octets, found: _Found) -> None:
    found.starts = True


_READERS: Mapping[int, Callable[[Octets, _Found], None]] = {
    _CUSTOM: _custom,
    _TYPE: _types,
    _IMPORT: _imports,
    _FUNCTION: _functions,
    _TABLE: _tables,
    _MEMORY: _memories,
    _EXPORT: _exports,
    _START: _start,
}
