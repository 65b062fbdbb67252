"""What is surely wrong with a manifest, although it is one: told to its author, and to no other.

A schema with a misspelt word is a schema all the same, which asks for less than was meant.
Guarantees: nothing is run; each mistake has its place. Does not: refuse: a tool that is installed
stays usable, whatever is said here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import chain, islice

from capbox.gate.approver import neutral
from capbox.gate.schema import Schema
from capbox.toml import read_toml
from capbox.tools.sdk.cases import cases_of
from capbox.tools.sdk.project import BuildError

SCHEMAS = ("input_schema", "output_schema")
_TYPES = ("string", "integer", "number", "boolean", "object", "array", "null")
# What applies to the same value, and what to a part of it (JSON Schema 2020-12, and before).
_SAME = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")
_ELSEWHERE = ("$ref", "$dynamicRef", "$recursiveRef", "patternProperties", *_SAME)
_TABLES = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_WITHIN = (
    *("items", "prefixItems", "additionalItems", "unevaluatedItems", "contains"),
    *("additionalProperties", "unevaluatedProperties", "propertyNames", "contentSchema"),
)
_KEYWORDS = frozenset(
    (
        *(
            *_ELSEWHERE,
            *_TABLES,
            *_WITHIN,
            "type",
            "const",
            "enum",
            "required",
            "dependentRequired",
        ),
        *("$schema", "$id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary"),
        *("multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "pattern"),
        *("maxLength", "minLength", "maxItems", "minItems", "uniqueItems", "maxContains"),
        *("minContains", "maxProperties", "minProperties", "title", "description", "default"),
        *("deprecated", "readOnly", "writeOnly", "examples", "format", "contentEncoding"),
        *("contentMediaType", "$comment"),
        # Of OpenAPI, which many schemas come from.
        *("example", "nullable", "discriminator", "xml", "externalDocs"),
    )
)
_ALIKE = 0.75
_CHARACTERS_MIN = 4  # "note" is no misspelt "not"
_MISTAKES_MAX, _CHARACTERS_MAX = 10, 500

_Object = Mapping[str, object]


def mistakes(text: str) -> tuple[str, ...]:
    """Return what is surely wrong with the schemas and cases of a manifest, one sentence each."""
    try:
        document = read_toml(text)
    except ValueError:
        return ()
    of_schemas = (_of_schema(document.get(key), key, frozenset()) for key in SCHEMAS)
    found = list(islice(chain.from_iterable(of_schemas), _MISTAKES_MAX))
    try:
        cases_of(text, "")
    except BuildError as error:
        found.append(error.reason)
    return tuple(neutral(one[:_CHARACTERS_MAX]) for one in found)


def _of_schema(schema: object, at: str, known: frozenset[str]) -> Iterator[str]:
    """Yield what is wrong with a schema; `known` are properties of the value it is for."""
    if not isinstance(schema, dict):
        return
    yield from _misspelt(schema, at)
    yield from _untyped(schema, at)
    yield from _unnamed(schema, at, known)
    yield from _unfit(schema, at)
    properties = schema.get("properties")
    known |= frozenset(properties) if isinstance(properties, dict) else frozenset()
    for key, inner in schema.items():
        same = known if key in _SAME else frozenset[str]()
        if key in _TABLES and isinstance(inner, dict):
            for name, one in inner.items():
                yield from _of_schema(one, f"{at}.{key}.{name}", same)
        elif isinstance(inner, list) and (key in _SAME or key in _WITHIN):
            for number, one in enumerate(inner):
                yield from _of_schema(one, f"{at}.{key}[{number}]", same)
        elif key in _SAME or key in _WITHIN:
            yield from _of_schema(inner, f"{at}.{key}", same)


def _misspelt(schema: _Object, at: str) -> Iterator[str]:
    for key in schema:
        meant = () if key in _KEYWORDS else get_close_matches(key, _KEYWORDS, 1, _ALIKE)
        if meant and len(meant[0]) >= _CHARACTERS_MIN:
            yield f"{at}.{key}: is no word of a schema, so nothing looks at it; {meant[0]} is one"


def _untyped(schema: _Object, at: str) -> Iterator[str]:
    given = schema.get("type")
    for kind in given if isinstance(given, list) else [given]:
        if kind is not None and kind not in _TYPES:
            yield f"{at}.type: {kind!r} is no type; there are: {', '.join(_TYPES)}"


def _unnamed(schema: _Object, at: str, known: frozenset[str]) -> Iterator[str]:
    """Yield the required properties that are described nowhere, where they would have to be."""
    required, properties = schema.get("required"), schema.get("properties", {})
    if not isinstance(required, list) or not isinstance(properties, dict):
        return
    if any(key in schema for key in _ELSEWHERE) or _is_open(schema):
        return
    if "properties" not in schema and at not in SCHEMAS:
        return
    there = f"there are: {', '.join(properties)}" if properties else "there are none"
    for name in required:
        if isinstance(name, str) and name not in properties and name not in known:
            yield f"{at}.required: {name!r} is no property; {there}"


def _is_open(schema: _Object) -> bool:
    return schema.get("additionalProperties", False) is not False


def _unfit(schema: _Object, at: str) -> Iterator[str]:
    """Yield why a default is no value of its own schema."""
    if "default" not in schema or any(key in schema for key in _ELSEWHERE[:3]):
        return
    try:
        given = json.loads(json.dumps(schema))
        value = {"default": given.pop("default")}
        fitting = Schema({"properties": {"default": given}})
        complaints = fitting.complaints(value, characters=len(json.dumps(value)))
    except (ValueError, TypeError, RecursionError):
        return  # it refers to another part, or is no schema: that is told elsewhere
    yield from (f"{at}.{complaint}" for complaint in complaints)
