"""Conditions that narrow a grant: typed values, their canonical text, and which is the narrower.

Working: `expires`, `uses`, `except`. The others of the grammar are checked and kept as `Later`,
so that minting can refuse them by name; none is ever ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from capbox.authority.paths import hostile_character, quoted

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LONGEST_SECONDS = 3_650 * 86_400
_FILES = frozenset({"read", "write"})
_ALL: frozenset[str] = frozenset()
_CALLS = frozenset({"tool", "invoke"})


@dataclass(frozen=True, slots=True)
class ExpiresAfter:
    """Not yet minted: ends this many seconds after minting."""

    seconds: int
    key = "expires"

    def __str__(self) -> str:
        unit = next(u for u, size in _UNITS.items() if self.seconds % size == 0)
        return f"expires={self.seconds // _UNITS[unit]}{unit}"


@dataclass(frozen=True, slots=True)
class ExpiresAt:
    """Ends at this moment, in milliseconds since 1970 UTC."""

    ms: int
    key = "expires"

    def __str__(self) -> str:
        precision = "milliseconds" if self.ms % 1000 else "seconds"
        text = (_EPOCH + timedelta(milliseconds=self.ms)).isoformat(timespec=precision)
        return f"expires={text.replace('+00:00', 'Z')}"


@dataclass(frozen=True, slots=True)
class Uses:
    """May be exercised by this many tool calls. Zero means none."""

    count: int
    key = "uses"

    def __str__(self) -> str:
        return f"uses={self.count}"


@dataclass(frozen=True, slots=True)
class Except:
    """Not what these globs name, relative to the selector (see `exclusions.Globs`)."""

    globs: tuple[str, ...]
    key = "except"

    def __str__(self) -> str:
        return "except=" + quoted(",".join(self.globs))


@dataclass(frozen=True, slots=True)
class Later:
    """A caveat of the grammar that no mechanism enforces yet; minting refuses it."""

    key: str
    value: str | None

    def __str__(self) -> str:
        return self.key if self.value is None else f"{self.key}={quoted(self.value)}"


Caveat = ExpiresAfter | ExpiresAt | Uses | Except | Later

_NUMBER = r"(0|[1-9][0-9]{0,11})"
# Key: the actions it applies to (none listed: to all), and the form of its value, if it takes one.
_LATER: dict[str, tuple[frozenset[str], str | None]] = {
    "bytes": (frozenset({"write", "fetch", "store"}), _NUMBER + "(B|kB|MB|GB)?"),
    "rate": (_ALL, _NUMBER + "/(s|min|h|d)"),
    "ask": (_ALL, "first|each"),
    "net": (frozenset({"fetch"}), r"private|[0-9a-fA-F:.]{2,45}/[0-9]{1,3}"),
    "header": (frozenset({"secret"}), r"[A-Za-z0-9-]{1,64}"),
    "format": (frozenset({"secret"}), r".{1,256}"),
    "untainted": (_ALL, None),
    "public": (_ALL, None),
}
_ARGUMENT = re.compile(r"arg\.[A-Za-z_][A-Za-z0-9_]{0,63}")


def parse_caveat(action: str, key: str, value: str | None) -> Caveat | str:
    """Return one caveat of a grant of `action`, or a sentence that says what is wrong with it."""
    if key in ("expires", "uses", "except"):
        if value is None:
            return f"{key} needs a value: {key}=..."
        if key == "expires":
            return _parse_expires(value)
        if key == "except":
            return _parse_except(action, value)
        if not re.fullmatch(_NUMBER, value):
            return "uses= takes a whole number"
        return Uses(int(value))
    if _ARGUMENT.fullmatch(key):
        if action not in _CALLS:
            return f"{key}= does not apply to {action}:"
        return Later(key, value) if value else f"{key} needs a value: {key}=..."
    if key not in _LATER:
        return f"unknown caveat {key!r}"
    actions, pattern = _LATER[key]
    if actions and action not in actions:
        return f"{key} does not apply to {action}:"
    if pattern is None:
        return Later(key, None) if value is None else f"{key} takes no value"
    if value is None or not re.fullmatch(pattern, value):
        return f"{key}= has no such value"
    return Later(key, value)


def _parse_expires(value: str) -> Caveat | str:
    relative = re.fullmatch(_NUMBER + "([smhd])", value)
    if relative:
        seconds = int(relative[1]) * _UNITS[relative[2]]
        return ExpiresAfter(seconds) if seconds <= _LONGEST_SECONDS else "expires= is at most 3650d"
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            return "expires= needs a time zone: 2030-01-31T12:00:00Z"
        moment = moment.astimezone(UTC)  # the calendar ends at year 9999, in UTC too
    except (ValueError, OverflowError):
        return "expires= takes 30s, 10m, 2h, 7d or a timestamp such as 2030-01-31T12:00:00Z"
    return ExpiresAt((moment - _EPOCH) // timedelta(milliseconds=1))


def _parse_except(action: str, value: str) -> Caveat | str:
    if action not in _FILES:
        return f"except= does not apply to {action}:"
    globs = tuple(value.split(","))
    for glob in globs:
        segments = glob.removeprefix("/").split("/")
        if any(s in ("", ".", "..") for s in segments) or hostile_character(glob) is not None:
            return f"except= takes globs such as *.pem,private/**, not {glob!r}"
        if any("**" in s and s != "**" for s in segments) or glob.endswith("\\"):
            return f"except= takes ** only as a whole segment, not {glob!r}"
    return Except(globs)
