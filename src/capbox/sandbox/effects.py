"""The list of a call's effects, kept where it survives the worker: an append-only memory file.

The worker appends each entry *before* its effect; the parent reads the file when the call ended or
the worker died. Guarantees: one entry for each distinct (action, path) of a call; bounded; the
reader accepts a torn last line. Does not: protect against the worker itself. A worker that was
taken over can forge entries, so the parent parses them strictly and treats them as data.

Lines are JSON arrays: [action, guest path, host path, new guest path of a rename or null], and at
the end of a call ["bytes", action, guest path, count].
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from errno import EIO
from json.encoder import encode_basestring_ascii as quoted

from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.spec import Touched

READS_MAX = 10_000
WRITES_MAX = 10_000
LOG_BYTES_MAX = 256 << 20
ENTRIES_MAX = 2 * (READS_MAX + WRITES_MAX)
ACTIONS = frozenset(
    [
        "read",
        "write",
        "create",
        "delete",
        "rename",
        "mkdir",
        "rmdir",
        "symlink",
        "chmod",
        "utime",
        "list",
    ]
)
READ_ACTIONS = frozenset({"read", "list"})
MANY = GuestPath("(more paths)")
TEMPORARY = (".capbox-", ".tmp")


class EffectWriter:
    """The worker's end: appends to `fd`, which nothing else writes."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._seen: set[tuple[str, str]] = set()
        self._bytes: dict[tuple[str, str], int] = {}
        self._reads = 0
        self._writes = 0

    def begin(self) -> None:
        """Empty the list for a new call."""
        self._seen.clear()
        self._bytes.clear()
        self._reads = self._writes = 0
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)

    def record(self, action: str, path: str, host: str, new: str | None = None) -> bool:
        """Append one entry; False if the call has changed too many paths to be listed."""
        key = (action, path)
        if key in self._seen or (action == "write" and ("create", path) in self._seen):
            return True
        if action in READ_ACTIONS:
            self._reads += 1
            if self._reads > READS_MAX:
                if self._reads == READS_MAX + 1:
                    self._append(f'["{action}","{MANY}",null,null]\n')
                return True
        else:
            self._writes += 1
            if self._writes > WRITES_MAX:
                return False
        renamed = "null" if new is None else quoted(new)
        self._append(f'["{action}",{quoted(path)},{quoted(host)},{renamed}]\n')
        self._seen.add(key)
        return True

    def transferred(self, action: str, path: str, count: int) -> None:
        """Add `count` bytes to the total of a listed entry."""
        key = (action, path)
        if action == "write" and key not in self._seen:
            key = ("create", path)
        if count and key in self._seen:
            self._bytes[key] = self._bytes.get(key, 0) + count

    def finish(self) -> None:
        """Append the totals of bytes; the call is over."""
        lines = (
            f'["bytes","{action}",{quoted(path)},{count}]\n'
            for (action, path), count in self._bytes.items()
        )
        self._append("".join(lines))
        self._bytes.clear()

    def _append(self, text: str) -> None:
        content = text.encode("ascii")
        if content and os.write(self._fd, content) != len(content):
            # A half-written entry must not be followed by its effect.
            raise OSError(EIO, "list of effects is full")


@dataclass(frozen=True, slots=True)
class EffectLog:
    """What the parent read; not `whole` if lines were torn, malformed or beyond the bounds."""

    touched: tuple[Touched, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class _Entry:
    touched: Touched
    new: str | None


@dataclass(frozen=True, slots=True)
class _Total:
    action: str
    path: str
    count: int


def read_effects(fd: int) -> EffectLog:
    """Read the list in `fd` from its start, with bytes filled in and atomic replaces folded."""
    size = os.fstat(fd).st_size
    content = os.pread(fd, min(size, LOG_BYTES_MAX), 0)
    lines = content.split(b"\n")
    whole = size <= LOG_BYTES_MAX and not lines.pop()
    entries: dict[tuple[str, str], _Entry] = {}
    for line in lines:
        parsed = _parsed(line)
        match parsed:
            case _Entry(touched=t) if len(entries) < ENTRIES_MAX:
                entries.setdefault((t.action, t.path), parsed)
            case _Total(action=action, path=path, count=count) if (action, path) in entries:
                old = entries[action, path]
                entries[action, path] = replace(old, touched=replace(old.touched, bytes=count))
            case _:
                whole = False
    return EffectLog(_folded(entries), whole)


def _parsed(line: bytes) -> _Entry | _Total | None:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match fields:
        case ["bytes", str(action), str(path), int(count)] if count >= 0:
            return _Total(action, path, count)
        case [str(action), str(path), (str() | None) as host, (str() | None) as new] if (
            action in ACTIONS
        ):
            place = None if host is None else HostPath(_printable(host))
            return _Entry(Touched(action, GuestPath(_printable(path)), place), new)
        case _:
            return None


def _folded(entries: dict[tuple[str, str], _Entry]) -> tuple[Touched, ...]:
    """Show "create temporary, rename it over X" as the one write of X that it is for people."""
    for (action, path), entry in list(entries.items()):
        target = None if entry.new in (None, path) else _target(entries, entry.new)
        if action != "rename" or target is None or not _temporary(path):
            continue
        moved = 0
        for step in ("create", "write", "rename"):
            gone = entries.pop((step, path), None)
            moved += 0 if gone is None else gone.touched.bytes
        result = entries[target]
        whole = replace(result.touched, bytes=result.touched.bytes + moved)
        entries[target] = replace(result, touched=whole)
    return tuple(entry.touched for entry in entries.values())


def _target(entries: dict[tuple[str, str], _Entry], path: str | None) -> tuple[str, str] | None:
    keys = (("write", path), ("create", path)) if path is not None else ()
    return next((key for key in keys if key in entries), None)


def _printable(text: str) -> str:
    """Replace lone surrogates (a host name that is not UTF-8): nobody could write them again."""
    return text.encode("utf-8", "replace").decode()


def _temporary(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith(TEMPORARY[0]) and name.endswith(TEMPORARY[1])
