"""Which files hold what confidential or strange text: a table by path and content, beside the runs.

Guarantees: a file that a run wrote after reading a secret is known again by its content, under any
name. Does not: follow what people do with it; once its content is another, it is theirs.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
from collections.abc import Iterable
from pathlib import Path

from capbox.authority.paths import HostPath
from capbox.authority.values.label import NOTHING, Source, Sources, bounded
from capbox.authority.web.places import Origin, parse_origin
from capbox.journal.errors import JournalError

_BUSY_SECONDS = 10.0
_VERSION = 1
_FILES_MAX = 10_000
_SOURCES_MAX = 50
_HASHED_BYTES_MAX = 64 << 20
_SCHEMA = f"""
PRAGMA journal_mode=WAL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS file (
  path TEXT PRIMARY KEY, size INTEGER NOT NULL, digest TEXT NOT NULL, sources TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS content ON file (size, digest);
PRAGMA user_version={_VERSION};
COMMIT;
"""

_FORGET = (
    "DELETE FROM file WHERE rowid IN (SELECT rowid FROM file ORDER BY rowid DESC LIMIT -1 OFFSET ?)"
)


class Provenance:
    """The table in the file `path`, which is made when there is something to note."""

    def __init__(self, path: Path) -> None:
        """Use `path`; nothing is opened yet."""
        self._path = path
        self._open: sqlite3.Connection | None = None

    def of(self, host: HostPath) -> Sources:
        """Return the sources of what this file holds now, whatever it is called.

        Raises JournalError.
        """
        found = None if self._is_empty() else _content(host)
        if found is None:
            return NOTHING
        return self._found("SELECT sources FROM file WHERE size = ? AND digest = ?", found)

    def at_or_below(self, host: HostPath) -> Sources:
        """Return the sources noted for a path and what was below it, whatever is there now.

        Raises JournalError.
        """
        if self._is_empty():
            return NOTHING
        root = host.rstrip("/")
        query = "SELECT sources FROM file WHERE path = ? OR (path > ? AND path < ?)"
        return self._found(query, (host, f"{root}/", f"{root}0"))  # "0" comes after "/"

    def note(self, hosts: Iterable[HostPath], sources: Sources) -> None:
        """Note that these files were written by one who had read `sources`. Raises JournalError."""
        text = json.dumps(sorted(map(_fields, bounded(sources, _SOURCES_MAX)), key=str))
        for host in hosts:
            size, digest = _content(host) or (-1, "")
            self._run("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)", (host, size, digest, text))
        self._run(_FORGET, (_FILES_MAX,))

    def close(self) -> None:
        """Close the table."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _is_empty(self) -> bool:
        return self._open is None and not self._path.exists()

    def _found(self, query: str, values: tuple[str | int, ...]) -> Sources:
        rows = self._run(query, values)
        return bounded((source for row in rows for source in _sources(row)), _SOURCES_MAX)

    def _run(self, statement: str, values: tuple[str | int, ...]) -> list[str]:
        try:
            if self._open is None:
                self._open = _opened(self._path)
            return [str(row[0]) for row in self._open.execute(statement, values)]
        except (sqlite3.Error, OSError) as error:
            raise JournalError(str(self._path), f"unusable, and left as it is: {error}") from error


def _opened(path: Path) -> sqlite3.Connection:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    os.close(descriptor)
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, _VERSION):
        database.close()
        raise OSError(f"not a table of this version ({version})")
    if version == 0:
        database.executescript(_SCHEMA)
    return database


def _content(host: HostPath) -> tuple[int, str] | None:
    """Return size and SHA-256 of a regular file; None for what is not one, or is too large."""
    # A pipe that was put there must not hold this up, nor a link lead elsewhere.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(host, flags), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > _HASHED_BYTES_MAX:
                return None
            return found.st_size, hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _fields(source: Source) -> list[str | bool | None]:
    origin = None if source.origin is None else str(source.origin)
    return [source.kind, source.name, source.trusted, origin]


def _sources(text: str) -> Iterable[Source]:
    """Read what `note` wrote; what cannot be read is the worst there is."""
    for fields in json.loads(text):
        match fields:
            case [("workspace" | "web" | "function" | "secret") as kind, str(name), trusted, of]:
                origin = parse_origin(of) if isinstance(of, str) else None
                place = origin if isinstance(origin, Origin) else None
                yield Source(kind, name, trusted=trusted is True, origin=place)
            case _:
                yield Source("secret", "*")
