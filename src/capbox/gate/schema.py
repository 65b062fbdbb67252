"""Arguments against a tool's JSON Schema (draft 2020-12), before anything runs.

Guarantees: no schema makes the host fetch or open anything (a `$ref` leads into the same document
or the schema is refused), patterns match in linear time. Does not: change the arguments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Never

from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError, ValidationErrorKind

from capbox.messages import Json, JsonObject

_COMPLAINTS_MAX = 5
_CHARACTERS_MAX = 10_000
_COMPLAINT_CHARACTERS_MAX = 300


class Schema:
    """A compiled schema."""

    __slots__ = ("_validator", "document")

    def __init__(self, document: JsonObject) -> None:
        """Compile. Raises ValueError when it is not a schema, or refers outside itself."""
        for key, reference in _references(document):
            if not reference.startswith("#"):
                raise ValueError(f"{key} {reference!r} leads outside the document")
        self.document = document
        try:
            self._validator = Draft202012Validator(
                dict(document), retriever=_retrieve_nothing, pattern_options=RegexOptions()
            )
        except ValidationError as error:
            raise ValueError(error.message) from error

    def complaints(self, arguments: JsonObject, *, characters: int) -> tuple[str, ...]:
        """Return what is wrong with the arguments, one sentence each; nothing when valid.

        `characters` is the length of their JSON: of many only the first fault is told.
        """
        plain = dict(arguments)
        try:
            if characters > _CHARACTERS_MAX:
                # The library makes every error before it gives one: 500 MB for 600 kB (measured).
                self._validator.validate(plain)
                return ()
            found = list(self._validator.iter_errors(plain))
        except ValidationError as error:
            found = [error]
        except (ValueError, TypeError) as error:
            return (str(error),)  # nested too deep, or not JSON at all
        return tuple(_sentence(error, self.document) for error in found[:_COMPLAINTS_MAX])


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


def _references(node: Json) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("$ref", "$dynamicRef", "$recursiveRef") and isinstance(value, str):
                yield key, value
            yield from _references(value)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _references(item)


def _retrieve_nothing(uri: str) -> Never:
    # The library's own retriever opens http: and file: addresses, named by a stranger's manifest.
    raise ValueError(f"{uri} is not fetched")
