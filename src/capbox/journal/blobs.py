"""Bodies too large for a journal entry, kept by their SHA-256 beside it: `blobs/ab/abcd...`.

Guarantees: a blob appears whole or not at all, and `get` returns only bytes that match the name.
Does not: remove blobs; an entry may name them for as long as the journal exists.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """A directory of blobs; `put` is not durable before `sync`."""

    def __init__(self, directory: Path) -> None:
        """Use `directory`; it must exist before the first `put`."""
        self._directory = directory
        self._unsynced: list[Path] = []

    def put(self, content: bytes) -> str:
        """Store `content` and return its SHA-256 (hex). Raises OSError when the disk refuses."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        if self.get(digest) is not None:
            return digest
        path.parent.mkdir(mode=0o700, exist_ok=True)
        temporary = beside(path)
        with open(temporary, "wb", opener=_private) as file:
            file.write(content)
        temporary.replace(path)
        self._unsynced.append(path)
        return digest

    def get(self, digest: str) -> bytes | None:
        """Return the blob, or None when it is missing, unreadable or not what its name says."""
        if _DIGEST.fullmatch(digest) is None:
            return None
        try:
            content = self._path(digest).read_bytes()
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == digest else None

    def sync(self) -> None:
        """Flush what was put since the last sync, names included."""
        pending, self._unsynced = self._unsynced, []
        for path in pending:
            sync_path(path)
            sync_path(path.parent)

    def _path(self, digest: str) -> Path:
        return self._directory / digest[:2] / digest


def beside(path: Path) -> Path:
    """Return a new name in the same directory, not even used by this process's other threads."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}")


def sync_path(path: Path) -> None:
    """Flush one file or directory to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
