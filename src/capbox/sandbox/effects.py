"""The list of a call's effects, kept where it survives the worker: an append-only memory file.

The worker appends each entry *before* its effect; the parent reads the file when the call ended or
the worker died. Guarantees: one entry for each distinct (action, guest path, host path) of a call;
bounded in entries and bytes: a change that does not fit does not happen, reads that do not fit make
the list not whole; the reader accepts a torn last line and stops at anything else that it does not
know. Does not: protect against the worker itself. A worker that was taken over can forge entries,
so the parent parses them strictly and treats them as data.

Lines are JSON arrays in UTF-8. [action, guest path, host path] is an entry, numbered from 0;
["bytes", entry, count] its total, written when the call ends; ["moved", created, renamed, target]
says that the file of entry `created` was a temporary one and has become that of `target`;
["staged", renamed, name] is at the end while a rename is under way, by way of the name `name`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from errno import EIO
from json.encoder import encode_basestring as quoted

from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.spec import Touched, is_temporary

# Reads and changes have a share each, so that reading much never keeps a call from writing.
SHARE_ENTRIES_MAX = 10_000
SHARE_BYTES_MAX = 2 << 20
ENTRIES_MAX = 2 * SHARE_ENTRIES_MAX + 2  # reads beyond their share are one entry for each action
# What the lines "bytes" and "moved" of an entry may take: reserved, so that they always fit.
FOLLOWING_BYTES = 72
LOG_BYTES_MAX = 2 * SHARE_BYTES_MAX + 1024
LINES_MAX = 3 * ENTRIES_MAX
PATHS_CHARS_MAX = 16_384  # of an entry: each has 4,096 bytes at most below its mount
COUNT_MAX = (1 << 63) - 1
ACTIONS = frozenset(
    {
        *("read", "write", "create", "delete", "rename", "mkdir"),
        *("rmdir", "symlink", "chmod", "utime", "list"),
    }
)
READ_ACTIONS = frozenset({"read", "list"})
MANY = GuestPath("(more paths)")


class EffectWriter:
    """The worker's end: appends to `fd`, which nothing else writes."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._totals: dict[int, int] = {}
        self._next = 0
        # Entries and bytes used, of changes and of reads.
        self._used = ([0, 0], [0, 0])

    def begin(self) -> None:
        """Empty the list for a new call."""
        self._numbers.clear()
        self._totals.clear()
        self._next = 0
        self._used = ([0, 0], [0, 0])
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)

    def record(self, action: str, path: str, host: str) -> int | None:
        """Append an entry if it is new; return its number, or None if a change has no room."""
        number = self._numbers.get((action, path, host))
        if number is None and action == "write":
            number = self._numbers.get(("create", path, host))
        if number is not None:
            return number
        line = f'["{action}",{quoted(path)},{quoted(host)}]\n'
        cost = len(line.encode("utf-8", "surrogateescape")) + FOLLOWING_BYTES
        used = self._used[action in READ_ACTIONS]
        if used[0] < SHARE_ENTRIES_MAX and used[1] + cost <= SHARE_BYTES_MAX:
            used[0] += 1
            used[1] += cost
            return self._entry((action, path, host), line)
        if action not in READ_ACTIONS:
            return None
        many = (action, MANY, "")
        known = self._numbers.get(many)
        return self._entry(many, f'["{action}","{MANY}",null]\n') if known is None else known

    def transferred(self, number: int, count: int) -> None:
        """Add `count` bytes to the total of an entry."""
        if count:
            self._totals[number] = self._totals.get(number, 0) + count

    def moved(self, path: str, host: str, renamed: int, target: int) -> None:
        """Note that the file `path` has been renamed, if it was a temporary one of this call."""
        if not is_temporary(path):
            return
        created = self._numbers.pop(("create", path, host), None)
        # What gets this name from now on is another file, with entries of its own.
        self._numbers.pop(("rename", path, host), None)
        if created is not None and created < renamed and target != created:
            self._append(f'["moved",{created},{renamed},{target}]\n')

    def staged(self, renamed: int, name: str) -> Callable[[], None]:
        """Note what a file or directory is called on its way; the result takes the note back."""
        end = os.lseek(self._fd, 0, os.SEEK_CUR)
        self._append(f'["staged",{renamed},{quoted(name)}]\n')

        def arrived() -> None:
            os.ftruncate(self._fd, end)
            os.lseek(self._fd, end, os.SEEK_SET)

        return arrived

    def finish(self) -> None:
        """Append the totals of bytes; the call is over."""
        lines = (f'["bytes",{number},{count}]\n' for number, count in self._totals.items())
        self._append("".join(lines))
        self._totals.clear()

    def _entry(self, key: tuple[str, str, str], line: str) -> int:
        self._append(line)
        number = self._numbers[key] = self._next
        self._next += 1
        return number

    def _append(self, text: str) -> None:
        content = text.encode("utf-8", "surrogateescape")
        if content and os.write(self._fd, content) != len(content):
            # A half-written entry must not be followed by its effect.
            raise OSError(EIO, "list of effects is full")


@dataclass(frozen=True, slots=True)
class EffectLog:
    """What the parent read; not `whole` if lines were torn, malformed or too many.

    `staged` is what was being renamed at the end, and its name meanwhile.
    """

    touched: tuple[Touched, ...]
    whole: bool
    staged: tuple[Touched, str] | None = None


def read_effects(fd: int) -> EffectLog:
    """Read the list in `fd` from its start, with bytes filled in and atomic replaces folded."""
    size = os.fstat(fd).st_size
    lines = os.pread(fd, min(size, LOG_BYTES_MAX), 0).split(b"\n", LINES_MAX)
    whole = not lines.pop() and size <= LOG_BYTES_MAX
    entries: list[Touched] = []
    moves: list[tuple[int, int, int]] = []
    staged = None
    for line in lines:
        known = len(entries)
        match _parsed(line):
            case [str(action), str(path), (str() | None) as host] if (
                action in ACTIONS
                and known < ENTRIES_MAX
                and len(path + (host or "")) <= PATHS_CHARS_MAX
                and "\0" not in path + (host or "")
            ):
                place = None if host is None else HostPath(_printable(host))
                entries.append(Touched(action, GuestPath(_printable(path)), place))
                whole = whole and path != MANY
            case ["bytes", int(of), int(count)] if 0 <= of < known and 0 <= count <= COUNT_MAX:
                entries[of] = replace(entries[of], bytes=count)
            case ["moved", int(created), int(renamed), int(target)] if (
                0 <= created < renamed < known and 0 <= target < known and target != created
            ):
                moves.append((created, renamed, target))
            case ["staged", int(renamed), str(name)] if 0 <= renamed < known:
                staged = entries[renamed], name
            case _:
                whole = False
                break
    return replace(_folded(entries, moves, whole=whole), staged=staged)


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None


def _folded(entries: list[Touched], moves: list[tuple[int, int, int]], *, whole: bool) -> EffectLog:
    """Show "create temporary, rename it over X" as the one write of X that it is for people."""
    gone: set[int] = set()
    for created, renamed, target in moves:
        old, way, new = entries[created], entries[renamed], entries[target]
        same = (way.path, way.host) == (old.path, old.host) and is_temporary(old.path)
        if not same or (old.action, way.action) != ("create", "rename"):
            whole = False
            continue
        entries[target] = replace(new, bytes=min(COUNT_MAX, new.bytes + old.bytes))
        gone |= {created, renamed}
    return EffectLog(tuple(e for n, e in enumerate(entries) if n not in gone), whole)


def _printable(text: str) -> str:
    """Replace lone surrogates (a host name that is not UTF-8): nobody could write them again."""
    return text.encode("utf-8", "replace").decode()
