"""Reading what stands after `arg.NAME=` in a grant: see `arguments` for the grammar.

Guarantees: never raises; every test that prints reads back as itself; a function that is not
closed, an empty operand or one too many is an error, never a text that happens to look like one.
"""

from __future__ import annotations

import json

from capbox.authority.paths import hostile_character
from capbox.authority.values.arguments import (
    FUNCTIONAL,
    PLAIN,
    Among,
    Anything,
    AtMost,
    Grounded,
    Prefix,
    Test,
)
from capbox.authority.values.kinds import CHARACTERS_MAX, Value, canonical

OPERANDS_MAX = 256
_DECODER = json.JSONDecoder()
_HOW = "takes VALUE, in(VALUE,...), prefix(TEXT), max(AMOUNT), grounded or any"


def parse_test(text: str) -> Test | str:
    """Return the test that `text` says, or what is wrong with it, to follow `arg.NAME= `."""
    if text == "grounded":
        return Grounded()
    if text == "any":
        return Anything()
    if FUNCTIONAL.match(text) is None:
        return Among.of((text,)) if _is_operand(text) else _HOW
    name, _, rest = text.partition("(")
    operands = _operands(rest.removesuffix(")")) if rest.endswith(")") else None
    if operands is None:
        return f"{_HOW}; a value with spaces, quotes, commas or () is a JSON string in there"
    if name == "in":
        return Among.of(operands)
    if len(operands) != 1 or operands == ("",):
        return f"{_HOW}; {name}() takes one operand"
    (operand,) = operands
    if name == "prefix":
        return Prefix(operand)
    amount = canonical("amount", operand)
    if isinstance(amount, Value) and amount.text != operand:
        return f"{operand!r} is spelt {amount.text!r}"
    known = isinstance(amount, Value)
    return AtMost(operand) if known else "takes max(AMOUNT) such as max(50) or max(12.5)"


def _operands(text: str) -> tuple[str, ...] | None:
    """Split at commas: words, and JSON strings; None if it is neither."""
    found: list[str] = []
    place = 0
    while text and len(found) < OPERANDS_MAX:
        operand, place = _operand(text, place)
        if operand is None:
            return None
        found.append(operand)
        if place == len(text):
            return tuple(found)
        if text[place] != ",":
            return None
        place += 1
    return None if text else ()


def _operand(text: str, place: int) -> tuple[str | None, int]:
    if text[place : place + 1] == '"':
        try:
            decoded, end = _DECODER.raw_decode(text, place)
        except ValueError:
            return None, place
        operand = str(decoded)
    else:
        word = PLAIN.match(text, place)
        if word is None:
            return None, place
        operand, end = word[0], word.end()
    return (operand if _is_operand(operand) else None), end


def _is_operand(text: str) -> bool:
    return len(text) <= CHARACTERS_MAX and hostile_character(text) is None
