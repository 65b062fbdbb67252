"""Typed values as JSON: the arguments of an exported function, and what it gives back.

Guarantees: a value fits its type, or is refused with the place where it does not; what comes out is
JSON that any reader takes. Records are objects, tuples arrays, options values or null, enums texts,
variants and results objects of one key (a case without a value: its name), flags arrays of texts,
bytes base64. Does not: take resources, which have no meaning outside of the component.
"""

from __future__ import annotations

import base64
import binascii
import math
import sys

from capbox.messages import Json
from capbox.sandbox.component.side import Misuse
from capbox.sandbox.component.types import (
    Flags,
    ListOf,
    Record,
    Scalar,
    Signature,
    Text,
    Type,
    Variant,
)

RANGES = {f"{s}{b}": (-(1 << b - 1) if s == "s" else 0, (1 << b - (s == "s")) - 1)
          for s in "us" for b in (8, 16, 32, 64)}  # fmt: skip
_LARGEST = {"f32": (2 - 2**-23) * 2.0**127, "f64": sys.float_info.max}


class Unfit(Exception):
    """An argument does not fit its type; the message says where, and what is expected."""


def arguments(signature: Signature, given: Json) -> tuple[object, ...]:
    """Return the values of a function's parameters. Raises Unfit or Misuse."""
    taken = from_json(signature.taken, given, "arguments")
    return taken if isinstance(taken, tuple) else ()


def from_json(kind: Type, value: Json, where: str) -> object:
    """Return a value of this type. Raises Unfit, or Misuse for a type that JSON cannot say."""
    match kind:
        case Scalar():
            return _scalar(kind.name, value, where)
        case Text():
            if isinstance(value, str) and _encodable(value):
                return value
            raise Unfit(f"{where}: a text is expected")
        case ListOf():
            return _list(kind, value, where)
        case Record(named=True):
            return _record(kind, value, where)
        case Record():
            if not isinstance(value, list) or len(value) != len(kind.fields):
                raise Unfit(f"{where}: an array of {len(kind.fields)} values is expected")
            pairs = zip(kind.fields, value, strict=True)
            return tuple(from_json(k, v, f"{where}[{name}]") for (name, k), v in pairs)
        case Flags():
            if isinstance(value, list) and all(v in kind.names for v in value):
                return frozenset(map(str, value))
            raise Unfit(f"{where}: an array of some of {', '.join(kind.names)} is expected")
        case Variant():
            return _variant(kind, value, where)
        case _:
            raise Misuse("a function takes resources, which cannot be given as JSON")


def to_json(kind: Type, value: object) -> Json:
    """Return a value of this type as JSON. Raises Misuse for a type that JSON cannot say."""
    match kind, value:
        case Scalar(), bool() | int() | str():
            return value
        case Scalar(), float():
            return value if math.isfinite(value) else str(value)
        case Text(), str():
            return value
        case ListOf(), bytes():
            return base64.b64encode(value).decode()
        case ListOf(), list():
            return [to_json(kind.item, item) for item in value]
        case Record(named=True), tuple():
            pairs = zip(kind.fields, value, strict=True)
            return {name: to_json(k, item) for (name, k), item in pairs}
        case Record(), tuple():
            return [to_json(k, v) for (_, k), v in zip(kind.fields, value, strict=True)]
        case Flags(), frozenset():
            return [name for name in kind.names if name in value]
        case Variant(), (str(name), item):
            return _case_as_json(kind, name, item)
        case _:
            raise Misuse("a function gives resources, which cannot be shown as JSON")


def wrapped(kind: Type | None) -> bool:
    """Say whether null would be taken for a value of its own: an option of such is an object."""
    return isinstance(kind, Variant) and kind.form == "option"


def _scalar(name: str, value: Json, where: str) -> object:
    if name in RANGES:
        low, high = RANGES[name]
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise Unfit(f"{where}: a whole number from {low} to {high} is expected")
    if name == "bool" and isinstance(value, bool):
        return value
    if name == "char" and isinstance(value, str) and len(value) == 1 and _encodable(value):
        return value
    if name in _LARGEST and isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) <= _LARGEST[name] else math.inf
        if math.isfinite(number):
            return number
    wanted = {"bool": "true or false", "char": "one character"}.get(name, "a number of its range")
    raise Unfit(f"{where}: {wanted} is expected")


def _list(kind: ListOf, value: Json, where: str) -> object:
    if not kind.of_bytes:
        if not isinstance(value, list):
            raise Unfit(f"{where}: an array is expected")
        return [from_json(kind.item, item, f"{where}[{n}]") for n, item in enumerate(value)]
    try:
        return base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except (binascii.Error, ValueError):
        raise Unfit(f"{where}: bytes in base64 are expected") from None


def _record(kind: Record, value: Json, where: str) -> object:
    if not isinstance(value, dict):
        raise Unfit(f"{where}: an object is expected")
    unknown = set(value).difference(name for name, _ in kind.fields)
    if unknown:
        raise Unfit(f"{where}: there is no {min(unknown)[:64]!r}")
    found = []
    for name, field in kind.fields:
        if name not in value and not wrapped(field):
            raise Unfit(f"{where}.{name}: is missing")
        found.append(from_json(field, value.get(name), f"{where}.{name}"))
    return tuple(found)


def _variant(kind: Variant, value: Json, where: str) -> object:
    cases = dict(kind.cases)
    if kind.form == "option":
        some = cases["some"]
        if value is None:
            return "none", None
        if some is not None and not wrapped(some):
            return "some", from_json(some, value, where)
    if isinstance(value, str) and value in cases and cases[value] is None:
        return value, None
    if isinstance(value, dict) and len(value) == 1:
        ((name, item),) = value.items()
        inner = cases.get(name)
        if inner is not None:
            return name, from_json(inner, item, f"{where}.{name}")
    names = (n if k is None else f'{{"{n}": ...}}' for n, k in kind.cases)
    raise Unfit(f"{where}: one of {', '.join(names)} is expected")


def _case_as_json(kind: Variant, name: str, item: object) -> Json:
    inner = dict(kind.cases)[name]
    if kind.form == "option" and not wrapped(inner):
        return None if inner is None or name == "none" else to_json(inner, item)
    if kind.form == "option" and name == "none":
        return None
    return name if inner is None else {name: to_json(inner, item)}


def _encodable(text: str) -> bool:
    return not any(0xD800 <= ord(character) < 0xE000 for character in text)
