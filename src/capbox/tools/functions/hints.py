"""From a callable's type hints and docstring to the arguments of a tool.

Guarantees: an argument has one JSON type, a list of one, or a choice of texts; nothing else can be
given, no null, no object, no name that the function does not have. What has no such reading is a
`HintError` that names the argument. Does not: call anything.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

from capbox.authority.values.kinds import KINDS, Kind
from capbox.gate.arguments import LISTED_MAX
from capbox.messages import Json, JsonObject

_JSON_TYPES: Mapping[object, Json] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    Decimal: ["number", "string"],
    date: "string",
}
_SPELT: Mapping[Kind, tuple[type, ...]] = {
    "amount": (Decimal, int, float, str),
    "id": (str, int),
    "date": (date, str),
}
_READERS: Mapping[object, Callable[[Json], object]] = {
    int: lambda given: int(given) if isinstance(given, str | int | float) else given,
    float: lambda given: float(given) if isinstance(given, str | int | float) else given,
    Decimal: lambda given: Decimal(str(given)),
    date: lambda given: date.fromisoformat(str(given)),
}
_ARGS = re.compile(r"^(?:Args|Arguments|Parameters):[ \t]*$", re.MULTILINE)
_SECTION = re.compile(r"^[A-Z]\w+:[ \t]*$", re.MULTILINE)
_ARG = re.compile(r"^[ \t]+(\w+)(?:[ \t]*\([^)\n]*\))?:[ \t]*(.*)$")


@dataclass(frozen=True, slots=True)
class Sink:
    """Marks an argument that says where an effect goes: `to: Annotated[str, Sink("email")]`."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class HintError:
    """Why an argument cannot be one of a tool."""

    argument: str
    message: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: its schema, whether a call has to give it, and how the function takes it."""

    name: str
    schema: JsonObject
    required: bool
    read: Callable[[Json], object]
    kind: Kind | None = None
    default: object = None


@dataclass(frozen=True, slots=True)
class _Hint:
    """What a hint says: `base` is a key of `_JSON_TYPES`, or the texts to choose from."""

    base: object
    listed: bool = False
    kind: Kind | None = None


def parameters_of(
    function: Callable[..., object], sinks: Mapping[str, Kind]
) -> tuple[Parameter, ...] | HintError:
    """Return the arguments of `function`; `sinks` names the kind of those that hints do not."""
    try:
        signature = inspect.signature(function)
        hints = get_type_hints(function, include_extras=True)
    except (TypeError, ValueError, NameError, AttributeError) as error:
        return HintError("", f"its type hints cannot be read: {error}")
    unknown = next((name for name in sinks if name not in signature.parameters), None)
    if unknown is not None:
        return HintError(unknown, "is named as a sink, and is no argument")
    described = _descriptions(inspect.getdoc(function) or "")
    found: list[Parameter] = []
    for name, parameter in signature.parameters.items():
        read = _parameter(parameter, hints.get(name), sinks.get(name), described.get(name))
        if isinstance(read, HintError):
            return read
        found.append(read)
    return tuple(found)


def schema_of(parameters: Iterable[Parameter]) -> JsonObject:
    """Return the JSON Schema of a call's arguments."""
    known = tuple(parameters)
    return {
        "type": "object",
        "properties": {parameter.name: parameter.schema for parameter in known},
        "required": [parameter.name for parameter in known if parameter.required],
        "additionalProperties": False,
    }


def description_of(function: Callable[..., object]) -> str:
    """Return the docstring without the part on its arguments and what follows it."""
    return _ARGS.split(inspect.getdoc(function) or "")[0].strip()


def _parameter(
    parameter: inspect.Parameter, given: object, kind: Kind | None, described: str | None
) -> Parameter | HintError:
    name = parameter.name
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        return HintError(name, "has no name of its own: no *args, **kwargs or positional-only ones")
    required = parameter.default is parameter.empty
    hint = _hint(given, optional=not required)
    if isinstance(hint, str):
        return HintError(name, hint)
    if kind is not None and hint.kind not in (None, kind):
        return HintError(name, f"is a sink of kind {kind} and of kind {hint.kind}")
    kind = kind or hint.kind
    reason = _mismatch(hint.base, kind)
    if reason is not None:
        return HintError(name, reason)
    schema = _schema(hint, kind) | ({} if described is None else {"description": described})
    default = None if required else parameter.default
    return Parameter(name, schema, required, _reader(hint), kind, default)


def _hint(given: object, *, optional: bool) -> _Hint | str:
    kind: Kind | None = None
    if get_origin(given) is Annotated:
        given, *marks = get_args(given)
        kind = next((mark.kind for mark in marks if isinstance(mark, Sink)), None)
    if get_origin(given) in (Union, types.UnionType):
        members = [member for member in get_args(given) if member is not type(None)]
        if len(members) != 1 or not optional:
            return "takes one type; `T | None` is for an argument with a default"
        inner = _hint(members[0], optional=False)
        return (
            inner if isinstance(inner, str) else _Hint(inner.base, inner.listed, kind or inner.kind)
        )
    if get_origin(given) is list:
        item = _hint(get_args(given)[0], optional=False)
        if isinstance(item, str) or item.listed:
            return "a list holds one simple type: list[str]"
        return _Hint(item.base, listed=True, kind=kind or item.kind)
    if get_origin(given) is Literal:
        texts = get_args(given)
        if not all(isinstance(text, str) for text in texts):
            return "a Literal holds texts only"
        return _Hint(texts, kind=kind)
    if given not in _JSON_TYPES:
        known = "str, int, float, bool, Decimal, date, Literal, a list of one of them, or `| None`"
        said = "has no type hint" if given is None else f"is {given!r}"
        return f"{said}; an argument is one of: {known}"
    return _Hint(given, kind=kind)


def _mismatch(base: object, kind: Kind | None) -> str | None:
    if kind is None:
        # Of an argument that is no sink nobody has read the text before the function gets it.
        needed = {Decimal: "amount", date: "date"}.get(base) if isinstance(base, type) else None
        return None if needed is None else f'is read as a sink only: Sink("{needed}")'
    if kind not in KINDS:
        return f"there is no kind {kind!r} of sink; there are: {', '.join(KINDS)}"
    wanted = _SPELT.get(kind, (str,))
    names = ", ".join(one.__name__ for one in wanted)
    return None if base in wanted else f"a sink of kind {kind} is one of: {names}, or a list of it"


def _schema(hint: _Hint, kind: Kind | None) -> dict[str, Json]:
    chosen = isinstance(hint.base, tuple)
    item: dict[str, Json] = (
        {"enum": list(hint.base)}
        if isinstance(hint.base, tuple)
        else {"type": _JSON_TYPES[hint.base]}
    )
    if kind is not None and not chosen:
        item["description"] = f"one {kind}"
    if not hint.listed:
        return item
    bound: dict[str, Json] = {} if kind is None else {"maxItems": LISTED_MAX}
    return {"type": "array", "items": item, **bound}


def _reader(hint: _Hint) -> Callable[[Json], object]:
    read = _READERS.get(hint.base) if isinstance(hint.base, type) else None
    if read is None:
        return lambda given: given
    if not hint.listed:
        return read
    return lambda given: [read(item) for item in given] if isinstance(given, list) else given


def _descriptions(doc: str) -> dict[str, str]:
    """Return what the `Args:` section of a docstring says of each argument."""
    _, *sections = _ARGS.split(doc, maxsplit=1)
    found: dict[str, str] = {}
    last = None
    for line in _SECTION.split(sections[0])[0].splitlines() if sections else ():
        match = _ARG.match(line)
        if match is not None:
            last = match[1]
            found[last] = match[2].strip()
        elif last is not None and line.strip():
            found[last] = f"{found[last]} {line.strip()}"
    return found
