"""The index of what was saved: one JSON array a line, each written before "saved" is answered.

Guarantees: lines are whole and in order, numbered from 0; the file belongs to one process at a time
(its lock says that the run, or the undo, goes on). Not durable before `close`.

    ["run", 1, {...}]                          the header
    ["root", HOST]                             a granted directory; others name it by its number
    ["pre", CALL, ROOT, NAME, STATE]           what NAME was before its first change (null: nothing)
    ["edited", CALL, ROOT, NAME, STATE]        it was changed by somebody else since, to this
    ["again", CALL, ROOT, NAME]                it may change once more
    ["rename", CALL, ROOT, OLD, NEW, STAGED]   OLD is about to become NEW, by way of STAGED
    ["void", LINE]                             that rename did not happen
    ["post", CALL, ROOT, NAME, SIGNATURE]      how the call left it
    ["missed", CALL, PATH]                     it was changed and nothing had been saved
    ["end", CALL]                              the call is over
    ["step", LINE, OUTCOME]                    in an undo: what became of that line of its source
    ["closed", BYTES]                          the end, and how much the run keeps
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from capbox.messages import Json

VERSION = 1
_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class Index:
    """An index file that is open for appending, and locked."""

    def __init__(self, file: Path, lines: int = 0) -> None:
        """Open `file`, which has `lines`. Raises BlockingIOError where another holds it."""
        self._fd = os.open(file, _FLAGS, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise
        self._lines = lines
        _drop_torn_line(self._fd)

    def append(self, *line: Json) -> int:
        """Write one line and return its number. Raises OSError; then nothing may follow."""
        content = (_ENCODER.encode(line) + "\n").encode()
        if os.write(self._fd, content) != len(content):
            raise OSError("the index of what was saved is full")
        self._lines += 1
        return self._lines - 1

    def close(self) -> None:
        """Make it durable and let go of it."""
        try:
            os.fsync(self._fd)
        finally:
            os.close(self._fd)


def _drop_torn_line(fd: int) -> None:
    """Take off what a kill in the middle of a write left behind the last whole line."""
    end = size = os.fstat(fd).st_size
    while end and os.pread(fd, 1, end - 1) != b"\n":
        end -= 1
    if end != size:
        os.ftruncate(fd, end)
