"""What is known of paths, kept as the tree that they are: a rename moves a branch, at no cost.

Pure. Guarantees: each operation takes as long as a path is deep. Does not: look at any file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Node(Generic[T]):
    values: list[T] = field(default_factory=list)  # one, or none
    inner: dict[str, _Node[T]] = field(default_factory=dict)


class Paths(Generic[T]):
    """Values by path."""

    def __init__(self) -> None:
        """Start with none."""
        self._top: _Node[T] = _Node()

    def set(self, path: str, value: T) -> None:
        """Let `path` have this value."""
        self._made(path).values = [value]

    def get(self, path: str, default: T) -> T:
        """Return the value of `path`, or `default`."""
        node: _Node[T] | None = self._top
        for part in path.split("/"):
            node = None if node is None else node.inner.get(part)
        return default if node is None or not node.values else node.values[0]

    def nearest(self, path: str) -> tuple[T, str] | None:
        """Return the value of `path` or of what is closest above it, and what is left of `path`."""
        node, found, seen = self._top, None, 0
        for part in path.split("/"):
            inner = node.inner.get(part)
            if inner is None:
                break
            node, seen = inner, seen + len(part) + 1
            if node.values:
                found = node.values[0], path[seen - 1 :]
        return found

    def drop(self, path: str) -> None:
        """Forget `path` and all below it."""
        self._taken(path)

    def drop_below(self, path: str) -> None:
        """Forget all below `path`."""
        self._made(path).inner.clear()

    def move(self, old: str, new: str) -> None:
        """Let what is known of `old` and below be known of `new`, and nothing else of that."""
        self.drop(new)
        taken = self._taken(old)
        if taken is not None:
            folder, _, base = new.rpartition("/")
            self._made(folder).inner[base] = taken

    def _made(self, path: str) -> _Node[T]:
        node = self._top
        for part in path.split("/"):
            node = node.inner.setdefault(part, _Node())
        return node

    def _taken(self, path: str) -> _Node[T] | None:
        node = self._top
        *folders, base = path.split("/")
        for part in folders:
            inner = node.inner.get(part)
            if inner is None:
                return None
            node = inner
        return node.inner.pop(base, None)


class Names:
    """Where things are after renames, which are given in *reverse* order."""

    def __init__(self) -> None:
        """Start with every path where it is."""
        self._later: Paths[str | None] = Paths()

    def of(self, path: str) -> str | None:
        """Return where the object that was at `path` is; None if it was replaced."""
        found = self._later.nearest(path)
        if found is None:
            return path
        return None if found[0] is None else found[0] + found[1]

    def renamed(self, old: str, new: str) -> None:
        """Take the next earlier rename."""
        later = self.of(new)
        self._later.move(new, old)
        self._later.set(old, later)
        self._later.set(new, None)
