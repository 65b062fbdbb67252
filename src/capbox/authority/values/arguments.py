"""What a tool's arguments name, and the conditions `arg.NAME=` that a grant puts on them. Pure.

    test = "any" | "grounded" | in(VALUE,...) | prefix(TEXT) | max(AMOUNT) | VALUE

Guarantees: a list fits if each of its values does. As soon as a grant has one such condition, an
argument that it does not name must be left out; so must one that says `in()`. What does not apply
to the kind of an argument fits nothing. Operands are compared as they stand: one that is not
spelt canonically fits nothing, and `misfit` says so. Does not: read arguments; the gate does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

from capbox.authority.paths import quoted, under
from capbox.authority.values.kinds import Kind, Unfit, Value, canonical

_PREFIXED: frozenset[Kind] = frozenset({"path", "url", "id", "text"})
# A whole origin at least, or `https:/` would be every host; no query: every prefix leaves it free.
_URL_START = re.compile(r"https?://[^/?#]+(?:/[^?#]*)?")
FUNCTIONAL = re.compile(r"(?:in|prefix|max)\(")
PLAIN = re.compile(r'[^\s,()"]+')


@dataclass(frozen=True, slots=True)
class Given:
    """One canonical value of a call; `grounded` if it is one that the principal supplied."""

    text: str
    grounded: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """What a call names in one declared argument; no values: it is left out."""

    name: str
    kind: Kind
    values: tuple[Given, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}={','.join(_item(value.text) for value in self.values)}"

    @property
    def exactly(self) -> Arg:
        """Return the condition that only these values fit."""
        return Arg(self.name, Among.of(value.text for value in self.values))


@dataclass(frozen=True, slots=True)
class Among:
    """One of these, sorted; of none of them: it must be left out."""

    values: tuple[str, ...]

    @classmethod
    def of(cls, values: Iterable[str]) -> Among:
        """Return the test for these values."""
        return cls(tuple(sorted(set(values))))

    def __str__(self) -> str:
        if len(self.values) == 1 and self.values[0] not in ("", "any", "grounded"):
            (only,) = self.values
            if FUNCTIONAL.match(only) is None:
                return only
        return f"in({','.join(map(_item, self.values))})"


@dataclass(frozen=True, slots=True)
class Prefix:
    """Begins so: by whole segments for a path or URL, whose query is free."""

    text: str

    def __str__(self) -> str:
        return f"prefix({_item(self.text)})"

    def leads_to(self, kind: Kind, text: str) -> bool:
        """Say whether a canonical value of this kind begins so."""
        match kind:
            case "path":
                return self.text.startswith("/") and under(text, self.text)
            case "url":
                whole = _URL_START.fullmatch(self.text) is not None
                ends = ("",) if self.text.endswith("/") else ("/", "?")
                below = text.startswith(tuple(self.text + end for end in ends))
                return whole and (text == self.text or below)
            case "id" | "text":
                return text.startswith(self.text)
            case _:
                return False


@dataclass(frozen=True, slots=True)
class AtMost:
    """An amount no larger than this one."""

    text: str

    def __str__(self) -> str:
        return f"max({self.text})"


@dataclass(frozen=True, slots=True)
class Grounded:
    """Each value is one that the principal supplied."""

    def __str__(self) -> str:
        return "grounded"


@dataclass(frozen=True, slots=True)
class Anything:
    """Whatever it is, also nothing."""

    def __str__(self) -> str:
        return "any"


Test = Among | Prefix | AtMost | Grounded | Anything
LEFT_OUT = Among(())


@dataclass(frozen=True, slots=True)
class Arg:
    """The caveat on one argument."""

    name: str
    test: Test

    @property
    def key(self) -> str:
        """Return the key of the caveat, `arg.NAME`."""
        return f"arg.{self.name}"

    def __str__(self) -> str:
        return f"{self.key}={quoted(str(self.test))}"


def refusal(conditions: Iterable[Arg], arguments: Iterable[Argument]) -> str | None:
    """Say why the arguments of a call are not what the conditions of one grant ask for, if so."""
    tests = {condition.name: condition.test for condition in conditions}
    if not tests:
        return None
    for argument in arguments:
        reason = _unfit(tests.pop(argument.name, LEFT_OUT), argument)
        if reason is not None:
            return f"arg.{argument.name} {reason}"
    unknown = next(iter(tests), None)
    return None if unknown is None else f"arg.{unknown} is no argument that this tool declares"


def narrower(child: Iterable[Arg], parent: Iterable[Arg]) -> bool:
    """Say whether what fits `child` fits `parent`, as far as their text says; undecidable is no.

    For a kind to which the parent's condition does not apply nothing fits that one; a grant
    therefore keeps the conditions of its ancestors beside its own (`authority.Minted`).
    """
    tests, others = ({c.name: c.test for c in one} for one in (child, parent))
    if not others or not tests:
        return not others
    names = {*tests, *others}
    return all(_within(tests.get(n, LEFT_OUT), others.get(n, LEFT_OUT)) for n in names)


def misfit(conditions: Iterable[Arg], declared: Mapping[str, Kind]) -> str | None:
    """Say which condition cannot be kept by a tool that declares these arguments, and why."""
    for condition in conditions:
        kind = declared.get(condition.name)
        if kind is None:
            there = ", ".join(declared) or "none"
            return f"{condition.key}: the tool declares no such argument; it declares: {there}"
        reason = _unspelt(condition.test, kind)
        if reason is not None:
            return f"{condition}: {reason}"
    return None


def _unfit(test: Test, argument: Argument) -> str | None:
    if not argument.values:
        free = isinstance(test, Anything) or test == LEFT_OUT
        return None if free else f"is left out, and has to be {test}"
    for value in argument.values:
        if not _fits(test, argument.kind, value):
            return f"{value.text} is not {'left out' if test == LEFT_OUT else test}"
    return None


def _fits(test: Test, kind: Kind, value: Given) -> bool:
    match test:
        case Among(values):
            return value.text in values
        case Prefix():
            return test.leads_to(kind, value.text)
        case AtMost(most):
            return kind == "amount" and Decimal(value.text) <= Decimal(most)
        case Grounded():
            return value.grounded
        case Anything():
            return True
        case _:
            assert_never(test)


def _within(child: Test, parent: Test) -> bool:
    match parent, child:
        case Anything(), _:
            return True
        case Among(values), Among(fewer):
            return bool(values) == bool(fewer) and set(fewer) <= set(values)
        case Prefix(), Prefix(longer):
            return _begins(longer, parent)
        case Prefix(), Among(values):
            return bool(values) and all(_begins(value, parent) for value in values)
        case AtMost(most), AtMost(less):
            return Decimal(less) <= Decimal(most)
        case AtMost(most), Among(values):
            amounts = [canonical("amount", value) for value in values]
            known = [Decimal(a.text) for a in amounts if isinstance(a, Value)]
            return bool(values) and len(known) == len(values) and max(known) <= Decimal(most)
        case _:
            return child == parent


def _begins(text: str, prefix: Prefix) -> bool:
    """Say whether `text` lies below the prefix, of whichever kind that one is."""
    kinds: list[Kind] = ["text"]
    kinds += ["path"] if prefix.text.startswith("/") else []
    kinds += ["url"] if _URL_START.fullmatch(prefix.text) else []
    return all(prefix.leads_to(kind, text) for kind in kinds)


def _unspelt(test: Test, kind: Kind) -> str | None:
    match test:
        case Prefix(text):
            if kind not in _PREFIXED:
                return f"prefix() does not apply to an argument of kind {kind}"
            if kind == "url" and "?" in text:
                return "a prefix of URLs has no query: it leaves every query free"
            return _otherwise(kind, (text,))
        case AtMost():
            return (
                None if kind == "amount" else f"max() does not apply to an argument of kind {kind}"
            )
        case Among(values):
            return _otherwise(kind, values)
        case Grounded() | Anything():
            return None
        case _:
            assert_never(test)


def _otherwise(kind: Kind, operands: Iterable[str]) -> str | None:
    for operand in operands:
        found = canonical(kind, operand)
        if isinstance(found, Unfit):
            return f"{operand!r} {found.reason}"
        if found.text != operand:
            return f"{operand!r} is spelt {found.text!r}"
    return None


def _item(text: str) -> str:
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
