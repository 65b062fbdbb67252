"""Which files hold what confidential or strange text: a table by path and content, beside the runs.

Guarantees: a file that a run wrote after reading a secret is known again by its content, under any
name, until its content is another; what there is no room for is remembered as its folder's. Does
not: follow what people do with a part of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from capbox.authority.paths import HostPath
from capbox.authority.values.label import NOTHING, Source, Sources, bounded
from capbox.authority.web.places import Origin, parse_origin
from capbox.journal.tables.table import Format, Table, Value

ROWS_MAX = 100_000
SETTLED_BYTES_MAX = 256 << 20
UNREAD = "unread"
_SOURCES_MAX = 50
_HASHED_BYTES_MAX = 64 << 20
_REMEMBERED_MAX = 20_000
_TICK_SECONDS = 2.0
# `named`: the name too was chosen by one who had read the sources. `tree`: so is all that is below.
# `call`: it is being written, or its writer was killed.
_FORMAT = Format(
    "a table of labels",
    application=0,
    version=1,
    tables="""CREATE TABLE file (
      path TEXT NOT NULL, folder TEXT NOT NULL, size INTEGER NOT NULL, digest TEXT NOT NULL,
      named INTEGER NOT NULL, tree INTEGER NOT NULL, sources TEXT NOT NULL, call TEXT NOT NULL,
      PRIMARY KEY (path, size, digest, named, tree, sources, call)
    );
    CREATE INDEX content ON file (size, digest);
    CREATE INDEX folder ON file (folder) WHERE named;
    CREATE INDEX call ON file (call) WHERE call != '';""",
)
_INSERT = "INSERT OR IGNORE INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_ALSO = "(tree AND path IN (SELECT value FROM json_each(:above)))) AND (call = '' OR call != :but)"
_OF_CONTENT = f"""SELECT sources FROM file WHERE ((size = :size AND digest = :digest)
OR (call != '' AND path = :host) OR {_ALSO}"""  # noqa: S608
# What comes after "/" is "0".
_ABOUT = f"""SELECT sources FROM file WHERE (path = :host
OR (path > :at || '/' AND path < :at || '0') OR {_ALSO}"""  # noqa: S608
_OF_NAMES = f"""SELECT sources FROM file WHERE ((named AND folder = :host) OR {_ALSO}"""  # noqa: S608
_OF_SIZE = "SELECT 1 FROM file WHERE size = ? LIMIT 1"
_COUNT = "SELECT count(*) FROM file WHERE path != '/'"
_FOLD = """INSERT OR IGNORE INTO file SELECT DISTINCT folder, '', -1, '', 0, 1, sources, call
FROM (SELECT folder, sources, call FROM file WHERE path != '/' ORDER BY rowid LIMIT ?)"""
_DROP = """DELETE FROM file WHERE rowid IN
(SELECT rowid FROM file WHERE path != '/' ORDER BY rowid LIMIT ?)"""


@dataclass(frozen=True, slots=True)
class Note:
    """What was written at `host` by one who had read `sources`.

    `named`: the name is new. `tree`: it is a directory, and what is below it came with it.
    """

    host: HostPath
    sources: Sources
    named: bool = False
    tree: bool = False


class Provenance:
    """The table in the file `path`, which is made when there is something to note."""

    def __init__(self, path: Path, rows_max: int = ROWS_MAX) -> None:
        """Use `path`; nothing is opened yet. Up to `rows_max` files are kept apart."""
        self._table = Table(path, _FORMAT)
        self._rows_max = rows_max
        self._hashed: dict[tuple[int, ...], tuple[int, str]] = {}

    def of(self, host: HostPath, but: str = "") -> Sources | None:
        """Return the sources of what this file holds now, whatever it is called.

        Not of what the call `but` is about to write, here and below.

        None if it cannot be read: it is gone, no regular file, or too large. Raises JournalError.
        """
        if not self._table.exists:
            return NOTHING
        found = self._known_content(host)
        if found is None:
            return None
        size, digest = found
        return self._found(_OF_CONTENT, _places(host, but) | {"size": size, "digest": digest})

    def about(self, host: HostPath, but: str = "") -> Sources:
        """Return the sources noted for a path and what was below it, whatever is there now.

        Raises JournalError.
        """
        if not self._table.exists:
            return NOTHING
        return self._found(_ABOUT, _places(host, but))

    def of_names(self, folder: HostPath, but: str = "") -> Sources:
        """Return the sources of the names that were made in a directory. Raises JournalError."""
        if not self._table.exists:
            return NOTHING
        return self._found(_OF_NAMES, _places(folder, but))

    def expect(self, host: HostPath, sources: Sources, call: str) -> None:
        """Note that `call` is about to write a file, or to put something there.

        Until it is settled, all that is found there counts as `sources`. Raises JournalError.
        """
        self._insert(Note(host, sources, named=True, tree=True), (-1, ""), call)

    def settle(self, call: str, notes: Iterable[Note]) -> None:
        """Note what `call`, which is over, has written, at once. Raises JournalError."""
        left = SETTLED_BYTES_MAX
        found: list[tuple[Note, tuple[int, str] | None]] = []
        for note in notes:
            content = _content(note.host, left)
            left -= 0 if content is None else content[0]
            found.append((note, content))
        with self._table.transaction():
            for note, content in found:
                # What was not read is known by its name, whatever it holds.
                self._insert(note, content or (-1, ""), "" if content else UNREAD)
            self._table.run("DELETE FROM file WHERE call = ?", (call,))
            self._make_room()

    def _insert(self, note: Note, content: tuple[int, str], call: str) -> None:
        text = json.dumps(sorted(map(_fields, bounded(note.sources, _SOURCES_MAX)), key=str))
        folder = str(Path(note.host).parent)
        self._table.run(_INSERT, (note.host, folder, *content, note.named, note.tree, text, call))

    def _make_room(self) -> None:
        """Let the folders of the oldest files stand for them where there are too many.

        Attack: so many files are written that one with a secret is forgotten.
        """
        while int(self._table.run(_COUNT)[0][0]) > self._rows_max:
            half = self._rows_max // 2
            self._table.run(_FOLD, (half,))
            self._table.run(_DROP, (half,))

    def close(self) -> None:
        """Close the table."""
        self._table.close()

    def _known_content(self, host: HostPath) -> tuple[int, str] | None:
        """Return what `_content` does, but read no file twice, nor one of a size unheard of."""
        try:
            found = os.lstat(host)
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        if found.st_size <= _HASHED_BYTES_MAX and not self._table.run(_OF_SIZE, (found.st_size,)):
            return found.st_size, ""
        key = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
        known = self._hashed.get(key)
        if known is None:
            known = _content(host, _HASHED_BYTES_MAX)
            # A change within the same tick of the clock as the last one leaves no trace.
            if known is not None and time.time() - found.st_ctime > _TICK_SECONDS:
                if len(self._hashed) >= _REMEMBERED_MAX:
                    self._hashed.clear()
                self._hashed[key] = known
        return known

    def _found(self, query: str, values: dict[str, Value]) -> Sources:
        rows = self._table.run(query, values)
        return bounded((source for row in rows for source in _sources(str(row[0]))), _SOURCES_MAX)


def _content(host: HostPath, bytes_max: int) -> tuple[int, str] | None:
    """Return size and SHA-256 of a regular file; None for what is not one, or is too large."""
    # A pipe that was put there must not hold this up, nor a link lead elsewhere.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(host, flags), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > min(bytes_max, _HASHED_BYTES_MAX):
                return None
            return found.st_size, hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _places(host: HostPath, but: str) -> dict[str, Value]:
    above = [host, *map(str, Path(host).parents)]
    return {"host": host, "at": host.rstrip("/"), "above": json.dumps(above), "but": but}


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
