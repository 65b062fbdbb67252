"""Arguments against a tool's JSON Schema (draft 2020-12), before anything runs.

Guarantees: no schema makes the host fetch or open anything (a `$ref` leads into the same document
or the schema is refused), patterns match in linear time, and what one value costs by one schema is
counted before the library, which nothing can interrupt, begins. Does not: change the arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Never
from urllib.parse import unquote

from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError, ValidationErrorKind

from capbox.messages import Json, JsonObject

_COMPLAINTS_MAX = 5
_CHARACTERS_MAX = 10_000
# Measured: the library needs about 27 ns a step, so half a second; counting one takes about 1 us.
_STEPS_MAX = 20_000_000
_VISITS_MAX = 1_000_000
# Steps times characters of the value, which each of the library's errors quotes: 20 and 300 MB.
_EVERY_FAULT_MAX, _FIRST_FAULT_MAX = 20_000_000, 300_000_000
_UNFOLDED_MAX = 10_000
_PATTERN_BYTES_MAX = 1 << 20
_MULTIPLE_STEPS = 4_000  # a fraction of 600 digits: 0.1 ms
_ITEM_STEPS = 20  # hashing one for uniqueItems: 0.5 us
_PATTERNS = RegexOptions(size_limit=_PATTERN_BYTES_MAX)
# What applies to the same value, what to those in an object, and what to those in an array.
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLE = ("not", "if", "then", "else")
_MEMBERS = ("additionalProperties", "unevaluatedProperties")
_ITEMS = ("items", "contains", "unevaluatedItems")
_COMPLAINT_CHARACTERS_MAX = 300


class Schema:
    """A compiled schema."""

    __slots__ = ("_validator", "_weights", "document")

    def __init__(self, document: JsonObject) -> None:
        """Compile. Raises ValueError when it is not a schema, or refers outside itself."""
        self.document = document
        try:
            self._weights = _Weights(document)
            self._validator = Draft202012Validator(
                dict(document), retriever=_retrieve_nothing, pattern_options=_PATTERNS
            )
            self._weights.check()
        except ValidationError as error:
            raise ValueError(_sentence(error, document)) from error
        except RecursionError as error:
            raise ValueError("its schemas lead to one another too often") from error

    def complaints(self, arguments: JsonObject, *, characters: int) -> tuple[str, ...]:
        """Return what is wrong with the arguments, one sentence each; nothing when valid.

        `characters` is the length of their JSON: of many only the first fault is told.
        """
        plain = dict(arguments)
        try:
            steps = _Count(self._weights).steps(plain)
            if self._weights.branches and steps * characters > _FIRST_FAULT_MAX:
                fits = self._validator.is_valid(plain)
                return () if fits else ("it does not fit its schema: too large to say where",)
            if characters > _CHARACTERS_MAX or steps * characters > _EVERY_FAULT_MAX:
                # The library makes every error before it gives one: 500 MB for 600 kB (measured).
                self._validator.validate(plain)
                return ()
            found = list(self._validator.iter_errors(plain))
        except ValidationError as error:
            found = [error]
        except RecursionError:
            return ("it is nested too deeply",)
        except (ValueError, TypeError) as error:
            return (str(error),)  # nested too deep, too costly, or not JSON at all
        return tuple(_sentence(error, self.document) for error in found[:_COMPLAINTS_MAX])


class _Weights:
    """What each schema in a document costs by itself, and what its references lead to."""

    def __init__(self, document: JsonObject) -> None:
        self.document = document
        self._anchors: dict[str, Json] = {}
        self._own: dict[int, int] = {}
        self._same: dict[int, list[Json]] = {}
        self._patterns: dict[str, int] = {}
        # An error of anyOf holds all errors of all that it tried.
        self.branches = any("anyOf" in one or "oneOf" in one for one in _schemas(document))
        for place, key, value in _words(document):
            if key in _REFERENCES and not value.startswith("#"):
                raise ValueError(f"{key} {value!r} leads outside the document")
            if key in _REFERENCES[1:] or (key == "$id" and place is not document):
                raise ValueError(f"{key} {value!r} is not supported: use $ref and $defs")
            if key in ("$anchor", "$dynamicAnchor"):
                self._anchors[value] = place

    def target(self, reference: str) -> Json:
        """Return what a `$ref` leads to."""
        fragment = unquote(reference[1:])
        if fragment and not fragment.startswith("/"):
            return self._anchors.get(fragment)
        node: Json = self.document
        for step in fragment.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict):
                node = node.get(name)
            elif isinstance(node, list | tuple) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            else:
                return None
        return node

    def same(self, schema: Mapping[str, Json]) -> list[Json]:
        """Return the schemas that apply to the same value."""
        if id(schema) not in self._same:
            self._same[id(schema)] = self._applied(schema)
        return self._same[id(schema)]

    def _applied(self, schema: Mapping[str, Json]) -> list[Json]:
        found = [schema[key] for key in _SINGLE if key in schema]
        for key in _LISTS:
            listed = schema.get(key)
            found += listed if isinstance(listed, list | tuple) else []
        dependent = schema.get("dependentSchemas")
        found += dependent.values() if isinstance(dependent, dict) else []
        reference = schema.get("$ref")
        return [*found, self.target(reference)] if isinstance(reference, str) else found

    def own(self, schema: Mapping[str, Json]) -> int:
        """Return the steps of a schema's own words, whatever the value."""
        if id(schema) not in self._own:
            steps = 1 + (_MULTIPLE_STEPS if "multipleOf" in schema else 0)
            for key, value in schema.items():
                if key in ("enum", "const"):
                    steps += _nodes(value)
                elif key != "$defs" and isinstance(value, dict | list):
                    steps += len(value)
            self._own[id(schema)] = steps
        return self._own[id(schema)]

    def pattern(self, pattern: str) -> int:
        """Return the steps for one character. Raises ValueError for what is too large.

        Attack: `[ab]*a[ab]{1000}c` follows a thousand ways through a text at once, 20 us for each
        character (measured); that is what a pattern's size bounds, in linear time as well.
        """
        if pattern not in self._patterns:
            size = 1 << 10
            while not _compiles(pattern, size):
                size *= 2
                if size > _PATTERN_BYTES_MAX:
                    raise ValueError(f"the pattern {pattern[:100]!r} is too large")
            self._patterns[pattern] = size >> 7
        return self._patterns[pattern]

    def check(self) -> None:
        """Raise ValueError for a schema that applies to one value too often."""
        sizes: dict[int, int] = {}
        for schema in _schemas(self.document):
            self._unfolded(schema, sizes)
            pattern, named = schema.get("pattern"), schema.get("patternProperties")
            for text in (pattern, *(named if isinstance(named, dict) else ())):
                if isinstance(text, str):
                    self.pattern(text)

    def _unfolded(self, schema: Json, sizes: dict[int, int]) -> int:
        """Attack: 40 schemas, each `allOf` of the next one twice, are 2^40 for any value; and one
        that leads to itself ends never.
        """
        if not isinstance(schema, dict):
            return 1
        if id(schema) not in sizes:
            sizes[id(schema)] = 0
            found = sum(self._unfolded(one, sizes) for one in self.same(schema))
            sizes[id(schema)] = size = 1 + found * _twice(schema)
            if size > _UNFOLDED_MAX:
                raise ValueError(f"it unfolds to more than {_UNFOLDED_MAX:,} schemas for one value")
        elif sizes[id(schema)] == 0:
            raise ValueError("a schema refers to itself for the same value")
        return sizes[id(schema)]


class _Count:
    """Counts what the library does at most for one value, in steps. Raises ValueError."""

    def __init__(self, weights: _Weights) -> None:
        self._weights = weights
        self._known: dict[tuple[int, int], int] = {}
        self._sizes: dict[int, int] = {}
        self._visits = 0

    def steps(self, value: JsonObject) -> int:
        """Return the steps.

        Attack: a tree whose schema leads back to itself twice, 2^n for n levels.
        """
        return self._of(self._weights.document, value)

    def _of(self, schema: Json, value: Json) -> int:
        if not isinstance(schema, dict) or not schema:
            return 1
        key = id(schema), id(value)
        self._visits += 1
        if key not in self._known:
            same = sum(self._of(one, value) for one in self._weights.same(schema))
            steps = self._weights.own(schema) + same * _twice(schema)
            if isinstance(value, dict):
                steps += self._members(schema, value)
            elif isinstance(value, list | tuple):
                steps += self._items(schema, value) * _twice(schema)
            elif isinstance(value, str) and isinstance(pattern := schema.get("pattern"), str):
                steps += self._weights.pattern(pattern) * len(value)
            if steps > _STEPS_MAX or self._visits > _VISITS_MAX:
                raise ValueError("it takes too long to compare it with its schema")
            self._known[key] = steps
        return self._known[key]

    def _members(self, schema: Mapping[str, Json], value: Mapping[str, Json]) -> int:
        steps = 0
        named, patterns = schema.get("properties"), schema.get("patternProperties")
        if isinstance(named, dict):
            steps += sum(self._of(named[key], one) for key, one in value.items() if key in named)
        if isinstance(patterns, dict):
            for pattern, inner in patterns.items():
                cost = self._weights.pattern(pattern)
                steps += sum(cost * len(k) + self._of(inner, v) for k, v in value.items())
        for word in _MEMBERS:
            if word in schema:
                steps += sum(self._of(schema[word], one) for one in value.values())
        if "propertyNames" in schema:
            steps += sum(self._of(schema["propertyNames"], key) for key in value)
        return steps

    def _items(self, schema: Mapping[str, Json], value: list[Json] | tuple[Json, ...]) -> int:
        steps = 0 if "uniqueItems" not in schema else _ITEM_STEPS * self._size(value)
        for word in _ITEMS:
            if word in schema:
                steps += sum(self._of(schema[word], one) for one in value)
        first = schema.get("prefixItems")
        if isinstance(first, list | tuple):
            steps += sum(map(self._of, first, value))
        return steps

    def _size(self, value: Json) -> int:
        if isinstance(value, str):
            return 1 + len(value) // 100
        if not isinstance(value, dict | list | tuple):
            return 1
        if id(value) not in self._sizes:
            inner = value.values() if isinstance(value, dict) else value
            self._sizes[id(value)] = 1 + sum(map(self._size, inner))
        return self._sizes[id(value)]


def _twice(schema: Mapping[str, Json]) -> int:
    # Measured: with unevaluated* in it, each level of 20 takes 2.6 times what the one below takes.
    return 3 if "unevaluatedProperties" in schema or "unevaluatedItems" in schema else 1


def _nodes(value: Json) -> int:
    if isinstance(value, dict | list | tuple):
        return 1 + sum(map(_nodes, value.values() if isinstance(value, dict) else value))
    return 1


def _compiles(pattern: str, size: int) -> bool:
    try:
        Draft202012Validator({"pattern": pattern}, pattern_options=RegexOptions(size_limit=size))
    except ValidationError:
        return False
    return True


def _sentence(error: ValidationError, document: JsonObject) -> str:
    place = "/".join(str(step) for step in error.instance_path)
    message, kind = error.message, error.kind
    if isinstance(kind, ValidationErrorKind.Enum):
        message = f"{json.dumps(error.instance)} is not one of {json.dumps(kind.options)[1:-1]}"
    elif isinstance(kind, ValidationErrorKind.AdditionalProperties):
        message = f"unknown: {json.dumps(kind.unexpected)[1:-1]}{_known(document, error)}"
    if len(message) > _COMPLAINT_CHARACTERS_MAX:  # it quotes the value, which may be a whole file
        half = _COMPLAINT_CHARACTERS_MAX // 2
        message = f"{message[:half]} ... {message[-half:]}"
    return f"{place}: {message}" if place else message


def _known(document: JsonObject, error: ValidationError) -> str:
    """Name what the schema has where something was unknown."""
    node: Json = document
    for step in error.schema_path[:-1]:
        node = node.get(str(step)) if isinstance(node, dict) else None
    names = node.get("properties") if isinstance(node, dict) else None
    return f"; known are {', '.join(names)}" if isinstance(names, dict) else ""


def _schemas(node: Json) -> Iterator[JsonObject]:
    """Yield every object in a document: each might be a schema."""
    if isinstance(node, dict):
        yield node
    if isinstance(node, dict | list | tuple):
        for value in node.values() if isinstance(node, dict) else node:
            yield from _schemas(value)


def _words(document: JsonObject) -> Iterator[tuple[JsonObject, str, str]]:
    for node in _schemas(document):
        for key, value in node.items():
            if key.startswith("$") and isinstance(value, str):
                yield node, key, value


def _retrieve_nothing(uri: str) -> Never:
    # The library's own retriever opens http: and file: addresses, named by a stranger's manifest.
    raise ValueError(f"{uri} is not fetched")
