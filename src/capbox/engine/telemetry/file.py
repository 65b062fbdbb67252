"""A file of lines that only grows, until it is turned over to FILE.1, FILE.2, and so on.

Guarantees: it is this user's, closed to others, an ordinary file of one name, and no link is
followed to it; each line is whole, also where several processes write. Does not: make it durable,
or keep more than it is told to.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from capbox.engine.settings import SettingsError

LOG_BYTES = 10 << 20
LOG_KEEP = 5
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where the log is; turned over above `bytes_max`, with `keep` older ones beside it."""

    path: Path
    bytes_max: int = LOG_BYTES
    keep: int = LOG_KEEP


class LogFile:
    """The log at a place, open for appending."""

    def __init__(self, place: LogPlace, workspace: str) -> None:
        """Open it. Raises SettingsError for a place that cannot be used as it is."""
        self._place = place
        real = os.path.realpath(place.path.parent)
        # Attack: the log lies where the agent works, which reads what it was not to know of itself,
        # or puts a link in its place.
        if Path(real, place.path.name).is_relative_to(workspace):
            raise SettingsError(str(place.path), "the log lies in the workspace: put it elsewhere")
        self._path = Path(real, place.path.name)
        self._descriptor = self._opened()

    def write(self, line: bytes) -> None:
        """Append a line. Raises OSError or SettingsError when it cannot be written whole."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            if self._is_elsewhere() or self._is_full(len(line)):
                self._turn_over()
            if os.write(self._descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, "the line was not written whole")
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _opened(self) -> int:
        path = str(self._path)
        try:
            descriptor = os.open(path, _FLAGS, 0o600)
        except OSError as error:
            reason = f"cannot be opened as a log ({error.strerror}); it is no link, and its folder"
            raise SettingsError(path, f"{reason} exists and is yours") from error
        found = os.fstat(descriptor)
        wrong = _wrong(found)
        if wrong:
            os.close(descriptor)
            raise SettingsError(path, f"cannot be a log: it {wrong}")
        return descriptor

    def _is_elsewhere(self) -> bool:
        """Say whether another process has turned the log over meanwhile."""
        mine = os.fstat(self._descriptor)
        try:
            there = os.lstat(self._path)
        except FileNotFoundError:
            return True
        return (mine.st_dev, mine.st_ino) != (there.st_dev, there.st_ino)

    def _is_full(self, more: int) -> bool:
        size = os.fstat(self._descriptor).st_size
        return size > 0 and size + more > self._place.bytes_max

    def _turn_over(self) -> None:
        """Go on in a new file, or in the one that another process has made."""
        if not self._is_elsewhere():
            names = [self._path, *(self._older(n) for n in range(1, self._place.keep + 1))]
            with suppress(FileNotFoundError):
                names[-1].unlink()
            for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
                with suppress(FileNotFoundError):
                    newer.rename(older)
        before, self._descriptor = self._descriptor, self._opened()
        os.close(before)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def _older(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _wrong(found: os.stat_result) -> str:
    if not stat.S_ISREG(found.st_mode):
        return "is no ordinary file"
    if found.st_uid != os.geteuid():
        return "belongs to another user"
    if found.st_nlink != 1:
        return "has another name besides (a hard link)"
    return "is open to others: chmod 600" if stat.S_IMODE(found.st_mode) & 0o077 else ""
