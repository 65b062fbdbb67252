"""The words that start a foreign command: `argv` and `stdin` of a manifest, filled for one call.

Guarantees: what a caller wrote stands after `--`, or behind the `=` of a flag that the manifest
names, so that no value is ever an option; it is one word, whatever is in it. Does not: know what
the command makes of its words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from capbox.messages import Json, JsonObject

_VALUE = re.compile(r"(--[A-Za-z][A-Za-z0-9-]*=)?\{(\w+)\}")
_SIMPLE = ("string", "integer", "number")


@dataclass(frozen=True, slots=True)
class Word:
    """A word as the manifest has it: `text`, then the value of `argument` if it names one."""

    text: str
    argument: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """How a command is started; `stdin` is the argument that it reads as its standard input."""

    words: tuple[Word, ...]
    stdin: str | None = None

    def unfit(self, arguments: JsonObject) -> str | None:
        """Return why these arguments cannot be words, if they cannot."""
        for name in (*(word.argument for word in self.words), self.stdin):
            for text in () if name is None else _texts(arguments.get(name)):
                # Attack: to the command a word ends at its first NUL, to the record it does not.
                if "\0" in text or not _is_unicode(text):
                    return f"{name}: holds NUL or half of a surrogate pair: no command can read it"
        return None

    def argv(self, arguments: JsonObject) -> tuple[str, ...]:
        """Return the words of one call: none for a value left out, one each for those of a list."""
        return tuple(word for one in self.words for word in _filled(one, arguments))

    def input(self, arguments: JsonObject) -> bytes:
        """Return the standard input of one call."""
        given = arguments.get(self.stdin) if self.stdin is not None else None
        return "".join(_texts(given)).encode()


def parse_command(words: Json, stdin: Json, properties: JsonObject) -> Command:
    """Read the keys `argv` and `stdin`. Raises ValueError, naming the word at fault."""
    if not isinstance(words, list):
        raise ValueError('argv: a list of words is expected, as ["--json", "--", "{query}"]')
    read, ended = list[Word](), False
    for word in words:
        read.append(_word(word, properties, ended=ended))
        ended = ended or word == "--"
    if stdin is not None and (
        not isinstance(stdin, str) or _kind(properties.get(stdin)) != "string"
    ):
        raise ValueError("stdin: the name of an argument of type string is expected")
    return Command(tuple(read), stdin)


def _word(text: Json, properties: JsonObject, *, ended: bool) -> Word:
    if not isinstance(text, str) or "\0" in text:
        raise ValueError(f"argv: {text!r} is no word")
    if "{" not in text and "}" not in text:
        return Word(text)
    value = _VALUE.fullmatch(text)
    if value is None:
        raise ValueError(f"argv: {text!r}: a value is a whole word, {{name}} or --flag={{name}}")
    flag, name = value.groups()
    if flag is None and not ended:
        # Attack: a query that begins with `-` would be an option, and options load files.
        raise ValueError(f"argv: {text!r} could be an option: put '--' before it, or --flag=")
    if _kind(properties.get(name)) not in _SIMPLE:
        raise ValueError(f"argv: {text!r}: input_schema has no such text, number, or list of them")
    return Word(flag or "", name)


def _kind(described: Json) -> Json:
    """Return the JSON type of an argument, or of what its list holds."""
    if isinstance(described, dict) and described.get("type") == "array":
        described = described.get("items")
    return described.get("type") if isinstance(described, dict) else None


def _filled(word: Word, arguments: JsonObject) -> Iterator[str]:
    if word.argument is None:
        yield word.text
    else:
        yield from (word.text + value for value in _texts(arguments.get(word.argument)))


def _texts(value: Json) -> tuple[str, ...]:
    values = value if isinstance(value, list) else () if value is None else (value,)
    return tuple(one if isinstance(one, str) else json.dumps(one) for one in values)


def _is_unicode(text: str) -> bool:
    return text.encode(errors="replace").decode() == text
