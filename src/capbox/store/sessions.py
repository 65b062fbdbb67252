"""Sessions and what was said in them: the second half of the run store.

Guarantees: a message is there whole or not at all, numbered from 0 without gaps; an id is opaque
(`is_session_id`) and never a path; deleting one leaves no word of it here. Does not: hold
authority. People may edit all of this; what a session held is in the journal alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import (
    BindParameter,
    Row,
    Select,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from capbox.messages import Json, Message
from capbox.store.codec import decode, encode
from capbox.store.names import storable, title_of
from capbox.store.schema import events, messages, runs, sessions
from capbox.store.search import Found, Search
from capbox.store.statements import Filled, Statements

_OWN = (sessions, func.count(messages.c.id).label("said"))
_SESSION: BindParameter[str] = bindparam("own_session")
_AT: BindParameter[float] = bindparam("own_at")
_SEQ = select(func.coalesce(func.max(messages.c.seq), -1) + 1).where(messages.c.session == _SESSION)
_SAY = insert(messages).values(
    session=_SESSION,
    seq=_SEQ.scalar_subquery(),
    run=bindparam("own_run"),
    at=_AT,
    json=bindparam("own_json"),
)
_TOUCH = update(sessions).where(sessions.c.id == _SESSION).values(updated=_AT)


@dataclass(frozen=True, slots=True)
class StoredSession:
    """One session; times in seconds since 1970, `messages` is how many it has.

    A fork has a `parent`, of which it began with the first `place` messages.
    """

    id: str
    title: str
    workspace: str
    model: str
    created: float
    updated: float
    tags: tuple[str, ...] = ()
    parent: str | None = None
    place: int | None = None
    messages: int = 0

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        names = [name for name in self.__slots__ if name != "tags"]
        return {**{name: getattr(self, name) for name in names}, "tags": list(self.tags)}


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message, the run in which it was said, and when."""

    seq: int
    run: str
    at: float
    message: Message


def said_in(session: str, run: str, message: Message, at: float) -> tuple[Filled, Filled]:
    """Return what stores that a message was said next in a session."""
    values: dict[str, str | float] = {"own_session": session, "own_at": at}
    said = Filled(_SAY, {**values, "own_run": run, "own_json": encode(message)})
    return said, Filled(_TOUCH, values)


class SessionStore:
    """The sessions of one run store; every method raises StoreError if the database cannot do it.

    A method that names a session that is not there changes nothing, and says so by StoreError.
    """

    def __init__(self, statements: Statements) -> None:
        """Use an open database."""
        self.statements = statements
        self._search = Search(statements)

    async def begin(self, session: StoredSession) -> None:
        """Store a session that starts, without messages; its id must be new."""
        values = {
            "id": session.id,
            "title": title_of(session.title),
            "tags": json.dumps(session.tags),
            "workspace": storable(session.workspace),
            "model": storable(session.model),
            "created": session.created,
            "updated": session.updated,
            "parent": session.parent,
            "place": session.place,
        }
        taken = f"session {session.id} exists already"
        await self.statements.change(insert(sessions).values(values), refused=taken)

    async def append(self, session: str, run: str, message: Message, *, at: float) -> None:
        """Store what was said next."""
        said = said_in(session, run, message, at)
        await self.statements.change(*said, refused=f"there is no session {session}")

    async def get(self, session: str) -> StoredSession | None:
        """Return a session, or None if there is none of this id."""
        found = await self._sessions(_selected().where(sessions.c.id == session))
        return found[0] if found else None

    async def beginning(self, prefix: str) -> tuple[StoredSession, ...]:
        """Return the sessions whose id begins like that."""
        return await self._sessions(
            _selected().where(sessions.c.id.startswith(prefix, autoescape=True))
        )

    async def newest(
        self, limit: int = 100, *, workspace: str | None = None
    ) -> tuple[StoredSession, ...]:
        """Return the sessions, those last spoken in first; of one workspace, if it is named."""
        query = _selected().order_by(sessions.c.updated.desc(), sessions.c.id)
        if workspace is not None:
            query = query.where(sessions.c.workspace == storable(workspace))
        return await self._sessions(query.limit(limit))

    async def messages(self, session: str) -> tuple[StoredMessage, ...]:
        """Return all that was said, in order."""
        query = (
            select(messages.c.seq, messages.c.run, messages.c.at, messages.c.json)
            .where(messages.c.session == session)
            .order_by(messages.c.seq)
        )
        return tuple(self._message(session, row) for row in await self.statements.read(query))

    async def rename(self, session: str, title: str) -> None:
        """Give a session another title."""
        await self._set(session, title=title_of(title))

    async def tag(self, session: str, tags: tuple[str, ...]) -> None:
        """Give a session these tags, instead of those it had."""
        await self._set(session, tags=json.dumps(sorted(set(map(storable, tags)))))

    async def fork(self, parent: StoredSession, place: int, name: str, *, at: float) -> None:
        """Store a session `name` that begins with the first `place` messages of `parent`.

        They are copied: what is done to one of the two is not done to the other.
        """
        child = insert(sessions).values(
            id=name,
            title=parent.title,
            tags=json.dumps(parent.tags),
            workspace=parent.workspace,
            model=parent.model,
            created=literal(at),
            updated=literal(at),
            parent=parent.id,
            place=place,
        )
        columns = ("session", "seq", "run", "at", "json")
        old = select(literal(name), *(messages.c[column] for column in columns[1:]))
        kept = old.where((messages.c.session == parent.id) & (messages.c.seq < place))
        copied = insert(messages).from_select(columns, kept.order_by(messages.c.seq))
        await self.statements.change(child, copied, refused=f"session {name} exists already")

    async def runs(self, session: str) -> tuple[str, ...]:
        """Return the ids of its own runs, oldest first."""
        query = select(runs.c.id).where(runs.c.session == session).order_by(runs.c.started_at)
        return tuple(str(row.id) for row in await self.statements.read(query))

    async def delete(self, session: str) -> None:
        """Forget a session: its messages, and of its runs the task and the events.

        How many tokens they took stays known, and so does what the journal has of them.
        """
        if await self.get(session) is None:
            raise self.statements.failed(f"there is no session {session}")
        own = select(runs.c.id).where(runs.c.session == session)
        await self.statements.change(
            *await self._search.forgetting(session),
            delete(events).where(events.c.run.in_(own)),
            update(runs).where(runs.c.session == session).values(task=""),
            delete(messages).where(messages.c.session == session),
            delete(sessions).where(sessions.c.id == session),
        )

    async def search(
        self, words: str, *, limit: int = 20, workspace: str | None = None
    ) -> tuple[Found, ...]:
        """Return the messages that hold all of `words`, the best first; see `Search.find`."""
        return await self._search.find(words, limit, workspace)

    async def search_told(self, words: str, *, limit: int) -> tuple[str, tuple[Found, ...]]:
        """Return what a search finds, after "" or why it was slow."""
        return await self._search.slow(), await self.search(words, limit=limit)

    async def _set(self, session: str, **values: str) -> None:
        query = update(sessions).where(sessions.c.id == session).values(**values)
        if not await self.statements.change(query):
            raise self.statements.failed(f"there is no session {session}")

    async def _sessions(self, query: Select[tuple[object, ...]]) -> tuple[StoredSession, ...]:
        return tuple(self._session(row) for row in await self.statements.read(query))

    def _session(self, row: Row[tuple[object, ...]]) -> StoredSession:
        try:
            tags: Json = json.loads(row.tags)
        except ValueError:
            tags = []  # somebody's edit of a label must not hide what was said
        return StoredSession(
            id=row.id,
            title=row.title,
            workspace=row.workspace,
            model=row.model,
            created=row.created,
            updated=row.updated,
            tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
            parent=row.parent,
            place=row.place,
            messages=row.said,
        )

    def _message(self, session: str, row: Row[tuple[object, ...]]) -> StoredMessage:
        try:
            return StoredMessage(row.seq, row.run, row.at, decode(row.json))
        except ValueError as error:
            reason = f"message {row.seq} of session {session} cannot be read: {error}"
            raise self.statements.failed(reason) from error


def _selected() -> Select[tuple[object, ...]]:
    joined = sessions.outerjoin(messages, messages.c.session == sessions.c.id)
    return select(*_OWN).select_from(joined).group_by(sessions.c.id)
