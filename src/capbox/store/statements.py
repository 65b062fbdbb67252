"""Statements on an open database: each change whole or absent, each error with the file's name.

Does not: know what the tables mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anyio import CancelScope
from sqlalchemy import Executable, Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from capbox.store.database import named_errors
from capbox.store.errors import StoreError


class Statements:
    """One database file; every method raises StoreError if the database cannot do it."""

    def __init__(self, file: Path, engine: AsyncEngine) -> None:
        """Hold an engine that `open_database` has prepared."""
        self.file = file
        self._engine = engine

    async def change(self, *statements: Executable, refused: str = "") -> int:
        """Execute all or none; return how many rows the last one changed.

        `refused` says what it means that a key is taken or missing.
        """
        # Shielded: a run that is being cancelled must still write that it was, and a statement torn
        # in the middle would leave its connection in an unknown state. It takes milliseconds.
        with CancelScope(shield=True), named_errors(self.file):
            try:
                async with self._engine.begin() as connection:
                    for statement in statements:
                        changed = (await connection.execute(statement)).rowcount
            except IntegrityError as error:
                raise StoreError(str(self.file), refused or str(error.orig)) from error
        return changed

    async def read(self, statement: Executable) -> Sequence[Row[tuple[object, ...]]]:
        """Return the rows that a statement finds."""
        with CancelScope(shield=True), named_errors(self.file):
            async with self._engine.connect() as connection:
                rows = (await connection.execute(statement)).all()
        return rows

    def failed(self, reason: str) -> StoreError:
        """Return the error of something that is wrong with what is stored."""
        return StoreError(str(self.file), reason)
