"""The run store: every run and its events, from the moment the run starts.

Guarantees: a change is whole or absent, also when the caller is cancelled in the middle; events of
a run are numbered from 0 without gaps; a run whose process died stays as it was (`ended_at` None).
Does not: prove anything. People may edit it; what cannot be edited unseen is the journal.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import BindParameter, Row, bindparam, func, insert, select, update

from capbox.messages import JsonObject, Message, Usage
from capbox.store.database import open_database
from capbox.store.names import storable
from capbox.store.schema import events, runs
from capbox.store.sessions import SessionStore, said_in
from capbox.store.statements import Filled, Statements
from capbox.store.usage import By, Took, taken

_RUN: BindParameter[str] = bindparam("own_run")
_SEQ = select(func.coalesce(func.max(events.c.seq), -1) + 1).where(events.c.run == _RUN)
_APPEND = insert(events).values(
    run=_RUN, seq=_SEQ.scalar_subquery(), at=bindparam("own_at"), json=bindparam("own_json")
)


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run; times in seconds since 1970, what follows `ended_at` is final once that is set.

    `session` is the id of the one that it belongs to; None: it was stored before there were any.
    """

    id: str
    started_at: float
    task: str
    workspace: str
    model: str
    ended_at: float | None = None
    outcome: str | None = None
    usage: Usage = field(default_factory=Usage)
    usd: float | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of a run, as it was told."""

    seq: int
    at: float
    event: JsonObject


@asynccontextmanager
async def open_runs(file: Path) -> AsyncIterator[RunStore]:
    """Open the store at `file`, making it if it is not there.

    Raises:
        StoreError: the file cannot be used; it is left as it was.
    """
    async with open_database(file) as engine:
        yield RunStore(Statements(file, engine))


class RunStore:
    """Runs and events in one SQLite file; made by `open_runs`.

    `sessions` are in the same file. Every method raises StoreError if the database cannot do it.
    """

    def __init__(self, statements: Statements) -> None:
        """Use an open database."""
        self._statements = statements
        self.sessions = SessionStore(statements)

    async def begin(self, run: StoredRun) -> None:
        """Store a run that starts; its id must be new."""
        values = {
            "id": run.id,
            "started_at": run.started_at,
            "task": storable(run.task),
            "workspace": storable(run.workspace),
            "model": storable(run.model),
            "session": run.session,
        }
        await self._statements.change(
            insert(runs).values(values), refused=f"run {run.id} exists already"
        )

    async def append(
        self,
        run: str,
        event: JsonObject,
        *,
        at: float,
        after: Callable[[], None] = lambda: None,
        saying: tuple[str, Message] | None = None,
    ) -> None:
        """Store the next event of a run that has begun.

        `after` is called before that, in another thread; if it raises, nothing is stored. `saying`
        is what was said with it, after the session in which: both are stored, or none.
        """
        # ASCII: what a model wrote may hold half of a surrogate pair, which no encoding takes.
        line = json.dumps(event, ensure_ascii=True, separators=(",", ":"))
        appended = Filled(_APPEND, {"own_run": run, "own_at": at, "own_json": line})
        said = () if saying is None else said_in(saying[0], run, saying[1], at)
        refused = f"there is no run {run}" + (f", or no session {saying[0]}" if saying else "")
        await self._statements.change(*said, appended, refused=refused, after=after)

    async def finish(
        self, run: str, *, ended_at: float, outcome: str, usage: Usage, usd: float | None
    ) -> None:
        """Store how a run ended; once a run."""
        values = {
            "ended_at": ended_at,
            "outcome": outcome,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "usd": usd,
        }
        is_open = (runs.c.id == run) & runs.c.ended_at.is_(None)
        changed = await self._statements.change(update(runs).where(is_open).values(values))
        if not changed:
            raise self._statements.failed(f"there is no run {run} that has not ended")

    async def get(self, run: str) -> StoredRun | None:
        """Return a run, or None if there is none of this id."""
        found = await self._statements.read(select(runs).where(runs.c.id == run))
        return _run(found[0]) if found else None

    async def newest(self, limit: int = 100) -> tuple[StoredRun, ...]:
        """Return the newest runs, newest first."""
        ordered = select(runs).order_by(runs.c.started_at.desc(), runs.c.id.desc())
        return tuple(_run(row) for row in await self._statements.read(ordered.limit(limit)))

    async def events(
        self, run: str, *, after: int = -1, limit: int = 1_000
    ) -> tuple[StoredEvent, ...]:
        """Return the events of a run with numbers above `after`, in order, `limit` at most."""
        page = (
            select(events.c.seq, events.c.at, events.c.json)
            .where((events.c.run == run) & (events.c.seq > after))
            .order_by(events.c.seq)
            .limit(limit)
        )
        return tuple(self._event(row) for row in await self._statements.read(page))

    async def taken(self, by: By, since: float = 0.0) -> tuple[Took, ...]:
        """Return what the runs took since then; see `store.usage`."""
        return await taken(self._statements, by, since)

    def _event(self, row: Row[tuple[object, ...]]) -> StoredEvent:
        try:
            return StoredEvent(row.seq, row.at, json.loads(row.json))
        except ValueError as error:
            raise self._statements.failed(f"event {row.seq} is not JSON: {error}") from error


def _run(row: Row[tuple[object, ...]]) -> StoredRun:
    return StoredRun(
        id=row.id,
        started_at=row.started_at,
        task=row.task,
        workspace=row.workspace,
        model=row.model,
        ended_at=row.ended_at,
        outcome=row.outcome,
        usage=Usage(
            row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_write_tokens
        ),
        usd=row.usd,
        session=row.session,
    )
