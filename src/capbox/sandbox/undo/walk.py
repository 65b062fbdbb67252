"""From a granted directory to a name beneath it, without any link.

Guarantees: each step is opened from the one above, never through a link; a root that is not where
it was granted is refused. The worker that names a path may be hostile, and so may be the tree.
Does not: judge names.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager

from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.pool import open_root
from capbox.sandbox.spec import Mount

_STEP = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NAME_CHARS_MAX = 4_096


def is_name(name: str) -> bool:
    """Say whether `name` is a plain path beneath a root: no "..", nothing empty, not the root."""
    parts = name.split("/")
    return len(name) <= NAME_CHARS_MAX and "\0" not in name and not {"", ".", ".."} & {*parts}


def joined(root: str, name: str) -> str:
    """Return the host path of a name beneath a root."""
    return f"{root.rstrip('/')}/{name}" if name else root


def above(path: str) -> str:
    """Return the name or path of what holds `path`."""
    return path.rpartition("/")[0]


class Roots:
    """Open descriptors of granted directories, each proved anew to be the one of its path."""

    def __init__(self) -> None:
        """Start with none."""
        self._fds: dict[str, tuple[int, tuple[int, int]]] = {}

    def fd(self, host: str) -> int:
        """Return a descriptor of the directory `host`. Raises OSError or SandboxError."""
        found = os.lstat(host)
        known = self._fds.get(host)
        if known is not None and known[1] == (found.st_dev, found.st_ino):
            return known[0]
        if known is not None:
            os.close(self._fds.pop(host)[0])
        fd = open_root(Mount(GuestPath("/"), HostPath(host), ()))
        status = os.fstat(fd)
        self._fds[host] = fd, (status.st_dev, status.st_ino)
        return fd

    def close(self) -> None:
        """Let go of all."""
        for fd, _ in self._fds.values():
            os.close(fd)
        self._fds.clear()


@contextmanager
def folder(root: int, name: str) -> Generator[tuple[int, str]]:
    """Open the directory that holds `name`; yield it and the last part ("." for the root itself).

    Raises OSError: ENOENT if a part is missing, ENOTDIR or ELOOP where a link or a file stands.
    """
    if not name:
        yield root, "."
        return
    if not is_name(name):
        raise OSError(errno.EXDEV, "not a name beneath the root")
    *parts, base = name.split("/")
    fd = root
    try:
        for part in parts:
            inner = os.open(part, _STEP, dir_fd=fd)
            if fd != root:
                os.close(fd)
            fd = inner
        yield fd, base
    finally:
        if fd != root:
            os.close(fd)
