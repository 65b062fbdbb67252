"""The kinds of value that an argument can name, and the one spelling of each. Pure.

Guarantees: two spellings that any reader takes for the same value are one text here, or refused;
whatever is not plainly one value of its kind is an `Unfit`, never a guess. Does not: look anything
up, or know whether the address, account or file exists.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from capbox.authority.paths import WORKSPACE, PathRefusal, hostile_character, normalise
from capbox.authority.web.addresses import address_of
from capbox.authority.web.places import is_host_name, parse_fetch

Kind = Literal["email", "host", "url", "path", "id", "amount", "iban", "date", "text"]
CHARACTERS_MAX = 2_000
WHOLE_MAX = 10**18

_ATOM = r"[A-Za-z0-9_](?:[A-Za-z0-9_+'-]*[A-Za-z0-9_+-])?"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,18})?")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_GROUPS = re.compile(r"[A-Za-z0-9]{4}(?: [A-Za-z0-9]{4})*(?: [A-Za-z0-9]{1,3})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Value:
    """One value in the one spelling of its kind; two are the same if they are equal."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Unfit:
    """What names no value of its kind, and why."""

    text: str
    reason: str


def canonical(kind: Kind, given: object) -> Value | Unfit:
    """Return the value of this kind that a JSON text or number names, or why it names none."""
    text = _text_of(kind, given)
    if text is None:
        return Unfit(str(given)[:80], f"is no {kind}: {_WANTED[kind]}")
    if len(text) > CHARACTERS_MAX:
        return Unfit(text[:80], f"is longer than {CHARACTERS_MAX} characters")
    found = None if hostile_character(text) is not None else _SPELLINGS[kind](text)
    return (
        Unfit(text[:80], f"is no {kind}: {_WANTED[kind]}") if found is None else Value(kind, found)
    )


def _text_of(kind: Kind, given: object) -> str | None:
    """Return what is to be read; numbers only where a kind has them, and never true or false."""
    if isinstance(given, str):
        # `1.000` is one to some readers and a thousand to others: nobody knows who wrote it.
        return None if kind == "amount" and _THOUSANDS.fullmatch(given) else given
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < WHOLE_MAX:
        return None
    if kind == "amount":
        return format(Decimal(repr(given)), "f")
    return str(given) if kind == "id" and isinstance(given, int) else None


def _email(text: str) -> str | None:
    # One address and nothing else: no display name, comment, quoting, list, route (`a%b@c`, `a!b`)
    # or option of a mailer (`-f`). Other alphabets are refused, since they imitate this one.
    local, _, host = text.rpartition("@")
    host = host.lower()
    known = text.isascii() and len(local) <= 64 and _LOCAL.fullmatch(local) and is_host_name(host)
    return f"{local}@{host}" if known else None


def _host(text: str) -> str | None:
    host = text.lower()
    if not text.isascii() or not (is_host_name(host) or address_of(host)):
        return None
    return host


def _url(text: str) -> str | None:
    # The grammar of grants, without what a grant can leave open: it has no user, fragment or
    # backslash, and refuses a path that a server might read as another one.
    selector = None if "*" in text or " " in text else parse_fetch(text)
    if selector is None or isinstance(selector, str) or "/" in selector.host:
        return None
    if ".." in text.split("/")[2]:
        return None
    return selector.text if selector.path is not None else f"{selector.text}/"


def _path(text: str) -> str | None:
    # `..` depends on links, `~` on who reads it, a backslash on the system: none has one meaning.
    if text.startswith("~") or "\\" in text or ".." in text.split("/"):
        return None
    path = normalise(text, WORKSPACE)
    return None if isinstance(path, PathRefusal) else path


def _id(text: str) -> str | None:
    text = unicodedata.normalize("NFC", text)
    return text if text and len(text) <= 256 and not any(map(str.isspace, text)) else None


def _amount(text: str) -> str | None:
    # No sign: a negative amount would pass every `max` and turn a payment round.
    if _AMOUNT.fullmatch(text) is None:
        return None
    spelt = text.rstrip("0").rstrip(".") if "." in text else text
    # `1.0010`, since `1.001` may be a thousand and one: what is spelt reads back as itself.
    return f"{spelt}0" if _THOUSANDS.fullmatch(spelt) else spelt


def _iban(text: str) -> str | None:
    joined = text.replace(" ", "").upper() if _GROUPS.fullmatch(text) else text.upper()
    if not text.isascii() or _IBAN.fullmatch(joined) is None:
        return None
    # ISO 13616: the first four characters to the end, letters as 10..35, remainder 1 by 97.
    digits = "".join(str(int(c, 36)) for c in joined[4:] + joined[:4])
    return joined if int(digits) % 97 == 1 else None


def _date(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _line(text: str) -> str | None:
    return unicodedata.normalize("NFC", text)


_SPELLINGS: Mapping[Kind, Callable[[str], str | None]] = {
    "email": _email,
    "host": _host,
    "url": _url,
    "path": _path,
    "id": _id,
    "amount": _amount,
    "iban": _iban,
    "date": _date,
    "text": _line,
}
KINDS = tuple(_SPELLINGS)
_WANTED: Mapping[Kind, str] = {
    "email": "one plain ASCII address is expected, such as alice@example.com",
    "host": "one host name in ASCII is expected, or one IP address",
    "url": "one http(s) URL is expected, without user, fragment or *, its path in one reading",
    "path": "one path without .. is expected, below /workspace unless it starts with /",
    "id": "at most 256 characters without spaces are expected, or a whole number",
    "amount": "digits with at most one decimal point are expected, neither sign nor separators",
    "iban": "an account number with a right checksum is expected",
    "date": "YYYY-MM-DD is expected",
    "text": "one line of text is expected, without control characters",
}
