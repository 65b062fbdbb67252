"""What a run changed, as one difference between the tree before it and the tree now.

Guarantees: each object once, by where it was and where it is; what is undone is not in it. A file
that somebody else changed since is compared as it is now, and said to be so. Reads no link's target
and nothing outside the roots of the run. Does not: show anything (see `diff`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

from capbox.sandbox.handles import SandboxError
from capbox.sandbox.undo.state import State, seen
from capbox.sandbox.undo.walk import Roots, folder
from capbox.undo.history import Kept
from capbox.undo.log import Entry, Log
from capbox.undo.names import Known, Origins
from capbox.undo.reverting import finals
from capbox.undo.undoing import over

CONTENT_BYTES_MAX = 4 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Change:
    """One object: what and where it was (None: it was not there), and what and where it is.

    `foreign`: somebody else has changed it since.
    """

    root: str
    old_path: str | None
    path: str | None
    before: State | None
    now: State | None
    foreign: bool = False

    @property
    def kind(self) -> str:
        """Return added, deleted, moved or changed."""
        if self.old_path is None:
            return "added"
        if self.path is None:
            return "deleted"
        return "changed" if self.old_path == self.path else "moved"


def changes(one: Kept) -> tuple[Change, ...]:
    """Return what the run changed and is not undone. Raises UndoError."""
    logs = one.logs()
    roots = Roots()
    try:
        found = list(_found(logs, roots))
    finally:
        roots.close()
    return tuple(sorted(_joined(found), key=lambda c: c.path or c.old_path or ""))


def missed(one: Kept) -> tuple[str, ...]:
    """Return what was changed without anything being saved. Raises UndoError."""
    return tuple(dict.fromkeys(one.logs()[0].missed))


def _found(logs: list[Log], roots: Roots) -> Iterator[Change]:
    log, done, known = logs[0], over(logs), Known(logs)
    final, origins, told = finals(log, done), Origins(), set[tuple[str | None, str | None]]()
    for entry in log.changes():
        if entry.line in done:
            continue
        old, new = origins.of(entry.path), final[entry.line]
        if entry.kind == "rename":
            origins.renamed(entry.path, entry.new_path)
            if old is None or new is None or old == new:
                continue
        elif entry.kind == "edited" or (entry.state is None and new is None):
            continue
        key = (None if entry.kind != "rename" and entry.state is None else old, new)
        if key in told:
            continue
        told.add(key)
        change = _change(entry, key[0], new, known, roots)
        if change is not None:
            yield change


def _change(
    entry: Entry, old: str | None, new: str | None, known: Known, roots: Roots
) -> Change | None:
    now = None if new is None else _there(roots, entry.root, new)
    left = () if new is None else known.left(new)
    foreign = left != () and (left[0] if left else None) != (now and now.signature())
    before = now if entry.kind == "rename" else entry.state
    where = new if now is not None else None
    if before is None:
        return None if now is None else Change(entry.root, None, where, None, now, foreign)
    same = now is not None and _same(before, now) and old == where
    return None if same else Change(entry.root, old, where, before, now, foreign)


def _joined(found: list[Change]) -> Iterator[Change]:
    """Yield the changes; what is gone and come back under one name is one change.

    Of a moved object that was changed too, only the change, which names both places.
    """
    added = {c.path: c for c in found if c.old_path is None}
    gone = {c.old_path for c in found if c.path is None and c.old_path in added}
    changed = {(c.old_path, c.path) for c in found if c.before is not c.now and c.old_path}
    for change in found:
        if change.path is None and change.old_path in gone:
            new = added[change.old_path]
            change = replace(new, old_path=new.path, before=change.before)
        elif (change.old_path is None and change.path in gone) or (
            change.before is change.now and (change.old_path, change.path) in changed
        ):
            continue
        before, now = change.before, change.now
        if change.kind != "changed" or before is None or now is None or not _same(before, now):
            yield change


def _same(before: State, now: State) -> bool:
    if before.kind != now.kind or before.mode != now.mode:
        return False
    if before.kind == "file":
        # Times alone are no change that a person wants to read of.
        return (before.size, before.mtime_ns) == (now.size, now.mtime_ns)
    return before.text == now.text


def _there(roots: Roots, root: str, path: str) -> State | None:
    try:
        with folder(roots.fd(root), path[len(root.rstrip("/")) + 1 :]) as (fd, base):
            return seen(fd, base)
    except (OSError, SandboxError):
        return None


def content_now(change: Change) -> bytes | None:
    """Return the content of a file as it is now, None if it is too large or cannot be read."""
    if change.path is None or change.now is None or change.now.kind != "file":
        return None
    roots = Roots()
    try:
        name = change.path[len(change.root.rstrip("/")) + 1 :]
        with folder(roots.fd(change.root), name) as (outer, base):
            return _content(os.open(base, _READ, dir_fd=outer))
    except (OSError, SandboxError):
        return None
    finally:
        roots.close()


def content_before(one: Kept, change: Change) -> bytes | None:
    """Return the saved content of a file, None if it is too large or cannot be read."""
    if change.before is None or not change.before.blob:
        return None
    try:
        return _content(os.open(one.folder / change.before.blob, _READ))
    except OSError:
        return None


def _content(fd: int) -> bytes | None:
    with os.fdopen(fd, "rb") as file:
        content = file.read(CONTENT_BYTES_MAX + 1)
    return content if len(content) <= CONTENT_BYTES_MAX else None
