"""Reads the types of values and functions of a component.

Guarantees: a type refers only to those before it, which `lookup` finds by their number; what is not
understood is refused by name. Source: the component model's Binary.md.
"""

from __future__ import annotations

from collections.abc import Callable

from capbox.sandbox.component.binary import Reader
from capbox.sandbox.component.side import Misuse, Resource
from capbox.sandbox.component.types import (
    Flags,
    Handle,
    ListOf,
    Record,
    Scalar,
    Signature,
    Text,
    Type,
    Variant,
)

_PRIMITIVES = {
    **{0x7F: "bool", 0x7E: "s8", 0x7D: "u8", 0x7C: "s16", 0x7B: "u16", 0x7A: "s32", 0x79: "u32"},
    **{0x78: "s64", 0x77: "u64", 0x76: "f32", 0x75: "f64", 0x74: "char"},
}
_STRING = 0x73
Lookup = Callable[[int], object]


def signature(reader: Reader, lookup: Lookup) -> Signature:
    """Read the type of a function."""
    params = reader.all(lambda: (reader.name(), value_type(reader, lookup)))
    if reader.byte() == 0:
        return Signature(tuple(params), value_type(reader, lookup))
    if reader.byte():
        raise Misuse("a function has named results, which are not supported")
    return Signature(tuple(params), None)


def value_type(reader: Reader, lookup: Lookup) -> Type:
    """Read a type of values: a number of one, or one without parts."""
    number = reader.signed()
    if number < 0:
        return _primitive(number + 0x80)
    found = lookup(number)
    if not isinstance(found, Type):
        raise Misuse("something else than a type of values was referred to")
    return found


def defined_type(reader: Reader, lookup: Lookup) -> Type:
    """Read a type of values that is being defined."""

    def value() -> Type:
        return value_type(reader, lookup)

    def perhaps() -> Type | None:
        return value() if reader.byte() else None

    def case() -> tuple[str, Type | None]:
        name, kind, _ = reader.name(), perhaps(), reader.byte()
        return name, kind

    kind = reader.byte()
    match kind:
        case 0x72:
            return Record(reader.all(lambda: (reader.name(), value())))
        case 0x71:
            return Variant("variant", reader.all(case))
        case 0x70:
            return ListOf(value())
        case 0x6F:
            kinds = reader.all(value)
            return Record([(str(n), k) for n, k in enumerate(kinds)], named=False)
        case 0x6E:
            return Flags(reader.all(reader.name))
        case 0x6D:
            return Variant("enum", [(name, None) for name in reader.all(reader.name)])
        case 0x6B:
            return Variant("option", [("none", None), ("some", value())])
        case 0x6A:
            return Variant("result", [("ok", perhaps()), ("err", perhaps())])
        case 0x69 | 0x68:
            resource = lookup(reader.number())
            if not isinstance(resource, Resource):
                raise Misuse("a handle of something that is no resource")
            return Handle(resource, own=kind == 0x69)
        case _:
            return _primitive(kind)


def _primitive(code: int) -> Type:
    if code == _STRING:
        return Text()
    if code not in _PRIMITIVES:
        raise Misuse(f"a type of kind {code:#x} is not supported")
    return Scalar(_PRIMITIVES[code])
