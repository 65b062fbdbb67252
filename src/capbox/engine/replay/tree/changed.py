"""Which files somebody has changed since a call read them, so that it cannot be executed as it was.

Guarantees: whatever changed content, name or mode since is named, as far as the times of the file
system tell (a change time cannot be set back). Does not: know what it was; more is named than need
be, so it is asked only about a call that came out differently.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from capbox.engine.replay.tree.earlier import Past

_CHILDREN_MAX = 10_000


@dataclass(slots=True, eq=False)
class Since:
    """What is known of later changes; `ours` are host paths that a replayed call has changed.

    `doubtful` are those that a call changed which could not be executed as it was.
    """

    past: Past
    moved: Callable[[str], str]
    ours: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)

    def first(self, looked: Iterable[tuple[str, str]], at_ns: int) -> str | None:
        """Return the first host path that is not what it was at `at_ns`; pairs of action, path."""
        for action, path in looked:
            if self._changed(path, at_ns):
                return path
            inner = _children(path) if action == "list" else ()
            found = next((one for one in inner if self._changed(one, at_ns)), None)
            if found is not None:
                return found
        return None

    def deep(self, path: str) -> bool:
        """Say whether a host path is in a folder that is too deep for the copy."""
        return any(path == one or path.startswith(f"{one}/") for one in self.past.left)

    def settle(self, intent: int) -> None:
        """Give what a call has changed in the copy the times that it had after that call."""
        for path, mtime_ns in self.past.posts(intent):
            with suppress(OSError):
                os.utime(self.moved(path), ns=(mtime_ns, mtime_ns), follow_symlinks=False)

    def _changed(self, path: str, at_ns: int) -> bool:
        if self.deep(path) or path in self.doubtful or path in self.past.edited:
            return True
        if path in self.ours:
            return False
        found = _status(self.moved(path))
        if found is not None and found.st_mtime_ns > at_ns:
            return True
        live = _status(path)
        if path in self.past.covered:
            return False
        if live is not None:
            return live.st_ctime_ns > at_ns
        # It is gone, or never was: its folder tells, or the next one above that is there.
        folder = path.rpartition("/")[0]
        return folder not in ("", "/") and self._changed(folder, at_ns)


def _status(path: str) -> os.stat_result | None:
    """Return what is there, unless by now a link leads to it."""
    folder = path.rpartition("/")[0] or "/"
    try:
        return os.lstat(path) if os.path.realpath(folder) == folder else None
    except OSError:
        return None


def _children(path: str) -> list[str]:
    try:
        names = sorted(os.listdir(path))  # noqa: PTH208
    except OSError:
        return []
    return [str(Path(path, name)) for name in names[:_CHILDREN_MAX]]
