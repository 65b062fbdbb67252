"""Contents by their SHA-256: one copy for all runs, and a link to it in each run that needs it.

Guarantees: a blob appears whole or not at all, is trusted by its hash and never by its name; what
no run links to any more can be removed beside runs that are under way: whoever wanted it at that
moment has its own link already, or writes it anew. Does not: bound anything.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

_CHUNK_BYTES = 1 << 20
_FICLONE = 0x40049409
_SYNC_EACH_MAX = 32
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


class Blobs:
    """The blobs of one run, in the folder `own`; `shared` holds those of all runs."""

    def __init__(self, shared: Path, own: Path) -> None:
        """Use both folders. Raises OSError."""
        self._shared = os.open(shared, _FOLDER)
        self._own = os.open(own, _FOLDER)
        self._unsynced: list[str] = []
        self.written = 0
        """Bytes of the blobs that were added here."""

    def put(self, fd: int, size: int) -> str:
        """Keep the content of the open file `fd`, read from its start, and return its name."""
        name = f".new-{os.urandom(8).hex()}"
        if size <= _CHUNK_BYTES:
            content = os.pread(fd, _CHUNK_BYTES + 1, 0)
            digest = sha256(content).hexdigest()
            if self._linked(digest):
                return digest
            new = os.open(name, _NEW, 0o600, dir_fd=self._own)
            try:
                _write(new, content)
            finally:
                os.close(new)
        else:
            digest = self._copied(fd, name, size)
            if self._linked(digest):
                os.unlink(name, dir_fd=self._own)
                return digest
        with suppress(FileExistsError):  # a damaged one, or made by another run just now
            os.link(name, digest, src_dir_fd=self._own, dst_dir_fd=self._shared)
        os.rename(name, digest, src_dir_fd=self._own, dst_dir_fd=self._own)
        self._unsynced.append(digest)
        self.written += size
        return digest

    def open(self, digest: str) -> int:
        """Return a descriptor of a blob whose content matches its name. Raises OSError."""
        fd = os.open(digest, _READ, dir_fd=self._own)
        if digest_of(fd) != digest:
            os.close(fd)
            raise OSError(f"the saved content {digest[:12]} is damaged")
        os.lseek(fd, 0, os.SEEK_SET)
        return fd

    def sync(self) -> None:
        """Make everything durable that was put since the last time."""
        pending, self._unsynced = self._unsynced, []
        if len(pending) > _SYNC_EACH_MAX:
            os.sync()
            return
        for digest in pending:
            fd = os.open(digest, _READ, dir_fd=self._own)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        os.fsync(self._own)

    def close(self) -> None:
        """Let go of both folders."""
        os.close(self._shared)
        os.close(self._own)

    def _linked(self, digest: str) -> bool:
        """Take the blob from the other runs, if they have it and it is sound."""
        try:
            os.link(digest, digest, src_dir_fd=self._shared, dst_dir_fd=self._own)
        except FileExistsError:
            return True
        except OSError:
            return False
        try:
            os.close(self.open(digest))
        except OSError:
            os.unlink(digest, dir_fd=self._own)
            os.unlink(digest, dir_fd=self._shared)
            return False
        self.written += os.stat(digest, dir_fd=self._own).st_size
        return True

    def _copied(self, fd: int, name: str, size: int) -> str:
        new = os.open(name, _NEW, 0o600, dir_fd=self._own)
        try:
            # Attack: whoever appends to it meanwhile has a copy that never ends, and a full disk.
            copy(fd, new, size + 1)
            if os.fstat(new).st_size > size:
                raise OSError("it grew while it was saved")
            return digest_of(new)
        except OSError:
            os.unlink(name, dir_fd=self._own)
            raise
        finally:
            os.close(new)


def copy(source: int, target: int, bytes_max: int = 1 << 62) -> None:
    """Copy a file into a new one; where the file system can, the blocks are shared.

    Else no more than `bytes_max` are read.
    """
    try:
        fcntl.ioctl(target, _FICLONE, source)
        return
    except OSError:
        os.lseek(source, 0, os.SEEK_SET)
    while content := os.read(source, min(_CHUNK_BYTES, bytes_max)):
        _write(target, content)
        bytes_max -= len(content)


def _write(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def digest_of(fd: int) -> str:
    """Return the SHA-256 (hex) of an open file."""
    os.lseek(fd, 0, os.SEEK_SET)
    found = sha256()
    while content := os.read(fd, _CHUNK_BYTES):
        found.update(content)
    return found.hexdigest()
