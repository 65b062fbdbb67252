"""Which typed values a principal's own text names. Pure.

    alice = Entry("Alice", (Value("email", "alice@example.com"),))
    grounded_in("answer Alice that 2030-05-07 works", [alice])    # her address, and the date

Guarantees: a word counts whole or not at all, so that no part of another address is one; what has
two readings (`1,000`, a name that two entries have) names nothing. Does not: know whose text it
is; whoever calls this passes the principal's alone, never a file, a result or a reply of a model.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, islice

from capbox.authority.values.kinds import Kind, Value, canonical

CHARACTERS_MAX = 100_000
_QUOTED = re.compile(r'"([^"\n]+)"|“([^“”\n]+)”|`([^`\n]+)`')
_BETWEEN = re.compile(r"[\s<>\"“”`]+")
_BEFORE, _AFTER = "([{'\u2018", ")]}.,;:!?'\u2019"
_BRACKETS = frozenset("()[]{}")
_NOWHERE = frozenset("./")
_LISTED = re.compile(r"(?<=[^0-9])[,;](?=[^0-9])")
_MONEY = "$€£¥"
# A name is not part of a word, an address (alice@..., alice.example) or a path.
_FREE_BEFORE, _FREE_AFTER = r"(?<![\w@./\\:%+=&#~-])", r"(?![\w@/\\]|[.:%+=&#~-]\w)"
_ACCOUNT = re.compile(r"[A-Za-z]{2}[0-9]{2}")
_GROUPS_MIN, _GROUPS_MAX = 4, 9
_ACCOUNTS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What a name stands for, in a directory that the program supplies."""

    name: str
    values: tuple[Value, ...]


def grounded_in(text: str, directory: Iterable[Entry] = ()) -> frozenset[Value]:
    """Return the values that `text` spells, and those of the entries that it names."""
    if len(text) > CHARACTERS_MAX:
        # Whole lines: the beginning of an address, or of a name, is another one.
        text = text[:CHARACTERS_MAX].rpartition("\n")[0]
    text = unicodedata.normalize("NFC", text)
    words = [_bare(word) for word in _BETWEEN.split(text)]
    quotes = {next(filter(None, match.groups())) for match in _QUOTED.finditer(text)}
    found = {value for word in set(words) for part in _parts(word) for value in _spelt(part)}
    found |= {value for quote in quotes for value in (*_of(quote, "text", "id"), *_spelt(quote))}
    return frozenset(found | set(_accounts(words)) | set(_named(text, tuple(directory))))


def _bare(word: str) -> str:
    """Return a word without the punctuation of its sentence; brackets within it are its own."""
    stripped = word.lstrip(_BEFORE).rstrip(_AFTER)
    return stripped if _BRACKETS.isdisjoint(stripped) else word


def _parts(word: str) -> Iterator[str]:
    """Yield a word, and what it lists: `a@b.example,c@d.example`, but never `1,000` or a URL."""
    yield word
    if "/" not in word:
        yield from map(_bare, _LISTED.split(word))


def _spelt(word: str) -> Iterator[Value]:
    yield from _of(word, "email", "url")
    # Of words without a full stop, slash or digit every one would be a host, a path and an id.
    if "." in word:
        yield from _of(word, "host")
    # A dot or a slash alone is punctuation, and would be the whole workspace, or the machine.
    if ("." in word or "/" in word) and not _NOWHERE.issuperset(word):
        yield from _of(word, "path")
    if any(map(str.isdigit, word)):
        yield from _of(word, "id", "date", "iban")
        yield from _of(word.strip(_MONEY), "amount")


def _of(text: str, *kinds: Kind) -> Iterator[Value]:
    for kind in kinds:
        found = canonical(kind, text)
        if isinstance(found, Value):
            yield found


def _accounts(words: list[str]) -> Iterator[Value]:
    """Yield account numbers that are written in groups of four."""
    starts = (n for n, word in enumerate(words) if _ACCOUNT.fullmatch(word))
    grouped = {
        tuple(words[start:end])
        for start in islice(starts, _ACCOUNTS_MAX)
        for end in range(start + _GROUPS_MIN, start + _GROUPS_MAX + 1)
    }
    for groups in grouped:
        yield from _of(" ".join(groups), "iban")


def _named(text: str, directory: tuple[Entry, ...]) -> Iterator[Value]:
    """Yield the values of the entries whose name stands in `text` as words of their own."""
    folded = _folded(text)
    entries: dict[str, list[Entry]] = {}
    for entry in directory:
        entries.setdefault(_folded(entry.name.strip()), []).append(entry)
    places = sorted(
        (match.span(), name)
        for name in entries
        if name and name in folded
        for match in re.finditer(f"{_FREE_BEFORE}{re.escape(name)}{_FREE_AFTER}", folded)
    )
    # A pasted text may hold a name ten thousand times, so that no two places are held side by side.
    starts = [start for (start, _), _ in places]
    furthest = list(accumulate((end for (_, end), _ in places), max, initial=0))
    for (start, end), name in places:
        # Two entries of one name name nobody; `Alice Smith` does not name `Alice` as well.
        before, overlapping = bisect_left(starts, start), bisect_left(starts, end)
        around = furthest[before] <= start and furthest[overlapping] <= end
        if around and len(entries[name]) == 1:
            yield from entries[name][0].values


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
