"""The tapes of one state directory: made, found, pruned, and read back against their mark.

Guarantees: what is read is, byte for byte, what the journal's mark names, or it is refused; a tape
that a run still writes is never pruned. Does not: judge the journal that holds the mark.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from capbox.journal.event import RunId
from capbox.journal.tape import Tape
from capbox.messages import Json, JsonObject
from capbox.sandbox.undo.keeper import Bounds

BOUNDS = Bounds(run_bytes=256 << 20, total_bytes=1 << 30, days=30)
_ENDING = ".tape"
_DAY_SECONDS = 86_400
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


class ReplayError(Exception):
    """A run that cannot be replayed: `subject` names it, `forged` says that its record is not its.

    `usage`: it was asked for something impossible.
    """

    def __init__(
        self, subject: str, reason: str, *, forged: bool = False, usage: bool = False
    ) -> None:
        super().__init__(f"{subject}: {reason}")
        self.subject = subject
        self.reason = reason
        self.forged = forged
        self.usage = usage


@dataclass(frozen=True, slots=True)
class Taped:
    """One record of a tape."""

    header: JsonObject
    body: bytes

    @property
    def kind(self) -> Json:
        """Return what kind of record it is."""
        return self.header.get("kind")


def tape_of(place: Path, run: RunId, bounds: Bounds, now: float) -> Tape:
    """Return the tape of a run that begins; older ones are pruned when it is first written."""
    return Tape(_file(place, run), bounds.run_bytes, lambda: prune(place, bounds, now))


def taped(place: Path, run: RunId, mark: str) -> tuple[Taped, ...]:
    """Return what the tape of `run` holds up to `mark`. Raises ReplayError."""
    size, _, digest = mark.partition(":")
    file = _file(place, run)
    try:
        with os.fdopen(os.open(file, _READ), "rb") as opened:
            content = opened.read(int(size))
    except FileNotFoundError:
        reason = f"what was kept for its replay is gone ({file}): it was pruned, or removed"
        raise ReplayError(run, reason) from None
    except (OSError, ValueError) as error:
        raise ReplayError(run, f"{file} cannot be read: {error}") from error
    if sha256(content).hexdigest() != digest:
        reason = f"{file} is not what the journal says was kept: it was changed, or cut off"
        raise ReplayError(run, reason, forged=True)
    return tuple(_records(content))


def prune(place: Path, bounds: Bounds, now: float) -> None:
    """Remove what is too old, and of the rest the oldest until the bytes are within bounds."""
    left = bounds.total_bytes
    for file in sorted(place.glob(f"*{_ENDING}"), reverse=True):
        with suppress(OSError):
            found = file.stat(follow_symlinks=False)
            left -= found.st_size
            if left < 0 or now - found.st_mtime > bounds.days * _DAY_SECONDS:
                _remove(file)


def _file(place: Path, run: RunId) -> Path:
    return place / f"{run}{_ENDING}"


def _remove(file: Path) -> None:
    """Remove a tape that nobody writes. Raises OSError."""
    descriptor = os.open(file, _READ)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.unlink()
    finally:
        os.close(descriptor)


def _records(content: bytes) -> Iterator[Taped]:
    """Yield the records of a tape whose digest was checked."""
    place = 0
    while place < len(content):
        end = content.index(b"\n", place)
        header: JsonObject = json.loads(content[place:end])
        size = header.get("size")
        place = end + 1 + (size if isinstance(size, int) else 0)
        yield Taped(header, content[end + 1 : place])
