"""The arguments of `capbox call`: one JSON object, `-` for standard input, or key=value words.

Guarantees: a value of key=value is text unless the tool's schema wants something else, so that no
file name turns into a number; one that begins with @ names a file whose text is meant (@- is
standard input), with @@ a text that begins with @. What cannot be read is an `ArgumentsError`,
never an empty object, and so is what two readers could read differently (a key given twice).
Does not: check against the schema; the gate does.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from capbox.gate.protocol import strict_json
from capbox.messages import Json, JsonObject

STDIN = "-"
TEXT_BYTES_MAX = 16_000_000  # of a file or standard input; the gate takes no longer arguments
_SHOWN_MAX = 100
_TYPED = frozenset({"integer", "number", "boolean", "array", "object", "null"})


@dataclass(frozen=True, slots=True)
class ArgumentsError:
    """Why the words after the tool's name are no arguments."""

    message: str


def read_texts(words: Sequence[str]) -> Mapping[str, str] | ArgumentsError:
    """Return what `words` want read, by its name: files, and standard input as `STDIN`."""
    wanted: dict[str, str | None] = {}
    if list(words) == [STDIN]:
        wanted = {"standard input": STDIN}
    elif not _is_json(words):
        wanted = {key: _file(value) for key, _, value in (word.partition("=") for word in words)}
    texts: dict[str, str] = {}
    for key, file in wanted.items():
        if file is None or file in texts:
            continue
        text = _text(file)
        if isinstance(text, ArgumentsError):
            where = key if file in words else f"{key}=@{_short(file)}:"
            return ArgumentsError(f"{where} {text.message}")
        texts[file] = text
    return texts


def parse_arguments(
    words: Sequence[str], schema: JsonObject, texts: Mapping[str, str]
) -> JsonObject | ArgumentsError:
    """Return the arguments that `words` spell; `texts` are what `read_texts` has read for them."""
    match list(words):
        case []:
            return {}
        case [word] if word == STDIN:
            text = texts[STDIN]
            if not text.strip():
                return ArgumentsError("standard input is empty; one JSON object is expected")
            return _object(text, "standard input")
        case [text] if _is_json(words):
            return _object(text, "ARGS_JSON")
        case _:
            return _named(words, schema, texts)


def _is_json(words: Sequence[str]) -> bool:
    return len(words) == 1 and words[0].lstrip().startswith(("{", "[", '"'))


def _file(value: str) -> str | None:
    """Return the file whose text a value stands for; None: it stands for itself."""
    return value[1:] if value.startswith("@") and not value.startswith("@@") else None


def _text(file: str) -> str | ArgumentsError:
    """Return the text of a file of this machine, or of standard input."""
    try:
        source = sys.stdin.fileno() if file == STDIN else file
        # A pipe ends the reading at its end, a device at the bound.
        with open(source, "rb", closefd=file != STDIN) as opened:
            content = opened.read(TEXT_BYTES_MAX + 1)
    except OSError as error:
        said = error.strerror or str(error)
        return ArgumentsError(f"{said}; a text that begins with @ is written with @@")
    if len(content) > TEXT_BYTES_MAX:
        return ArgumentsError(f"is longer than {TEXT_BYTES_MAX:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return ArgumentsError("is not UTF-8 text")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."


def _object(text: str, where: str) -> JsonObject | ArgumentsError:
    try:
        value = strict_json(text)
    except ValueError as error:
        return ArgumentsError(f"{where} is not JSON: {error}")
    if not isinstance(value, dict):
        return ArgumentsError(f"{where} is not a JSON object: {{...}} is expected")
    return value


def _named(
    words: Sequence[str], schema: JsonObject, texts: Mapping[str, str]
) -> JsonObject | ArgumentsError:
    found: dict[str, Json] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            return ArgumentsError(
                f"{word!r} is neither key=value, nor one JSON object, nor -{_meant(words, schema)}"
            )
        if key in found:
            return ArgumentsError(f"{key} is given twice")
        parsed = _value(key, value, schema, texts)
        if isinstance(parsed, ArgumentsError):
            return parsed
        found[key] = parsed
    return found


def _value(
    key: str, typed: str, schema: JsonObject, texts: Mapping[str, str]
) -> Json | ArgumentsError:
    file = _file(typed)
    text = texts[file] if file is not None else typed.removeprefix("@")
    types = _types(key, schema)
    if "string" in types or types.isdisjoint(_TYPED):
        return text
    try:
        return strict_json(text)
    except ValueError:
        wanted = "true or false" if types == {"boolean"} else " or ".join(sorted(types))
        return ArgumentsError(f"{key}={typed}: {wanted} is expected")


def _meant(words: Sequence[str], schema: JsonObject) -> str:
    """Say how a lone word is spelt where it is clear which argument it is."""
    required = schema.get("required")
    if len(words) != 1 or "=" in words[0] or words[0] == STDIN or not isinstance(required, list):
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
