"""Opening the database file: private, ours, of a version we know, and never replaced.

Guarantees: a new file is made with mode 0600 (SQLite gives its -wal and -shm files the same), one
that others can read is closed to them; a file that is no database, another program's or a newer
capbox's is refused with the reason, and not one byte of it is changed. Several processes may open
the same file at once. A file of an older version is brought to this one, all of it or none. Does
not: repair.
"""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import sleep

from anyio import CancelScope, to_thread
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from capbox.store.errors import StoreError
from capbox.store.schema import APPLICATION, MIGRATIONS, VERSION, metadata

_BUSY_SECONDS = 10
_SWITCH_TRIES = 200


@asynccontextmanager
async def open_database(file: Path) -> AsyncIterator[Engine]:
    """Yield an engine with one connection, so that this process is a single writer.

    It blocks: whoever uses it does so in a thread, one at a time.

    Raises:
        StoreError: the file cannot be used; it is left as it was.
    """
    _make_private(file)
    engine = create_engine(
        URL.create("sqlite", database=str(file)),
        # Used by one thread at a time, not always the same.
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        pool_size=1,
        max_overflow=0,
    )
    event.listen(engine, "connect", _settle)
    try:
        # Shielded, here and below: a cancelled call would leave its thread with an open connection.
        with CancelScope(shield=True), named_errors(file):
            await to_thread.run_sync(_prepare, engine, file)
        yield engine
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(engine.dispose)


@contextmanager
def named_errors(file: Path) -> Iterator[None]:
    """Turn an error of the database into a `StoreError` that names the file."""
    try:
        yield
    except SQLAlchemyError as error:
        raise failed(file, error) from error


def failed(file: Path, error: SQLAlchemyError) -> StoreError:
    """Return an error of the database as one that names the file."""
    return StoreError(str(file), str(getattr(error, "orig", None) or error))


def _make_private(file: Path) -> None:
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(str(file), error.strerror or "cannot be made") from error
    # Looked at, not opened: closing a descriptor would drop the locks that SQLite holds on the
    # file for another engine of this process (POSIX record locks). A link is not followed: it
    # would have us close to others a file of somebody's choice.
    found = file.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(str(file), "is not a file")
    if found.st_uid != os.geteuid():
        raise StoreError(str(file), "belongs to another user")
    if stat.S_IMODE(found.st_mode) & 0o077:
        file.chmod(0o600)


def _settle(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # With a write-ahead log NORMAL survives a killed process; a power cut may lose the last events.
    cursor.execute("PRAGMA synchronous = NORMAL")
    # What is deleted is overwritten: it would stay readable until its pages are used again.
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _prepare(engine: Engine, file: Path) -> None:
    with engine.connect() as connection:
        # In one transaction: half of what another process writes looks like a stranger's.
        connection.exec_driver_sql("BEGIN")
        version = _version(connection, file)
        connection.commit()
        if version != VERSION:
            _write_ahead(connection)
            _migrate(connection, file)


def _migrate(connection: Connection, file: Path) -> None:
    # All or nothing, and one process at a time: another may have made the tables while we waited.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    found = _version(connection, file)
    if found != VERSION:
        for older in range(found or VERSION, VERSION):
            for statement in MIGRATIONS[older]:
                connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
        connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
        metadata.create_all(connection)
    connection.commit()


def _write_ahead(connection: Connection) -> None:
    """Switch to a write-ahead log. While another process does, SQLite answers "locked" at once."""
    for tries_left in reversed(range(_SWITCH_TRIES)):
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.commit()
            return
        except OperationalError:
            connection.rollback()
            if not tries_left:
                raise
            sleep(_BUSY_SECONDS / _SWITCH_TRIES)


def _version(connection: Connection, file: Path) -> int:
    """Return the version of our database, 0 for an empty one; only reads."""
    application = _number(connection, "PRAGMA application_id")
    version = _number(connection, "PRAGMA user_version")
    tables = _number(connection, "SELECT count(*) FROM sqlite_master")
    if application != APPLICATION and (tables or application or version):
        raise StoreError(str(file), "is a database of another program")
    if version > VERSION:
        raise StoreError(
            str(file), f"has version {version}; this capbox knows up to {VERSION}: use a newer one"
        )
    return version


def _number(connection: Connection, query: str) -> int:
    return int(connection.execute(text(query)).scalar_one())
