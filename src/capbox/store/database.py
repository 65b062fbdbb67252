"""Opening the database file: private, ours, of a version we know, and never replaced.

Guarantees: a new file is made with mode 0600 (SQLite gives its -wal and -shm files the same), one
that others can read is closed to them; a file that is no database, another program's or a newer
capbox's is refused with the reason, and not one byte of it is changed. Several processes may open
the same file at once. Does not: repair or migrate.
"""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from anyio import CancelScope
from sqlalchemy import URL, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from capbox.store.errors import StoreError
from capbox.store.schema import APPLICATION, VERSION, metadata

_BUSY_SECONDS = 10


@asynccontextmanager
async def open_database(file: Path) -> AsyncIterator[AsyncEngine]:
    """Yield an engine with one connection, so that this process is a single writer.

    Raises:
        StoreError: the file cannot be used; it is left as it was.
    """
    _make_private(file)
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(file)),
        connect_args={"timeout": _BUSY_SECONDS},
        pool_size=1,
        max_overflow=0,
    )
    event.listen(engine.sync_engine, "connect", _settle)
    try:
        # Shielded, here and below: a cancelled call would leave its thread with an open connection.
        with CancelScope(shield=True), named_errors(file):
            async with engine.connect() as connection:
                await _prepare(connection, file)
        yield engine
    finally:
        with CancelScope(shield=True):
            await engine.dispose()


@contextmanager
def named_errors(file: Path) -> Iterator[None]:
    """Turn an error of the database into a `StoreError` that names the file."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(str(file), str(getattr(error, "orig", None) or error)) from error


def _make_private(file: Path) -> None:
    # O_NOFOLLOW: a link planted under this name would have us create, or close to others, a file of
    # somebody's choice.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(file, flags, 0o600)
    except OSError as error:
        raise StoreError(str(file), error.strerror or "cannot be opened") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise StoreError(str(file), "is not a file")
        if found.st_uid != os.geteuid():
            raise StoreError(str(file), "belongs to another user")
        if stat.S_IMODE(found.st_mode) & 0o077:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _settle(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    # With a write-ahead log NORMAL survives a killed process; a power cut may lose the last events.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


async def _prepare(connection: AsyncConnection, file: Path) -> None:
    version = await _version(connection, file)
    if version == VERSION:
        return
    await connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    await connection.commit()
    # All or nothing, and one process at a time: another may have made the tables while we waited.
    await connection.exec_driver_sql("BEGIN IMMEDIATE")
    if await _version(connection, file) != VERSION:
        await connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
        await connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
        await connection.run_sync(metadata.create_all)
    await connection.commit()


async def _version(connection: AsyncConnection, file: Path) -> int:
    """Return the version of our database, 0 for an empty one; only reads."""
    application = await _number(connection, "PRAGMA application_id")
    version = await _number(connection, "PRAGMA user_version")
    tables = await _number(connection, "SELECT count(*) FROM sqlite_master")
    if application != APPLICATION and (tables or application or version):
        raise StoreError(str(file), "is a database of another program")
    if version > VERSION:
        raise StoreError(
            str(file), f"has version {version}; this capbox knows up to {VERSION}: use a newer one"
        )
    return version


async def _number(connection: AsyncConnection, query: str) -> int:
    return int((await connection.execute(text(query))).scalar_one())
