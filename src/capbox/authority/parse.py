"""Reading the text of a grant: the whole grammar, nothing ignored, errors with their place.

    grant    = action ":" selector { " " caveat }
    caveat   = key [ "=" value ]
    selector, value = word | JSON string

Guarantees: never raises, whatever the text; what is inside a quoted name is never read as a
caveat; control and bidi characters are refused, escaped or not. Does not: mint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from capbox.authority.caveats import Caveat, parse_caveat
from capbox.authority.grant import (
    Action,
    EnvSelector,
    Grant,
    LaterSelector,
    ModelSelector,
    NameSelector,
    PathSelector,
    Selector,
)
from capbox.authority.paths import GrantPath, hostile_character

_ALIASES: dict[str, Action] = {"fs.read": "read", "fs.write": "write", "network": "fetch"}
_ORDER = ("expires", "uses", "except")
_DECODER = json.JSONDecoder()
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_METHODS = re.compile(r"[A-Z]{1,16}(,[A-Z]{1,16})*")
_URL = re.compile(
    r"(https?)://((?:\*\.)?[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(0|[1-9][0-9]{0,4}))?(/[^\s#\\]*)?"
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class GrantError:
    """A text that is not a grant: `place` is the index of the character where it goes wrong."""

    text: str
    place: int
    message: str

    def __str__(self) -> str:
        return f"{self.text!r}, character {self.place + 1}: {self.message}"


def parse_grant(text: str) -> Grant | GrantError:
    """Return the grant that `text` says, its caveats in canonical order."""
    hostile = hostile_character(text)
    if hostile is not None:
        return GrantError(text, hostile, "control and bidi characters are refused")
    head, colon, _ = text.partition(":")
    action = _ALIASES.get(head) or next((a for a in _SELECTORS if a == head), None)
    if action is None or not colon:
        known = " ".join(_SELECTORS)
        return GrantError(text, 0, f"a grant is ACTION:SELECTOR, and the actions are: {known}")
    place = len(head) + 1
    word = _word(text, place)
    if isinstance(word, GrantError):
        return word
    value, end = word
    selector = _SELECTORS[action](value)
    if isinstance(selector, str):
        return GrantError(text, place, selector)
    caveats = _caveats(text, end, action)
    return caveats if isinstance(caveats, GrantError) else Grant(action, selector, caveats)


def _caveats(text: str, place: int, action: Action) -> tuple[Caveat, ...] | GrantError:
    found: dict[str, Caveat] = {}
    while place < len(text):
        if text[place] == " ":
            place += 1
            continue
        begin = place
        while place < len(text) and text[place] not in " =":
            place += 1
        key, value = text[begin:place], None
        if text[place : place + 1] == "=":
            word = _word(text, place + 1)
            if isinstance(word, GrantError):
                return word
            value, place = word
        caveat = parse_caveat(action, key, value)
        if isinstance(caveat, str):
            return GrantError(text, begin, caveat)
        if key in found:
            return GrantError(text, begin, f"{key} is given twice")
        found[key] = caveat
    return tuple(found[key] for key in sorted(found, key=_rank))


def _rank(key: str) -> tuple[int, str]:
    return (_ORDER.index(key) if key in _ORDER else len(_ORDER), key)


def _word(text: str, place: int) -> tuple[str, int] | GrantError:
    """Read one word or JSON string at `place`; return it and where it ends."""
    if text[place : place + 1] == '"':
        try:
            decoded, end = _DECODER.raw_decode(text, place)
        except ValueError:
            return GrantError(text, place, "this quoted text is not a JSON string")
        if end < len(text) and text[end] != " ":
            return GrantError(text, end, "a quoted text ends at a space")
        # "\u0000" is harmless as text and hostile once decoded.
        if hostile_character(str(decoded)) is not None:
            return GrantError(text, place, "control and bidi characters are refused")
        return str(decoded), end
    end = text.find(" ", place)
    end = len(text) if end < 0 else end
    word = text[place:end]
    if not word:
        return GrantError(text, place, "a value is missing here")
    if '"' in word or any(map(str.isspace, word)):
        return GrantError(text, place, "a value with spaces or quotes is written as a JSON string")
    return word, end


def _path(value: str) -> Selector | str:
    if not value.startswith("/"):
        return "a path in a grant is absolute: /workspace/..., or a host path"
    segments = [s for s in value.split("/") if s not in ("", ".")]
    if ".." in segments:
        return "a path in a grant does not hold `..`"
    if segments[-1:] in (["*"], ["**"]):
        return "a path covers everything below it: leave out the last `*`"
    return PathSelector(GrantPath("/" + "/".join(segments)))


def _env(value: str) -> Selector | str:
    name, equals, content = value.partition("=")
    if not _VARIABLE.fullmatch(name):
        return "env: takes NAME or NAME=VALUE"
    return EnvSelector(name, content if equals else None)


def _name(value: str) -> Selector | str:
    if not _NAME.fullmatch(value):
        return "a name is letters, digits and _ . : / -, and does not start with a sign"
    return NameSelector(value)


def _model(value: str) -> Selector | str:
    *front, last = value.split("/")
    if not value or any("*" in s for s in front) or ("*" in last and last != "*"):
        return "model: takes PROVIDER/NAME; `*` only as the whole last segment"
    return ModelSelector(value)


def _url(value: str) -> Selector | str:
    methods, _, url = value.rpartition(" ")
    found = _URL.fullmatch(url)
    if found is None or (methods and not _METHODS.fullmatch(methods)):
        return "fetch: takes [METHOD,...] https://HOST[:PORT][/PATH]"
    listed = ",".join(sorted(set(methods.split(","))))
    return LaterSelector(f"{listed} {_canonical(found)}".lstrip())


def _secret(value: str) -> Selector | str:
    name, _, origin = value.partition("@")
    found = _URL.fullmatch(origin)
    if found is None or found[4] or not _VARIABLE.fullmatch(name):
        return "secret: takes NAME@https://HOST"
    return LaterSelector(f"{name}@{_canonical(found)}")


def _canonical(url: re.Match[str]) -> str:
    scheme, host, port, path = url.groups()
    shown = "" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}"
    return f"{scheme}://{host.lower()}{shown}{path or ''}"


def _count(value: str) -> Selector | str:
    known = re.fullmatch(r"0|[1-9][0-9]{0,5}", value)
    return LaterSelector(value) if known else "spawn: takes a number of children"


def _later_name(value: str) -> Selector | str:
    name = _name(value)
    return name if isinstance(name, str) else LaterSelector(value)


_SELECTORS: dict[Action, Callable[[str], Selector | str]] = {
    "read": _path,
    "write": _path,
    "fetch": _url,
    "env": _env,
    "secret": _secret,
    "tool": _name,
    "invoke": _later_name,
    "model": _model,
    "spawn": _count,
    "store": _later_name,
    "exec": _later_name,
}
