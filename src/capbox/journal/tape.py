"""What a replay of one run needs besides its journal: one file, only appended to.

    {"size": 3, ...}\\n and then 3 bytes      a record: its header in JSON, its body as it is

Guarantees: `mark` names everything up to that moment by its SHA-256, so that whoever has that
on record knows every change of the file; the file is closed to others; it has a bound, and what
does not fit ends it, with a record that says so. Does not: redact (see `gate.recording`), or keep
anything from happening: a tape that cannot be written ends, and the run goes on.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from capbox.messages import JsonObject

_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False, allow_nan=False)
_HELD_BYTES = 1 << 16  # what no mark names yet is of no use, so it can wait
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class Tape:
    """The tape of one run, in `file`, which is made when there is something to keep."""

    def __init__(self, file: Path, bytes_max: int, first: Callable[[], None]) -> None:
        """Keep at most about `bytes_max`; `first` is called before the file is made."""
        self._file = file
        self._bytes_max = bytes_max
        self._first = first
        self._fd = -1
        self._hash = sha256()
        self._size = 0
        self._unwritten = bytearray()
        self._ended = False
        self._failed = False

    def append(self, header: JsonObject, body: bytes = b"") -> bool:
        """Keep one record, if the tape has not ended; say whether `header` is JSON."""
        try:
            line = _ENCODER.encode({**header, "size": len(body)}).encode() + b"\n"
        except (ValueError, TypeError, RecursionError):
            return False
        if self._ended:
            return True
        if self._size + len(line) + len(body) > self._bytes_max:
            line, body, self._ended = b'{"kind":"full","size":0}\n', b"", True
        record = line + body
        self._hash.update(record)
        self._size += len(record)
        self._unwritten += record
        if len(self._unwritten) > _HELD_BYTES:
            self._write()
        return True

    def mark(self) -> str:
        """Write what is kept and return its size and SHA-256; "" if there is nothing."""
        self._write()
        return f"{self._size}:{self._hash.hexdigest()}" if self._size and not self._failed else ""

    def close(self) -> None:
        """Let go of the file; nothing may follow."""
        self._ended = True
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self) -> None:
        """Write what is held. After a failure no mark names what is there, so nothing follows."""
        held, self._unwritten = memoryview(bytes(self._unwritten)), bytearray()
        try:
            if held and self._fd < 0:
                self._open()
            while held and not self._failed:
                held = held[os.write(self._fd, held) :]
        except OSError:
            self._ended = self._failed = True

    def _open(self) -> None:
        self._first()
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(self._file, _NEW, 0o600)
        with suppress(OSError):
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # it is not pruned meanwhile
