"""The arguments of `capbox call`: one JSON object, `-` for standard input, or key=value words.

Guarantees: a value of key=value is text unless the tool's schema wants something else, so that no
file name turns into a number; what cannot be read is an `ArgumentsError`, never an empty object,
and so is what two readers could read differently (a key given twice).
Does not: check against the schema; the gate does.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from capbox.gate.protocol import strict_json
from capbox.messages import Json, JsonObject

_TYPED = frozenset({"integer", "number", "boolean", "array", "object", "null"})


@dataclass(frozen=True, slots=True)
class ArgumentsError:
    """Why the words after the tool's name are no arguments."""

    message: str


def parse_arguments(
    words: Sequence[str], schema: JsonObject, stdin: Callable[[], str]
) -> JsonObject | ArgumentsError:
    """Return the arguments that `words` spell; `stdin` is called for `-` alone."""
    match list(words):
        case []:
            return {}
        case ["-"]:
            text = stdin()
            if not text.strip():
                return ArgumentsError("standard input is empty; one JSON object is expected")
            return _object(text, "standard input")
        case [text] if text.lstrip().startswith(("{", "[", '"')):
            return _object(text, "ARGS_JSON")
        case _:
            return _named(words, schema)


def _object(text: str, where: str) -> JsonObject | ArgumentsError:
    try:
        value = strict_json(text)
    except ValueError as error:
        return ArgumentsError(f"{where} is not JSON: {error}")
    if not isinstance(value, dict):
        return ArgumentsError(f"{where} is not a JSON object: {{...}} is expected")
    return value


def _named(words: Sequence[str], schema: JsonObject) -> JsonObject | ArgumentsError:
    found: dict[str, Json] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            return ArgumentsError(
                f"{word!r} is neither key=value, nor one JSON object, nor -{_meant(words, schema)}"
            )
        if key in found:
            return ArgumentsError(f"{key} is given twice")
        parsed = _value(key, value, schema)
        if isinstance(parsed, ArgumentsError):
            return parsed
        found[key] = parsed
    return found


def _value(key: str, text: str, schema: JsonObject) -> Json | ArgumentsError:
    types = _types(key, schema)
    if "string" in types or types.isdisjoint(_TYPED):
        return text
    try:
        return strict_json(text)
    except ValueError:
        wanted = "true or false" if types == {"boolean"} else " or ".join(sorted(types))
        return ArgumentsError(f"{key}={text}: {wanted} is expected")


def _meant(words: Sequence[str], schema: JsonObject) -> str:
    """Say how a lone word is spelt where it is clear which argument it is."""
    required = schema.get("required")
    if len(words) != 1 or "=" in words[0] or words[0] == "-" or not isinstance(required, list):
        return ""
    if required[:1] != ["path"] and len(required) != 1:
        return ""
    return f"; did you mean {shlex.quote(f'{required[0]}={words[0]}')}?"


def _types(key: str, schema: JsonObject) -> frozenset[str]:
    properties = schema.get("properties")
    described = properties.get(key) if isinstance(properties, dict) else None
    kind = described.get("type") if isinstance(described, dict) else None
    kinds = [kind] if isinstance(kind, str) else kind
    return frozenset(str(one) for one in kinds) if isinstance(kinds, list) else frozenset()
