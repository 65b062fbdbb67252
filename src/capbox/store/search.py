"""Searching what was said: SQLite's full-text index, or slowly without it.

Guarantees: every message that is stored is found, also those of an older file: the index is
brought up to date before each search. What is typed is words, never a query language. Does not:
rank by meaning.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Executable, Row, select, text

from capbox.messages import Json, Message, SummaryMessage, ToolMessage
from capbox.store.codec import decode, words_of
from capbox.store.names import storable
from capbox.store.schema import messages, sessions
from capbox.store.statements import Statements

EXCERPT_CHARACTERS = 160
_WITHOUT = "this SQLite has no full-text search (FTS5): every message is read, which is slow"
_PAGE = 2_000
_HAS = text("SELECT count(*) FROM sqlite_master WHERE name = 'said'")
_CAN = text("SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'")
_MAKE = text("CREATE VIRTUAL TABLE IF NOT EXISTS said USING fts5(words)")
_ADD = text(
    "INSERT OR IGNORE INTO said(rowid, words) "
    "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:rows)"
)
_LAST = text("SELECT rowid AS last FROM said ORDER BY rowid DESC LIMIT 1")
_FIND = """SELECT m.session, s.title, m.seq, m.run, m.at, m.json FROM said
JOIN messages AS m ON m.id = said.rowid JOIN sessions AS s ON s.id = m.session
WHERE said MATCH :query {where} ORDER BY said.rank, m.id DESC LIMIT :limit"""
_FORGET = "DELETE FROM said WHERE rowid IN (SELECT id FROM messages WHERE session = :session)"

_MERGE = text("INSERT INTO said(said) VALUES ('optimize')")


@dataclass(frozen=True, slots=True)
class Found:
    """One message that was found: where, when, what it says around the words, and its sources."""

    session: str
    title: str
    seq: int
    run: str
    at: float
    excerpt: str
    sources: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        found = {name: getattr(self, name) for name in self.__slots__ if name != "sources"}
        return {**found, "sources": list(self.sources)}


class Search:
    """The index over the messages of one database."""

    def __init__(self, statements: Statements) -> None:
        """Use an open database; nothing is made before the first search."""
        self._statements = statements

    async def slow(self) -> str:
        """Return "", or why a search reads every message."""
        return "" if (await self._count(_CAN)) else _WITHOUT

    async def find(self, words: str, limit: int, workspace: str | None) -> tuple[Found, ...]:
        """Return the messages that hold each of `words`, the best first, `limit` at most.

        Of the sessions of `workspace` alone, if it is named. No words find nothing.
        """
        wanted = storable(words).split()
        if not wanted:
            return ()
        if await self.slow():
            return await self._read_all(wanted, limit, workspace)
        await self._catch_up()
        where = "" if workspace is None else "AND s.workspace = :workspace"
        # In quotes a word is a word: not AND, not NEAR, no column.
        query = " ".join('"' + word.replace('"', '""') + '"' for word in wanted)
        values: dict[str, str | int] = {"query": query, "limit": limit}
        if workspace is not None:
            values["workspace"] = storable(workspace)
        rows = await self._statements.read(text(_FIND.format(where=where)).bindparams(**values))
        return tuple(found for row in rows if (found := _found(row, wanted)) is not None)

    async def forgetting(self, session: str) -> tuple[Executable, ...]:
        """Return what takes the words of a session out of the index."""
        if not await self._count(_HAS):
            return ()
        # What is deleted stays in the index, marked as gone, until its parts are merged.
        return text(_FORGET).bindparams(session=session), _MERGE

    async def _catch_up(self) -> None:
        await self._statements.change(_MAKE)
        while True:
            last = await self._statements.read(_LAST)
            after = int(last[0].last) if last else 0
            query = select(messages.c.id, messages.c.json).where(messages.c.id > after)
            rows = await self._statements.read(query.order_by(messages.c.id).limit(_PAGE))
            if not rows:
                return
            new = json.dumps([[row.id, _words(row.json)] for row in rows])
            await self._statements.change(_ADD.bindparams(rows=new))

    async def _read_all(
        self, wanted: Sequence[str], limit: int, workspace: str | None
    ) -> tuple[Found, ...]:
        columns = (messages.c.session, sessions.c.title, messages.c.seq, messages.c.run)
        query = select(*columns, messages.c.at, messages.c.json).join(
            sessions, sessions.c.id == messages.c.session
        )
        if workspace is not None:
            query = query.where(sessions.c.workspace == storable(workspace))
        found: list[Found] = []
        for row in await self._statements.read(query.order_by(messages.c.id.desc())):
            said = _words(str(row.json)).casefold()
            one = _found(row, wanted) if all(w.casefold() in said for w in wanted) else None
            found += [] if one is None else [one]
            if len(found) >= limit:
                break
        return tuple(found)

    async def _count(self, query: Executable) -> int:
        return int(str((await self._statements.read(query))[0][0]))


def _words(line: str) -> str:
    try:
        return storable(words_of(decode(line)))
    except ValueError:
        return ""  # what cannot be read cannot be found; opening its session says so


def _found(row: Row[tuple[object, ...]], wanted: Sequence[str]) -> Found | None:
    try:
        message = decode(str(row.json))
    except ValueError:
        return None
    place = row.session, row.title, row.seq, row.run, row.at
    return Found(*place, excerpt(words_of(message), wanted), _sources(message))


def excerpt(said: str, wanted: Sequence[str]) -> str:
    """Return the part of a text around the first of the words that it holds, on one line."""
    lower = said.casefold()
    places = [place for word in wanted if (place := lower.find(word.casefold())) >= 0]
    start = max(min(places, default=0) - EXCERPT_CHARACTERS // 4, 0)
    part = " ".join(said[start : start + EXCERPT_CHARACTERS].split())
    after = "..." if start + EXCERPT_CHARACTERS < len(said) else ""
    return f"{'...' if start else ''}{part}{after}"


def _sources(message: Message) -> tuple[str, ...]:
    return message.sources if isinstance(message, ToolMessage | SummaryMessage) else ()
