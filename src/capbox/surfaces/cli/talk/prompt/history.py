"""What a person typed in chats of one workspace, for the arrow keys.

Guarantees: the file is the user's alone, in capbox's state; it stays within a bound; one that
cannot be read or written is none. Does not: show a line of another workspace.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from capbox.surfaces.sink import visible

_LINES_MAX = 500
_FILE_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class History:
    """The lines in one file."""

    file: Path

    def lines(self) -> list[str]:
        """Return what was typed, the oldest first; control characters are spelt out."""
        try:
            with self.file.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _FILE_BYTES_MAX))
                raw = file.read().splitlines()
        except OSError:
            return []
        found: list[str] = []
        for line in raw[-_LINES_MAX:]:
            with suppress(ValueError):
                text = json.loads(line)
                if isinstance(text, str):
                    found.append(visible(text))
        return found

    def add(self, text: str) -> None:
        """Keep one more; a file that has grown too large keeps its end."""
        line = json.dumps(text).encode() + b"\n"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with suppress(OSError):
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.file.exists() and self.file.stat().st_size > 2 * _FILE_BYTES_MAX:
                kept = self.lines()
                self.file.unlink()
                line = b"".join(json.dumps(one).encode() + b"\n" for one in kept) + line
            descriptor = os.open(self.file, flags, 0o600)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)


def history_of(state: Path, workspace: Path) -> History:
    """Return the history of a workspace, in capbox's `state`."""
    name = sha256(os.fsencode(os.path.realpath(workspace))).hexdigest()[:16]
    return History(state / "history" / f"{name}.jsonl")
