"""Where the processes of one user listen: one socket each, in a directory of the state directory.

Guarantees: the directory belongs to this user and is closed to others, checked on what was opened;
a socket appears under its name only once somebody listens there, so one that refuses is left over
from a process that is gone. Paths are of any length: they are reached through the descriptor of
their directory, since an address of a socket holds 107 bytes. Does not: speak.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

BACKLOG = 16
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = "new-"
_NEW_SECONDS = 60  # between the first breath of a socket and its name are microseconds
_LEFT_MAX = 32
_LOOK_SECONDS = 0.2


class Place:
    """The opened directory; use as a context manager."""

    def __init__(self, directory: Path, *, make: bool = False) -> None:
        """Open it, made first if wanted. Raises OSError, also where it is not this user's."""
        if make:
            directory.mkdir(mode=0o700, exist_ok=True)
        self._descriptor = os.open(directory, _FLAGS)
        found = os.fstat(self._descriptor)
        if found.st_uid != os.geteuid() and os.geteuid() != 0:
            self.close()
            raise PermissionError(1, "is not this user's directory", str(directory))
        if stat.S_IMODE(found.st_mode) & 0o077:
            self.close()
            raise PermissionError(1, f"is open to others: run chmod 700 {directory}")

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self._descriptor)

    def names(self) -> tuple[str, ...]:
        """Return the names of the sockets that are there."""
        return tuple(sorted(n for n in self._listed() if not n.startswith(_NEW)))

    def listening(self) -> tuple[str, socket.socket]:
        """Listen under a new name. Raises OSError."""
        self._tidy()
        name = f"{os.getpid()}-{os.urandom(6).hex()}"
        listener = _socket()
        try:
            listener.bind(self._path(_NEW + name))
            os.chmod(_NEW + name, 0o600, dir_fd=self._descriptor)
            listener.listen(BACKLOG)
            self._rename(_NEW + name, name)
        except OSError:
            listener.close()
            self.remove(_NEW + name)
            raise
        return name, listener

    def connected(self, name: str, seconds: float) -> socket.socket | None:
        """Connect; None where nobody listens any more, and then the socket is swept away.

        Raises OSError for one that is there and does not answer.
        """
        client = _socket()
        client.settimeout(seconds)
        try:
            client.connect(self._path(name))
        except (ConnectionRefusedError, FileNotFoundError):
            client.close()
            self.remove(name)
            return None
        except OSError:
            client.close()
            raise
        return client

    def remove(self, name: str) -> None:
        """Remove a socket."""
        with suppress(OSError):
            os.unlink(name, dir_fd=self._descriptor)

    def _tidy(self) -> None:
        """Sweep what processes left behind that were killed, once there is enough of it."""
        if len(self._listed()) <= _LEFT_MAX:
            return
        for name in self.names():
            with suppress(OSError):
                client = self.connected(name, _LOOK_SECONDS)
                if client is not None:
                    client.close()
        for name in self._listed():
            with suppress(OSError):
                made = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mtime
                if name.startswith(_NEW) and time.time() - made > _NEW_SECONDS:
                    self.remove(name)

    def _listed(self) -> tuple[str, ...]:
        with os.scandir(self._descriptor) as entries:
            return tuple(entry.name for entry in entries)

    def _rename(self, old: str, new: str) -> None:
        os.rename(old, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def _path(self, name: str) -> str:
        return f"/proc/self/fd/{self._descriptor}/{name}"


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, as the kernel says."""

    pid: int
    uid: int

    @property
    def may_control(self) -> bool:
        """Say whether this is the same user, or root."""
        return self.uid in (os.geteuid(), 0)


def peer_of(connection: socket.socket) -> Peer:
    """Return who connected. Raises OSError."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    number, uid, _ = struct.unpack("3i", found)
    return Peer(number, uid)


def _socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
