"""Where things were before the renames of a run, and how its last call left them. Pure.

Does not: look at the tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from capbox.sandbox.undo.paths import Paths
from capbox.undo.log import Entry, Left, Log


class Origins:
    """A map from later paths back to where things were, made from renames in their order."""

    def __init__(self) -> None:
        """Start with every path where it is."""
        self._earlier: Paths[str | None] = Paths()

    def of(self, path: str) -> str | None:
        """Return where the object at `path` was at the beginning; None if that name was vacated."""
        found = self._earlier.nearest(path)
        if found is None:
            return path
        return None if found[0] is None else found[0] + found[1]

    def renamed(self, old: str, new: str) -> None:
        """Take the next rename."""
        earlier = self.of(old)
        self._earlier.move(old, new)
        self._earlier.set(new, earlier)
        self._earlier.set(old, None)


class Known:
    """How everything was left by the run, its undos and redos, by present path."""

    def __init__(self, logs: Iterable[Log]) -> None:
        """Read the logs in the order in which they were written."""
        self._left: Paths[Left | tuple[()]] = Paths()
        self._over: Paths[bool] = Paths()
        foreign: dict[int, set[str]] = {}
        for number, log in enumerate(logs):
            undone = log.header.get("of") if log.header.get("kind") == "redo" else None
            theirs = foreign.get(undone, set()) if isinstance(undone, int) else set()
            replaced = foreign.setdefault(number, set()) if log.header.get("force") else set()
            for entry in log.entries:
                over = entry.call in log.ended
                if entry.kind == "post":
                    # What a person had made, an undo replaced and its redo put back is theirs.
                    if entry.path not in theirs:
                        self._left.set(entry.path, entry.left)
                elif entry.kind != "rename":
                    if entry.kind == "pre" and not self._as_left(entry):
                        replaced.add(entry.path)
                    self._over.set(entry.path, over)
                elif entry.line not in log.void:
                    self._left.move(entry.path, entry.new_path)
                    self._over.move(entry.path, entry.new_path)
                    self._over.set(entry.path, over)
                    self._over.set(entry.new_path, over)

    def _as_left(self, entry: Entry) -> bool:
        """Say whether what an entry saved is as it was left before."""
        left = self._left.get(entry.path, ())
        now = None if entry.state is None else entry.state.signature()
        return left == () or (left[0] if left else None) == now

    def is_open(self, path: str) -> bool:
        """Say whether the last call that asked for `path` never ended."""
        return not self._over.get(path, True)

    def left(self, path: str) -> Left | tuple[()]:
        """Return how `path` was left; () if its last call never ended, so nobody knows."""
        return () if self.is_open(path) else self._left.get(path, ())


def outer_of(path: str) -> Iterator[str]:
    """Yield all that is above `path`, the nearest first."""
    while path := path.rpartition("/")[0]:
        yield path


def below(paths: Iterable[str], top: str) -> list[str]:
    """Return those of `paths` that are `top`, or below it."""
    return [path for path in paths if path == top or path.startswith(f"{top}/")]
