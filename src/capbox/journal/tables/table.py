"""A SQLite file of capbox's own: made once and whole, opened by several processes, never replaced.

Guarantees: the file appears with its schema complete; one that is damaged, or of another program or
version, is reported and kept; a transaction is taken whole or not at all. Does not: know what a row
means.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from capbox.journal.blobs import beside, sync_path
from capbox.journal.errors import JournalError

_BUSY_SECONDS = 10.0
Value = str | int | float


@dataclass(frozen=True, slots=True)
class Format:
    """What a file of one kind holds: `name` for people, the marks in its header, its tables."""

    name: str
    application: int
    version: int
    tables: str

    def make(self, path: Path) -> None:
        """Make the file if it is missing, under another name that is linked when it is whole.

        So those who start together agree on one. Raises JournalError.
        """
        if path.exists():
            return
        temporary = beside(path)
        marks = f"PRAGMA application_id={self.application}; PRAGMA user_version={self.version};"
        try:
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL, 0o600))
            with closing(sqlite3.connect(temporary)) as database:
                database.executescript(f"PRAGMA journal_mode=WAL; {self.tables} {marks}")
            os.link(temporary, path)
            sync_path(path.parent)
        except FileExistsError:
            return
        except (sqlite3.Error, OSError) as error:
            raise JournalError(str(path), f"it cannot be made: {error}") from error
        finally:
            temporary.unlink(missing_ok=True)

    def opened(self, path: Path) -> sqlite3.Connection:
        """Open a file that is there, for the calling thread. Raises OSError and sqlite3.Error."""
        # A missing one is an error to report: it must not be there anew, and empty.
        existing = f"{path.absolute().as_uri()}?mode=rw"
        database = sqlite3.connect(existing, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        with ExitStack() as stack:
            stack.callback(database.close)
            # NORMAL: no flush per statement, but checkpoints stay safe against a power cut.
            database.execute("PRAGMA synchronous=NORMAL")
            marks = ("application_id", "user_version")
            found = [database.execute(f"PRAGMA {mark}").fetchone()[0] for mark in marks]
            if found != [self.application, self.version]:
                raise OSError(f"not {self.name} of this version")
            stack.pop_all()
        return database


class Table:
    """A file of some format that is made at its first use; `without` says what is lost with it."""

    def __init__(self, path: Path, form: Format, without: str = "") -> None:
        """Use `path`; nothing is opened yet."""
        self._path = path
        self._form = form
        self._without = without
        self._open: sqlite3.Connection | None = None

    @property
    def exists(self) -> bool:
        """Say whether anything was ever put there."""
        return self._open is not None or self._path.exists()

    def run(
        self, statement: str, values: Sequence[Value] | Mapping[str, Value] = ()
    ) -> list[tuple[Value, ...]]:
        """Execute one statement and return its rows. Raises JournalError."""
        with self._explaining() as database:
            return database.execute(statement, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Keep all other writers out, and take what is run inside whole. Raises JournalError."""
        with self._explaining() as database, database:
            database.execute("BEGIN IMMEDIATE")
            yield database

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            self._open.close()
            self._open = None

    @contextmanager
    def _explaining(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._open is None:
                self._form.make(self._path)
                if self._path.is_symlink():
                    raise OSError("a link is in its place")
                self._open = self._form.opened(self._path)
            yield self._open
        except (sqlite3.Error, OSError, ValueError, OverflowError) as error:
            reason = f"unusable, and left as it is: {error}{self._without}"
            raise JournalError(str(self._path), reason) from error
