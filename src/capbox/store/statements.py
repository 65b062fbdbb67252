"""Statements on an open database: each change whole or absent, each error with the file's name.

Guarantees: a transaction is one step to a thread and back, whatever it holds. Does not: know what
the tables mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from anyio import CancelScope, CapacityLimiter, to_thread
from sqlalchemy import Engine, Executable, Row
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from capbox.store.database import failed
from capbox.store.errors import StoreError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Filled:
    """A statement that was made once, and the values of its parameters.

    To make one anew takes four times as long as to execute it.
    """

    statement: Executable
    values: Mapping[str, str | float]


def _now() -> None:
    """Wait for nothing."""


class Statements:
    """One database file; every method raises StoreError if the database cannot do it."""

    def __init__(self, file: Path, engine: Engine) -> None:
        """Hold an engine that `open_database` has prepared."""
        self.file = file
        self._engine = engine
        self._one = CapacityLimiter(1)  # the engine has one connection

    async def change(
        self, *statements: Executable | Filled, refused: str = "", after: Callable[[], None] = _now
    ) -> int:
        """Execute all or none; return how many rows the last one changed.

        `refused` says what it means that a key is taken or missing. `after` is called first, in
        the thread where they are executed: if it raises, nothing is changed.
        """

        def work() -> int:
            after()
            return self._changed(statements)

        return await self._in_thread(work, refused)

    async def read(self, statement: Executable) -> Sequence[Row[tuple[object, ...]]]:
        """Return the rows that a statement finds."""
        return await self._in_thread(lambda: self._found(statement))

    def failed(self, reason: str) -> StoreError:
        """Return the error of something that is wrong with what is stored."""
        return StoreError(str(self.file), reason)

    async def _in_thread(self, work: Callable[[], _T], refused: str = "") -> _T:
        # Shielded: a run that is being cancelled must still write that it was, and the thread would
        # go on anyway. It takes milliseconds.
        try:
            with CancelScope(shield=True):
                done = await to_thread.run_sync(work, limiter=self._one)
        except IntegrityError as error:
            raise StoreError(str(self.file), refused or str(error.orig)) from error
        except SQLAlchemyError as error:
            raise failed(self.file, error) from error
        return done

    def _changed(self, statements: Sequence[Executable | Filled]) -> int:
        with self._engine.begin() as connection:
            for one in statements:
                if isinstance(one, Filled):
                    changed = connection.execute(one.statement, one.values).rowcount
                else:
                    changed = connection.execute(one).rowcount
        return changed

    def _found(self, statement: Executable) -> Sequence[Row[tuple[object, ...]]]:
        with self._engine.connect() as connection:
            return connection.execute(statement).all()
