"""Scratch directories of runs: made, locked while their run lives, and removed whatever is in them.

Guarantees: a directory that a living process uses is never swept, from the moment it is made (a
lock says so, not a process number, which means nothing in another PID namespace); removal never
follows a link and does not depend on depth, name lengths or modes that a guest chose; a failure to
remove is no failure of the run. Does not: measure (see `sandbox.scratch`).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Scratch:
    """One run's directory; `lock` is the descriptor that says it is in use."""

    path: Path
    lock: int

    def remove(self) -> None:
        """Remove the directory and let go of it."""
        remove_tree(self.path)
        os.close(self.lock)


def make(scratches: Path, run: str) -> Scratch:
    """Make the directory of `run` (0700). Raises OSError."""
    scratches.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = Path(os.path.realpath(scratches)) / run
    with alone(scratches):
        # Between the two a sweep would take the directory for one that was left behind.
        path.mkdir(mode=0o700)
        return Scratch(path, locked(path, fcntl.LOCK_EX))


def sweep(scratches: Path) -> None:
    """Remove what processes left behind that were killed; what cannot be removed stays."""
    if not scratches.is_dir():
        return
    for left in scratches.iterdir():
        with suppress(OSError):
            with alone(scratches):
                lock = locked(left, fcntl.LOCK_EX)
            try:
                remove_tree(left)
            finally:
                os.close(lock)


@contextmanager
def alone(top: Path) -> Iterator[None]:
    """Hold the lock on all directories below `top`; for a moment only, since every start waits."""
    lock = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def locked(path: Path, kind: int) -> int:
    """Return a descriptor of the directory that holds its lock (LOCK_EX, LOCK_SH).

    Raises BlockingIOError if another has it, OSError if there is no such directory.
    """
    lock = os.open(path, _FLAGS)
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def remove_tree(path: Path) -> None:
    """Remove a directory that a guest filled, as far as that can be done."""
    with suppress(OSError):
        top = os.open(path, _FLAGS)
        try:
            _empty(top)
        finally:
            os.close(top)
        path.rmdir()


def _empty(top: int) -> None:
    """Empty a directory: each one below is brought up to the top before it is looked into.

    A guest nests a thousand directories in two calls, and names of 240 bytes in one: a walk by
    paths or by recursion fails on them, and would fail again at every later start.
    """
    number = 0
    todo = _take_apart(top)
    while todo:
        name = todo.pop()
        inner = os.open(name, _FLAGS, dir_fd=top)
        try:
            for child in _take_apart(inner):
                number += 1
                fresh = f".capbox-{number}-{os.urandom(8).hex()}"
                os.rename(child, fresh, src_dir_fd=inner, dst_dir_fd=top)
                todo.append(fresh)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=top)


def _take_apart(directory: int) -> list[str]:
    """Unlink what is no directory, open up the modes of what is one, and return those names."""
    with os.scandir(directory) as entries:
        names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    found: list[str] = []
    for name, is_directory in names:
        if is_directory:
            os.chmod(name, 0o700, dir_fd=directory)
            found.append(name)
        else:
            os.unlink(name, dir_fd=directory)
    return found
