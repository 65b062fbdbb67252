"""One process at a time works in a session.

Guarantees: the kernel keeps the lock and drops it with the process, so a killed one holds nothing;
who is refused hears who holds it. The file is named by the id, which is opaque, never by what a
person typed. Does not: wait.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from capbox.engine.sessions.errors import SessionError
from capbox.store.errors import StoreError

CHAT = "capbox chat"
"""The `what` of a chat, which holds its session until it is left."""

_TRIES = 100
_TOLD_BYTES_MAX = 4_096
_WHAT_CHARACTERS_MAX = 200


@dataclass(slots=True, eq=False)
class Hold:
    """A session that this process works in, until `release`."""

    session: str
    _file: Path
    _descriptor: int | None = field(repr=False)

    def release(self) -> None:
        """Let go of it; again is nothing."""
        if self._descriptor is not None:
            # Removed while it is still locked: who finds it later finds another file, and looks.
            self._file.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None


def hold(directory: Path, session: str, what: str) -> Hold:
    """Work in a session, as `what`. Raises SessionError: another process does; or StoreError.

    `directory` is capbox's own, and is made if it is missing.
    """
    file = directory / f"{session}.lock"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _held(file, session, what)
    except OSError as error:
        raise StoreError(str(file), f"cannot be held: {error.strerror}") from error


def _held(file: Path, session: str, what: str) -> Hold:
    for _ in range(_TRIES):
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            told = _told(descriptor)
            os.close(descriptor)
            raise SessionError(session, told, held=True) from None
        if _is(descriptor, file):
            words = {"pid": os.getpid(), "since": time.time(), "what": what[:_WHAT_CHARACTERS_MAX]}
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(words).encode(), 0)
            return Hold(session, file, descriptor)
        os.close(descriptor)  # whoever held it has just removed this file
    raise SessionError(session, "processes keep taking it from each other; try again", held=True)


def _is(descriptor: int, file: Path) -> bool:
    try:
        named = os.lstat(file)
    except FileNotFoundError:
        return False
    found = os.fstat(descriptor)
    return (found.st_dev, found.st_ino) == (named.st_dev, named.st_ino)


def _told(descriptor: int) -> str:
    """Return who holds it, as far as that is written there."""
    try:
        words = json.loads(os.pread(descriptor, _TOLD_BYTES_MAX, 0))
        since = datetime.fromtimestamp(float(words["since"])).strftime("%Y-%m-%d %H:%M:%S")
        pid, what = int(words["pid"]), str(words["what"])
        who = f"process {pid} works in it since {since} ({what})"
        if what == CHAT:
            # Between two turns it has no run that capbox ps would list, or capbox revoke end.
            return f"{who}; leave the chat in process {pid}"
    except (ValueError, KeyError, TypeError, OSError, OverflowError):
        who = "another process works in it"
    return f"{who}; wait for it, or end it (capbox ps, capbox revoke)"
