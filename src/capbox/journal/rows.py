"""The SQLite file of a journal: made once, opened by several processes, never replaced.

Guarantees: the file appears with its schema complete; an unreadable one is reported and kept.
Does not: know what an entry means.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from capbox.journal.blobs import sync_path
from capbox.journal.chain import Entry
from capbox.journal.errors import DiskError, JournalError
from capbox.journal.tables.table import Format

FORMAT = Format(
    "a journal",
    application=0x63617062,  # "capb"
    version=1,
    tables="""CREATE TABLE entry (
      run TEXT NOT NULL, seq INTEGER NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL,
      body TEXT NOT NULL, seal TEXT NOT NULL, PRIMARY KEY (run, seq)
    ) WITHOUT ROWID;""",
)
_INSERT = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)"
_SELECT = "SELECT run, seq, previous, hash, body, seal FROM entry WHERE run = ? ORDER BY seq"


class Rows:
    """One connection; used from the thread that made it."""

    def __init__(self, path: Path) -> None:
        """Open the database. Raises JournalError when it is missing or unreadable."""
        self._path = path
        try:
            self._db = FORMAT.opened(path)
        except (sqlite3.Error, OSError) as error:
            raise _explained(path, error) from error
        self._db.text_factory = bytes  # damaged text is judged by `verify`, not by the driver

    def insert(self, entry: Entry) -> None:
        """Add one entry. Raises JournalError."""
        fields = (entry.run, entry.seq, entry.previous, entry.hash, entry.body, entry.seal)
        try:
            self._db.execute(_INSERT, fields)
        except sqlite3.Error as error:
            raise JournalError(entry.run, f"entry {entry.seq} was not written: {error}") from error

    def entries(self, run: str) -> Iterator[Entry | None]:
        """Yield a run's rows in order, None for one that has not the shape of an entry.

        Raises JournalError where the file itself cannot be read any further.
        """
        try:
            for row in self._db.execute(_SELECT, (run,)):
                yield _entry(row)
        except sqlite3.Error as error:
            raise _explained(self._path, error) from error

    def runs(self) -> tuple[str, ...]:
        """Return the ids of all runs, sorted. Raises JournalError."""
        try:
            found = self._db.execute("SELECT DISTINCT run FROM entry ORDER BY run").fetchall()
        except sqlite3.Error as error:
            raise _explained(self._path, error) from error
        return tuple(bytes(run).decode(errors="replace") for (run,) in found)

    def sync(self) -> None:
        """Flush what was written. Raises OSError.

        Only the write-ahead log is opened here: opening and closing the database file itself
        would drop the locks that SQLite holds on it in this process (POSIX record locks).
        """
        log = self._path.with_name(self._path.name + "-wal")
        if log.exists():
            sync_path(log)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


def _explained(path: Path, error: Exception) -> JournalError:
    # Opening a database in WAL mode writes beside it, so a full disk keeps it from being read.
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL):
        return DiskError(str(path), f"its disk is full or fails; it is left as it is ({error})")
    return JournalError(str(path), f"unreadable, and left as it is: {error}")


def _entry(row: tuple[object, ...]) -> Entry | None:
    run, seq, previous, link, body, seal = (_text(value) for value in row)
    if not (isinstance(run, str) and type(seq) is int and isinstance(previous, str)):
        return None
    if not (isinstance(link, str) and isinstance(body, str) and isinstance(seal, str)):
        return None
    return Entry(run, seq, previous, link, body, seal)


def _text(value: object) -> object:
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return None
