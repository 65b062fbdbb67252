"""What a run that was killed left in the middle: a name on its way, files that never got theirs.

Guarantees: an object that was being renamed has its old name back, or its new one; a temporary
file that the run made is known as made by it, so that an undo removes it. Touches no other name.
Does not: undo anything; it makes the log say what happened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

from capbox.sandbox.spec import is_staged, is_temporary
from capbox.sandbox.undo.state import seen
from capbox.sandbox.undo.walk import Roots, above, folder, joined
from capbox.undo.log import Entry, Log

RECOVERED = -1
"""The number of a call in the log of a run that was killed: its last changes are in no other."""
_ENTRIES_MAX = 200_000


def recover(log: Log, roots: Roots, note: Callable[..., object]) -> None:
    """Complete the log of a run that never ended; `note` writes a line to it. Raises OSError."""
    for entry in last_renames(log):
        if not arrived(entry, roots):
            note("void", entry.line)
    for root, name in left_behind(log, roots):
        note("pre", RECOVERED, log.roots.index(root), name, None)
    note("end", RECOVERED)
    note("closed", 0)


def last_renames(log: Log) -> Iterator[Entry]:
    """Yield, of each call that never ended, the rename that it did last, if that was its last."""
    last: dict[int, Entry] = {}
    for entry in log.entries:
        last[entry.call] = entry
    for call, entry in last.items():
        if call not in log.ended and entry.kind == "rename" and entry.line not in log.void:
            yield entry


def arrived(entry: Entry, roots: Roots) -> bool:
    """Say whether a rename happened; one that stopped half way is taken back."""
    root = roots.fd(entry.root)
    with folder(root, entry.name) as (old, base):
        if seen(old, base) is not None:
            return False
        _, staged = os.path.split(entry.staged)
        if is_staged(staged) and seen(old, staged) is not None:
            os.rename(staged, base, src_dir_fd=old, dst_dir_fd=old)
            return False
    return True


def left_behind(log: Log, roots: Roots) -> Iterator[tuple[str, str]]:
    """Yield temporary files in folders that the run changed, made since it began."""
    started = log.header.get("started")
    since = int(started * 1e9) if isinstance(started, int | float) else 0
    known = {entry.path for entry in log.entries}
    folders = dict.fromkeys((e.root, above(n)) for e in log.entries for n in (e.name, e.new) if n)
    looked = 0
    for root, outer in folders:
        names = _listed(roots, root, outer)
        looked += len(names)
        for base in names if looked < _ENTRIES_MAX else ():
            name = f"{outer}/{base}" if outer else base
            if (is_temporary(base) or is_staged(base)) and joined(root, name) not in known:
                with folder(roots.fd(root), name) as (fd, last):
                    found = os.stat(last, dir_fd=fd, follow_symlinks=False)
                if not stat.S_ISDIR(found.st_mode) and found.st_ctime_ns >= since:
                    yield root, name


def _listed(roots: Roots, root: str, outer: str) -> list[str]:
    try:
        with folder(roots.fd(root), outer) as (above_fd, base):
            fd = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above_fd)
            try:
                return os.listdir(fd)  # noqa: PTH208
            finally:
                os.close(fd)
    except OSError:
        return []
