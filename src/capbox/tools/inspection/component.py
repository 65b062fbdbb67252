"""A component, as far as a reviewer asks: what it can ask for, and which functions it offers.

Guarantees: any bytes give a `Component` or a sentence that says why not; nothing is run or
compiled. A type that JSON cannot say (a resource) is named, not left out. Does not: judge.
"""

from __future__ import annotations

from dataclasses import dataclass

from capbox.messages import Json, JsonObject
from capbox.sandbox.component.binary import taken_apart
from capbox.sandbox.component.scope import read_plan
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
from capbox.sandbox.component.values import RANGES, wrapped
from capbox.sandbox.component.wasi.signatures import FUNCTIONS, described, shown
from capbox.tools.inspection.powers import Power, device

COMMAND, TOOL = "wasi:cli/run.run", "capbox:tool/tool.call"
_WORDS_MAX = 250_000  # 300 bytes each as a schema (measured)
_OPENING = "wasi:filesystem/types.[method]descriptor.open-at"
_GROUPS = {
    "wasi:filesystem": (
        "files",
        "may ask to open, list, read, write, move and delete paths: it gets what the run holds and "
        "its manifest requests, and has a private /tmp",
    ),
    "wasi:http": (
        "network",
        "may send HTTP requests: each goes to the broker, and needs a fetch grant",
    ),
    "wasi:clocks": ("clock", "reads the clock and may sleep, within the time limit of the call"),
    "wasi:random": ("randomness", "gets random bytes, another seed each call"),
    "wasi:cli": (
        "arguments and environment",
        "reads its words, its input and a fixed environment, and writes its output",
    ),
    "wasi:io": ("input and output", "uses streams of what it has opened, and waits for them"),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """A function that it offers: its type in words, and the JSON Schema of its arguments.

    `schema` is None if JSON cannot say its type.
    """

    name: str
    words: str
    schema: JsonObject | None


@dataclass(frozen=True, slots=True)
class Component:
    """What was found. `refused` are functions that it imports and nobody gives it here."""

    modules: int
    memories: int
    powers: tuple[Power, ...]
    refused: tuple[str, ...]
    exports: tuple[Exported, ...]

    @property
    def obstacles(self) -> tuple[str, ...]:
        """Return why capbox cannot run it, one sentence each; none if it can."""
        names = {exported.name for exported in self.exports}
        callable_ones = [exported for exported in self.exports if exported.schema is not None]
        if names.isdisjoint((COMMAND, TOOL)) and not callable_ones:
            return ("exports neither wasi:cli/run nor a function that JSON can call",)
        return ()


def read_component(content: bytes) -> Component | str:
    """Read a component; `content` is the whole file."""
    modules: list[memoryview] = []
    try:
        plan = read_plan(taken_apart(content, modules))
        for one in plan.imports:
            if one.name in FUNCTIONS and shown(one.signature) != FUNCTIONS[one.name][1]:
                return f"imports {one.name[:120]} with another type than WASI 0.2 gives it"
        functions, left = sorted(plan.functions().items()), _WORDS_MAX
        for _, function in functions:
            left -= function.signature.words
            if left < 0:
                return "the types of its functions are too large"
        exports = tuple(_exported(n, f.signature) for n, f in functions)
    except Misuse as misuse:
        return str(misuse)
    names = sorted({one.name for one in plan.imports})
    known = [name for name in names if name in FUNCTIONS]
    return Component(
        modules=len(modules),
        memories=plan.memories,
        powers=tuple(_powers(known)),
        refused=tuple(name for name in names if name not in FUNCTIONS),
        exports=exports,
    )


def schema_of(kind: Type) -> JsonObject:
    """Return the JSON Schema of a type's values. Raises Misuse for what JSON cannot say."""
    match kind:
        case Scalar():
            return _scalar(kind.name)
        case Text():
            return {"type": "string"}
        case ListOf(of_bytes=True):
            return {"type": "string", "contentEncoding": "base64"}
        case ListOf():
            return {"type": "array", "items": schema_of(kind.item)}
        case Record(named=True):
            needed: list[Json] = [name for name, inner in kind.fields if not wrapped(inner)]
            return {
                "type": "object",
                "properties": {name: schema_of(inner) for name, inner in kind.fields},
                "required": needed,
                "additionalProperties": False,
            }
        case Record():
            items: list[Json] = [schema_of(inner) for _, inner in kind.fields]
            count = len(items)
            return {"type": "array", "prefixItems": items, "minItems": count, "maxItems": count}
        case Flags():
            names: list[Json] = list(kind.names)
            return {"type": "array", "items": {"enum": names}, "uniqueItems": True}
        case Variant():
            return _variant(kind)
        case _:
            raise Misuse("a resource has no JSON")


def _exported(name: str, signature: Signature) -> Exported:
    words = ", ".join(f"{label}: {described(kind)}" for label, kind in signature.params)
    result = "nothing" if signature.result is None else described(signature.result)
    try:
        schema = schema_of(signature.taken)
        if signature.result is not None:
            schema_of(signature.result)
    except Misuse:
        schema = None
    return Exported(name, f"({words}) -> {result}", schema)


def _powers(known: list[str]) -> list[Power]:
    found: list[Power] = []
    for package, (name, words) in _GROUPS.items():
        imports = tuple(one for one in known if one.startswith(f"{package}/"))
        if imports:
            found.append(Power(name, words, imports))
    return [*found, *device(known, _OPENING)]


def _scalar(name: str) -> JsonObject:
    if name in RANGES:
        low, high = RANGES[name]
        return {"type": "integer", "minimum": low, "maximum": high}
    if name == "char":
        return {"type": "string", "minLength": 1, "maxLength": 1}
    return {"type": "boolean" if name == "bool" else "number"}


def _variant(kind: Variant) -> JsonObject:
    if kind.form == "option":
        inner = dict(kind.cases)["some"]
        if inner is not None and not wrapped(inner):
            return {"anyOf": [schema_of(inner), {"type": "null"}]}
    plain: list[Json] = [name for name, inner in kind.cases if inner is None]
    if kind.form == "option":
        plain = [None]
    cases: list[Json] = [{"enum": plain}] if plain else []
    for name, inner in kind.cases:
        if inner is not None:
            properties: JsonObject = {name: schema_of(inner)}
            cases.append(
                {
                    "type": "object",
                    "properties": properties,
                    "required": [name],
                    "additionalProperties": False,
                }
            )
    return {"enum": plain} if len(cases) == 1 and plain else {"anyOf": cases}
