"""Reads budgets: `calls=50,usd=1.5,bytes_out=10MB` of a flag, or the values of a table.

Guarantees: an unknown or repeated key, a value that is no finite amount of its kind, and an empty
text refuse the whole, with what was read. Does not: know defaults.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final

from capbox.authority.budget import WORDS
from capbox.authority.caveats import SIZES, UNITS
from capbox.authority.limits import COUNT_MAX, SECONDS_MAX
from capbox.engine.settings import SettingsError

EXAMPLE: Final = "calls=50,usd=1.50,bytes_out=10MB"
_SIZED: Final = frozenset({"bytes_out", "sink_bytes"})
_NUMBER = re.compile(r"([0-9]{1,16}(?:\.[0-9]{1,9})?)([A-Za-z]*)")


def read_flags(
    texts: Iterable[str], flag: str = "--budget", keys: Iterable[str] = tuple(WORDS)
) -> dict[str, float]:
    """Return the amounts by key. Raises SettingsError."""
    found: dict[str, float] = {}
    for text in texts:
        for pair in text.split(","):
            key, separator, value = pair.partition("=")
            where = f"{flag} {text}"
            if not separator:
                raise SettingsError(where, f"{pair!r} is not KEY=AMOUNT: {EXAMPLE}")
            if key in found:
                raise SettingsError(where, f"{key} is given twice")
            found[key] = read_amount(key, value, where, keys)
    return found


def read_table(table: Mapping[str, object], where: str) -> dict[str, float]:
    """Return the amounts of a table by key. Raises SettingsError."""
    return {key: read_amount(key, value, where) for key, value in table.items()}


def read_amount(key: str, value: object, where: str, keys: Iterable[str] = tuple(WORDS)) -> float:
    """Return one amount: a number, or a text such as 10MB or 5m. Raises SettingsError."""
    known = tuple(keys)
    if key not in known and key in WORDS:
        reason = f"{key!r} is a budget of capbox run; a call has: {', '.join(known)}"
        raise SettingsError(where, reason)
    if key not in known:
        raise SettingsError(where, f"unknown key {key!r}; there are: {', '.join(known)}")
    amount = _amount(key, value)
    if amount is None:
        named = "" if where.endswith(f" {key}={value}") else f"{key}={value}: "
        raise SettingsError(where, f"{named}{_wanted(key)}")
    return amount


def _amount(key: str, value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = _NUMBER.fullmatch(str(value))
    if found is None:
        return None
    number, unit = found.groups()
    if unit:
        units: Mapping[str, int] = SIZES if key in _SIZED else UNITS if key == "seconds" else {}
        if unit not in units:
            return None
        amount = float(number) * units[unit]
    else:
        amount = float(number)
    most = SECONDS_MAX if key in ("seconds", "usd") else COUNT_MAX
    if not math.isfinite(amount) or amount > most:
        return None
    if key in ("seconds", "usd"):
        return amount
    return int(amount) if amount == int(amount) else None


def _wanted(key: str) -> str:
    if key in _SIZED:
        return "a whole number of bytes, or one with kB, MB or GB"
    if key == "seconds":
        return "a number of seconds, or one with s, m, h or d"
    if key == "usd":
        return "an amount of US dollars, such as 1.50"
    return f"a whole number from 0 to {COUNT_MAX}"
