"""A copy of what a run could see of the file system, for tools to be executed on once more.

Guarantees: nothing is copied that no right of the run let it read: of such a file there is an empty
one of that name, also where it has a second name; no link is followed; the original is only read.
Does not: copy sockets and devices, owners or extended attributes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from capbox.engine.replay.kept import ReplayError
from capbox.sandbox.undo.blobs import copy

BYTES_MAX = 2 << 30
ENTRIES_MAX = 500_000
_DEPTH_MAX = 256
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_Inode = tuple[int, int]


@dataclass(slots=True, eq=False)
class Copying:
    """Copies below `top`, each host path to the same path there; `readable` judges host paths."""

    top: Path
    readable: Callable[[str], bool]
    _copied: list[str] = field(default_factory=list)
    _bytes: int = 0
    _entries: int = 0
    _closed: set[_Inode] = field(default_factory=set)
    _linked: dict[_Inode, list[str]] = field(default_factory=dict)
    _several: dict[_Inode, int] = field(default_factory=dict)

    def moved(self, host: str) -> str:
        """Return where the copy of a host path is."""
        return f"{self.top}{host}".rstrip("/")

    def has(self, host: str) -> bool:
        """Say whether anything at, below or above a host path was copied."""
        return any(one == host or _below(one, host) or _below(host, one) for one in self._copied)

    def roots(self, hosts: list[str]) -> None:
        """Copy these trees and files. Raises OSError, or ReplayError for more than can be."""
        outermost = [one for one in hosts if not any(_below(one, other) for other in hosts)]
        self._copied = outermost
        for host in outermost:
            self._opened(host, self._survey)
        for host in outermost:
            if Path(host).parent.is_dir():
                Path(self.moved(host)).parent.mkdir(parents=True, exist_ok=True)
            self._opened(host, self._one)
        for inode, count in self._several.items():
            # A file that has names elsewhere still has several: guests see that it does.
            names = self._linked.get(inode, [])
            if names and len(names) < count:
                os.link(names[0], self.top / f".elsewhere-{inode[0]}-{inode[1]}")

    def _opened(self, host: str, act: Callable[[int, str, str, int], None]) -> None:
        folder, _, base = host.rpartition("/")
        with suppress(FileNotFoundError, NotADirectoryError):
            fd = os.open(folder or "/", _FOLDER)
            try:
                act(fd, base or ".", host, 0)
            finally:
                os.close(fd)

    def _survey(self, fd: int, base: str, host: str, depth: int) -> None:
        """Note which objects have a name that the run could not read, and how much there is."""
        found = os.stat(base, dir_fd=fd, follow_symlinks=False)
        self._entries += 1
        inode = found.st_dev, found.st_ino
        readable = self.readable(host)
        if stat.S_ISREG(found.st_mode):
            self._bytes += found.st_size if readable else 0
            if found.st_nlink > 1:
                self._several[inode] = found.st_nlink
                if not readable:
                    # Attack: a second name of `.env` that the rights do not keep from anybody.
                    self._closed.add(inode)
        if self._bytes > BYTES_MAX or self._entries > ENTRIES_MAX:
            reason = (
                f"more than {BYTES_MAX >> 30} GiB or {ENTRIES_MAX} files would have to be copied"
            )
            raise ReplayError(host, reason)
        if stat.S_ISDIR(found.st_mode) and readable:
            for inner, name in _inside(fd, base, depth):
                self._survey(inner, name, f"{host}/{name}", depth + 1)

    def _one(self, fd: int, base: str, host: str, depth: int) -> None:
        found = os.stat(base, dir_fd=fd, follow_symlinks=False)
        target = self.moved(host)
        match stat.S_IFMT(found.st_mode):
            case stat.S_IFDIR:
                Path(target).mkdir(mode=0o700)
                if self.readable(host):
                    for inner, name in _inside(fd, base, depth):
                        self._one(inner, name, f"{host}/{name}", depth + 1)
                Path(target).chmod(stat.S_IMODE(found.st_mode))
            case stat.S_IFREG:
                self._file(fd, base, host, found)
            case stat.S_IFLNK:
                Path(target).symlink_to(os.readlink(base, dir_fd=fd))
            case stat.S_IFIFO:
                os.mkfifo(target, stat.S_IMODE(found.st_mode))
            case _:
                return
        times = found.st_atime_ns, found.st_mtime_ns
        os.utime(target, ns=times, follow_symlinks=False)

    def _file(self, fd: int, base: str, host: str, found: os.stat_result) -> None:
        target, inode = self.moved(host), (found.st_dev, found.st_ino)
        if inode in self._linked:
            os.link(self._linked[inode][0], target)
            self._linked[inode].append(target)
            return
        if found.st_nlink > 1:
            self._linked[inode] = [target]
        new = os.open(target, _NEW, 0o600)
        try:
            if self.readable(host) and inode not in self._closed:
                with suppress(PermissionError):
                    source = os.open(base, _READ, dir_fd=fd)
                    try:
                        if stat.S_ISREG(os.fstat(source).st_mode):
                            copy(source, new)
                    finally:
                        os.close(source)
            os.fchmod(new, stat.S_IMODE(found.st_mode))
        finally:
            os.close(new)


def _inside(fd: int, base: str, depth: int) -> Iterator[tuple[int, str]]:
    """Yield a descriptor of the folder `base` with each name in it; none of one that is closed."""
    if depth >= _DEPTH_MAX:
        return
    try:
        inner = os.open(base, _FOLDER, dir_fd=fd)
    except PermissionError:
        return
    try:
        for name in sorted(os.listdir(inner)):  # noqa: PTH208
            with suppress(FileNotFoundError):  # somebody works there meanwhile
                yield inner, name
    finally:
        os.close(inner)


def _below(path: str, root: str) -> bool:
    return path != root and path.startswith(f"{root.rstrip('/')}/")
