"""A copy of what a run could see of the file system, for tools to be executed on once more.

Guarantees: nothing is copied that no right of the run let it read: of such a file there is an empty
one of that name, also where it has a second name; no link is followed; the original is only read.
Does not: copy sockets and devices, owners or extended attributes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from capbox.authority.paths import GuestPath, HostPath
from capbox.engine.replay.kept import ReplayError
from capbox.sandbox.handles import SandboxError
from capbox.sandbox.pool import open_root
from capbox.sandbox.spec import Mount
from capbox.sandbox.undo.blobs import copy

BYTES_MAX = 2 << 30
ENTRIES_MAX = 500_000
_DEPTH_MAX = 256
_PATH_BYTES_MAX = 3_800  # a sandbox asks for the path of what it has open, and of a name in it
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_Inode = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Pair:
    """An object and its copy, each as an open folder and a name; `top` is that of all copies."""

    fd: int
    base: str
    top: int
    into: int
    name: str


@dataclass(slots=True, eq=False)
class Copying:
    """Copies below `top`, each host path to the same path there; `readable` judges host paths.

    Paths there are longer than the original's, and a run makes names as long as they may be: each
    step is one from a folder that is open, and `left` are those that are copied empty, as too deep.
    """

    top: Path
    readable: Callable[[str], bool]
    left: set[str] = field(default_factory=set)
    _copied: list[str] = field(default_factory=list)
    _bytes: int = 0
    _room: int = BYTES_MAX
    _entries: int = 0
    _closed: set[_Inode] = field(default_factory=set)
    _linked: dict[_Inode, int] = field(default_factory=dict)
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
        top = os.open(self.top, _FOLDER)
        try:
            for host in outermost:
                self._opened(host, self._survey)
            for host in outermost:
                self._opened(host, partial(self._at, top))
            for inode, count in self._several.items():
                # A file that has names elsewhere still has several: guests see that it does.
                if self._linked.get(inode) == count:
                    os.unlink(_elsewhere(inode), dir_fd=top)
        finally:
            os.close(top)

    def make(self, host: str) -> None:
        """Make the folder of a host path, empty, where it is not there. Raises ReplayError."""
        top = os.open(self.top, _FOLDER)
        try:
            with _made(top, host):
                pass
        except OSError as error:
            raise ReplayError(host, "it, or a folder above it, is a link or a file now") from error
        finally:
            os.close(top)

    def _opened(self, host: str, act: Callable[[int, str, str], None]) -> None:
        folder, _, base = host.rpartition("/")
        with suppress(FileNotFoundError, NotADirectoryError, SandboxError):
            fd = open_root(Mount(GuestPath("/"), HostPath(folder or "/"), ()))
            try:
                act(fd, base or ".", host)
            finally:
                os.close(fd)

    def _at(self, top: int, fd: int, base: str, host: str) -> None:
        """Copy one tree below `top`."""
        folder, _, name = host.rpartition("/")
        with _made(top, folder) as into:
            self._one(_Pair(fd, base, top, into, name or "."), host)

    def _survey(self, fd: int, base: str, host: str, depth: int = 0) -> None:
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
        self._bounded(host)
        if stat.S_ISDIR(found.st_mode) and readable:
            if depth >= _DEPTH_MAX or len(os.fsencode(self.moved(host))) > _PATH_BYTES_MAX:
                self.left.add(host)
                return
            for inner, name in _inside(fd, base):
                self._survey(inner, name, f"{host}/{name}", depth + 1)

    def _bounded(self, host: str) -> None:
        if self._bytes > BYTES_MAX or self._entries > ENTRIES_MAX or self._room < 0:
            reason = (
                f"more than {BYTES_MAX >> 30} GiB or {ENTRIES_MAX} files would have to be copied"
            )
            raise ReplayError(host, reason)

    def _one(self, pair: _Pair, host: str) -> None:
        found = os.stat(pair.base, dir_fd=pair.fd, follow_symlinks=False)
        mode, into, name = stat.S_IMODE(found.st_mode), pair.into, pair.name
        match stat.S_IFMT(found.st_mode):
            case stat.S_IFDIR:
                with _made(into, name) as folder:
                    if self.readable(host) and host not in self.left:
                        for inner, base in _inside(pair.fd, pair.base):
                            below = _Pair(inner, base, pair.top, folder, base)
                            self._one(below, f"{host}/{base}")
                    os.fchmod(folder, mode)
            case stat.S_IFREG:
                self._file(pair, host, found)
            case stat.S_IFLNK:
                os.symlink(os.readlink(pair.base, dir_fd=pair.fd), name, dir_fd=into)
            case stat.S_IFIFO:
                os.mkfifo(name, mode, dir_fd=into)
            case _:
                return
        times = found.st_atime_ns, found.st_mtime_ns
        os.utime(name, ns=times, dir_fd=into, follow_symlinks=False)

    def _file(self, pair: _Pair, host: str, found: os.stat_result) -> None:
        inode, other = (found.st_dev, found.st_ino), _elsewhere((found.st_dev, found.st_ino))
        if inode in self._linked:
            os.link(other, pair.name, src_dir_fd=pair.top, dst_dir_fd=pair.into)
            self._linked[inode] += 1
            return
        new = os.open(pair.name, _NEW, 0o600, dir_fd=pair.into)
        try:
            if self.readable(host) and inode not in self._closed:
                with suppress(PermissionError):
                    source = os.open(pair.base, _READ, dir_fd=pair.fd)
                    try:
                        if stat.S_ISREG(os.fstat(source).st_mode):
                            # What somebody appends meanwhile was not counted, and has no end.
                            copy(source, new, min(found.st_size, self._room + 1))
                            self._room -= os.fstat(new).st_size
                    finally:
                        os.close(source)
            os.fchmod(new, stat.S_IMODE(found.st_mode))
        finally:
            os.close(new)
        self._bounded(host)
        if inode in self._several:
            self._linked[inode] = 1
            os.link(pair.name, other, src_dir_fd=pair.into, dst_dir_fd=pair.top)


@contextmanager
def _made(top: int, path: str) -> Generator[int]:
    """Open a folder below `top`, made part by part where it is not there, through no link."""
    fd = os.dup(top)
    try:
        for part in filter(None, path.split("/")):
            with suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=fd)
            inner = os.open(part, _FOLDER, dir_fd=fd)
            os.close(fd)
            fd = inner
        yield fd
    finally:
        os.close(fd)


def _inside(fd: int, base: str) -> Iterator[tuple[int, str]]:
    """Yield a descriptor of the folder `base` with each name in it; none of one that is closed."""
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


def _elsewhere(inode: _Inode) -> str:
    return f".elsewhere-{inode[0]}-{inode[1]}"


def _below(path: str, root: str) -> bool:
    return path != root and path.startswith(f"{root.rstrip('/')}/")
