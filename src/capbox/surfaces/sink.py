"""Output is a sink: text that others wrote, made harmless before a person sees it.

Guarantees: what comes out holds no control, bidi, separator or invisible character; each is spelt
out instead (`\\x1b`, `\\u202e`, `\\U000e0041`), also between two pieces of a stream. What
people write stays as it is: every script, accents, emoji with their joiners and variation
selectors, line ends and tabs. Doing it twice changes nothing.
Does not: keep apart what was spelt out here and what was written so; judge words or links (see
`links`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

# What Unicode says shows nothing (Default_Ignorable_Code_Point, 17.0), and interlinear annotation.
# Attack: a whole instruction in tag characters, or a byte a variation selector ("ASCII smuggling").
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Format characters that show as signs of the Arabic, Syriac and Kaithi scripts.
_SIGNS: Final = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u0890\u0891\u08e2\U000110bd")
_EMOJI: Final = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf"
    "\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_RUN: Final = re.compile(r"([\x20-\x7e\n\t]+)|(.)", re.DOTALL)
_JOINERS: Final = "\u200c\u200d"
_SELECTORS: Final = "\ufe0e\ufe0f"
_KEYCAP: Final = "\u20e3"
_MARKS_MAX = 8
"""Accents on one letter; more paint over the lines above and below."""
_VIRAMA = 9
"""The combining class after which a joiner shapes a letter (RFC 5892, A.1 and A.2)."""


def visible(text: str) -> str:
    """Return `text` as a person may see it: line ends and tabs stay, all else that hides is spelt.

    CRLF becomes LF; a lone carriage return could overwrite its line, and is spelt out.
    """
    if text.isascii() and text.isprintable():
        return text
    flow = Flow()
    return flow.feed(text) + flow.finish()


def one_line(text: str, characters_max: int) -> str:
    """Return `text` as a person may see it on a single line, cut with a mark when it is longer."""
    flat = visible(" ".join(text.split()))
    return flat if len(flat) <= characters_max else flat[: characters_max - 3] + "..."


class Flow:
    """The same for text that comes in pieces: what depends on the next character waits for it."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self._waiting = ""
        self._follow("")

    def feed(self, piece: str) -> str:
        """Return what may be shown of all that has come and was not returned yet."""
        shown: list[str] = []
        for plain, other in _RUN.findall(piece):
            shown.append(self._freed(plain[:1] or other))
            if plain:
                self._follow(plain[-1])
            shown.append(plain or self._other(other))
        return "".join(shown)

    def finish(self) -> str:
        """Return what still waited, and begin again."""
        rest = _spelt(self._waiting) if self._waiting else ""
        self._waiting = ""
        self._follow("")
        return rest

    def _follow(self, base: str) -> None:
        """Take note of the last character on which an accent or a joiner could work."""
        self._base = base
        self._selected = False
        self._virama = False
        self._marks = 0

    def _freed(self, follower: str) -> str:
        """Return what waited to see `follower`, as it is or spelt out."""
        waiting, self._waiting = self._waiting, ""
        match waiting:
            case "":
                return ""
            case "\r":
                return "" if follower == "\n" else self._hidden(waiting)
            case "\u200d":
                joined = _EMOJI.match(follower) is not None
            case "\u200c":
                joined = _is_arabic(follower)
            case _:
                joined = follower == _KEYCAP
        return waiting if joined else self._hidden(waiting)

    def _other(self, char: str) -> str:
        """Return a character outside of plain ASCII as it may be shown, or let it wait."""
        if self._waits(char):
            self._waiting = char
            return ""
        if char in _JOINERS and self._virama:
            self._virama = False
            return char
        if char in _SELECTORS and not self._selected and _EMOJI.match(self._base):
            self._selected = True
            return char
        if not _is_seen(char):
            return self._hidden(char)
        if not _is_mark(char):
            self._follow(char)
            return char
        if self._base in ("", "\n", "\t") or self._marks == _MARKS_MAX:
            return self._hidden(char)
        self._marks += 1
        self._virama = unicodedata.combining(char) == _VIRAMA
        return char

    def _waits(self, char: str) -> bool:
        match char:
            case "\r":
                return True
            case "\u200d":
                return _EMOJI.match(self._base) is not None
            case "\u200c":
                return not self._virama and _is_arabic(self._base)
            case "\ufe0f":
                return self._base != "" and self._base in "0123456789#*"
            case _:
                return False

    def _hidden(self, char: str) -> str:
        self._follow("")
        return _spelt(char)


@lru_cache(maxsize=4_096)
def _is_seen(char: str) -> bool:
    if _UNSEEN.match(char) or ord(char) & 0xFFFE == 0xFFFE or "\ufdd0" <= char <= "\ufdef":
        return False
    category = unicodedata.category(char)
    return category not in _UNSEEN_CATEGORIES and (category != "Cf" or char in _SIGNS)


@lru_cache(maxsize=4_096)
def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Me")


def _is_arabic(char: str) -> bool:
    return char != "" and unicodedata.bidirectional(char) == "AL"


def _spelt(char: str) -> str:
    number = ord(char)
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
