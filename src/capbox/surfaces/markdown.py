"""Markdown from a model or a tool, made safe for whoever renders it.

Guarantees: rendered, the result loads nothing and hides no address: images and HTML tags are
visible text, links are their text and where they lead (see `links`), reference definitions are
shown; code blocks and code spans stay as they are. The text is read as CommonMark with and without
tables until nothing is found any more; a text that never comes to rest, is nested too deep to be
read, or too long, is shown with every mark of Markdown's escaped.
Does not: guard a renderer that follows neither CommonMark nor GFM, or that fetches bare addresses
by itself.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any, Final

from capbox.surfaces.links import NESTING_MAX, ROUNDS_MAX, reader, spans, written_out
from capbox.surfaces.sink import visible

CHARACTERS_MAX: Final = 200_000
_FLAVOURS: Final[tuple[tuple[str, ...], ...]] = ((), ("table", "strikethrough"))
# Attack: "[" a hundred thousand times, each of which looks for its end. As many steps as this take
# some tenths of a second.
_WORK_MAX: Final = 50_000_000
# A block of HTML begins in the middle of a paragraph too, and of a code span in it.
_ROW_TAG: Final = re.compile(r"^([ \t]*)<(?=[A-Za-z/!?])", re.MULTILINE)
# Parsers differ in how wide a tab behind the mark of a list or a quote is.
_MARKED_TAB: Final = re.compile(r"^[ \t]*(?:[>*+-]|\d{1,9}[.)])[ \t>*+.)\d-]*", re.MULTILINE)
_MARKS: Final = re.compile(r"[\\`~\[\]<>!]")


def safe_markdown(text: str) -> str:
    """Return Markdown that shows what `text` shows, and where everything in it leads."""
    text = _MARKED_TAB.sub(lambda mark: mark[0].expandtabs(4), visible(text))
    if len(text) > CHARACTERS_MAX:
        return _escaped(text)
    safe = text
    for _ in range(ROUNDS_MAX):
        before = safe
        for flavour in _FLAVOURS:
            read = _once(safe, flavour)
            if read is None:
                return _escaped(text)
            safe = read
        if safe == before:
            return safe
    return _escaped(text)


def _escaped(text: str) -> str:
    """Return text in which no parser finds anything but text, code blocks included."""
    return _MARKS.sub(lambda mark: f"&#{ord(mark[0])};", text)


def _once(text: str, flavour: tuple[str, ...]) -> str | None:
    """Return the text with all that one reading finds written out; None if it cannot be read."""
    environment: MutableMapping[str, Any] = {}
    tokens = reader(flavour).parse(text, environment)
    if any(token.level >= NESTING_MAX - 2 for token in tokens):
        # Attack: an image below more quotes than this parser follows, and another one does.
        return None
    page = _Page(text)
    for token in tokens:
        if token.type == "inline" and token.map is not None:
            if token.content.count("[") * len(token.content) > _WORK_MAX:
                return None
            found = spans(token.content, environment, flavour)
            shown = _ROW_TAG.sub(r"\1&lt;", written_out(token.content, found))
            page.put(token.map[0], token.map[1], token.content, shown)
    known = environment.get("references", {}).values()
    for definition in (*known, *environment.get("duplicate_refs", ())):
        page.show_definition(definition["map"][0])
    return page.text()


class _Page:
    """The lines of a text, in which paragraphs are replaced where they stand."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._done: dict[int, int] = {}
        self._gone: set[int] = set()
        self._escaped: set[int] = set()

    def text(self) -> str:
        return "\n".join(line for n, line in enumerate(self._lines) if n not in self._gone)

    def put(self, first: int, end: int, old: str, new: str) -> None:
        """Replace a paragraph that stands in the lines from `first` to before `end`."""
        places = self._places(first, end, old)
        if old == new:
            return
        if places is None:
            self._escape(first, end)
            return
        rows = new.split("\n")
        if len(rows) != len(places):
            # A link that went on in the next line does so no more.
            self._gone.update(number for number, _, _ in places[1:])
            places, rows = places[:1], [" ".join(row.strip() for row in rows)]
        for (number, start, stop), row in zip(places, rows, strict=True):
            line = self._lines[number]
            self._lines[number] = line[:start] + row.strip() + line[stop:]
            self._done[number] = start + len(row.strip())

    def show_definition(self, number: int) -> None:
        """Make the definition of a reference a text that is seen."""
        self._lines[number] = self._lines[number].replace("[", "\\[", 1)

    def _places(self, first: int, end: int, old: str) -> list[tuple[int, int, int]] | None:
        """Return line, start and end of each row of a paragraph, without quote and list marks.

        None where a row does not stand there as it was read (`\\|` in a cell of a table).
        """
        places = []
        number = first
        for row in map(str.strip, old.split("\n")):
            while number < end:
                start = self._lines[number].find(row, self._done.get(number, 0))
                if start >= 0:
                    break
                number += 1
            else:
                return None
            places.append((number, start, start + len(row)))
            self._done[number] = start + len(row)
            number += 1
        return places

    def _escape(self, first: int, end: int) -> None:
        for number in range(first, end):
            if number not in self._escaped:
                self._escaped.add(number)
                self._lines[number] = _escaped(self._lines[number])
