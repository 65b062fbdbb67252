"""One process at a time, by a file that the kernel locks and lets go of with the process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Keep other processes that do the same with `path` waiting. Raises OSError."""
    lock = _opened(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def try_lock(path: Path) -> int | None:
    """Lock `path` until the returned descriptor is closed; None: another holds it.

    Raises OSError.
    """
    lock = _opened(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _opened(path: Path) -> int:
    # Beside the file: a lock on the file itself would be one on a file that is replaced.
    beside = path.with_name(f"{path.name}.lock")
    return os.open(beside, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
