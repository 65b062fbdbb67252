"""A small file of capbox's own that several processes change: one at a time, and whole.

Guarantees: a reader sees one version or the next, also after a crash; a file that another user
owns, or others may write, is not read. Does not: know what the file holds.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import AbstractContextManager
from pathlib import Path

from capbox.journal.lock import locked

BYTES_MAX = 1 << 20


class OwnFile:
    """The file `path`, which need not exist."""

    def __init__(self, path: Path) -> None:
        """Use this file."""
        self.path = path

    def locked(self) -> AbstractContextManager[None]:
        """Keep other processes from changing the file. Entering raises OSError."""
        return locked(self.path)

    def read(self) -> str | None:
        """Return its text, None if there is none. Raises OSError and ValueError."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, encoding="utf-8") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                raise ValueError("it is not a file of this user")
            if found.st_mode & 0o022:
                raise ValueError("others may write it")
            if found.st_size > BYTES_MAX:
                raise ValueError(f"it has more than {BYTES_MAX} bytes")
            return file.read()

    def replace(self, text: str) -> None:
        """Put `text` in its place, durably. Raises OSError. Call it with the lock held."""
        part = self.path.with_name(f".{self.path.name}.{secrets.token_hex(6)}")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)
