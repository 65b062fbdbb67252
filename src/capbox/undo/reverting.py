"""One log, undone from its last line to its first; what that changes is saved in a log of its own.

Guarantees: each step's outcome is on record when it is done, so that whoever was killed goes on
where he was; nothing is changed whose present state could not be saved; what somebody else changed
since is left as it is, unless forced. Does not: find out which log (see `undoing`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from errno import EEXIST, ENOTEMPTY

from capbox.sandbox.handles import SandboxError
from capbox.sandbox.undo.keeper import Keeper
from capbox.sandbox.undo.paths import Names, Paths
from capbox.sandbox.undo.state import State, seen
from capbox.sandbox.undo.walk import above, folder
from capbox.undo.log import Entry, Log
from capbox.undo.names import Known, below
from capbox.undo.restore import open_up, put, settle

DONE = "done"
CALL = 0
CHANGED = "changed since by somebody else"
MEANWHILE = "changed by somebody else while the run went on; that state is back"
TAKEN = "something else has its name"
GONE = "it is gone"
NOT_EMPTY = "not empty: it holds what this did not make"


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one line: `reason` says why it was left, "" if it was done."""

    action: str
    path: str
    reason: str = ""


@dataclass(slots=True, eq=False)
class Reverting:
    """The work of one undo or redo. `foreign` folders keep their times; `again` are its own steps.

    `chosen` says which lines are to be undone, `over` which are undone already.
    """

    source: Log
    known: Known
    keeper: Keeper
    chosen: Callable[[Entry], bool]
    over: frozenset[int] = frozenset()
    foreign: frozenset[str] = frozenset()
    force: bool = False
    resumed: Log | None = None
    steps: list[Step] = field(default_factory=list)
    _names: Names = field(default_factory=Names)
    _ours: Paths[bool] = field(default_factory=Paths)
    _judged: dict[str, str] = field(default_factory=dict)
    _folders: dict[str, tuple[Entry, bool]] = field(default_factory=dict)
    _touched: dict[tuple[str, str], None] = field(default_factory=dict)

    def run(self) -> None:
        """Do every step, then give folders their modes and times. Raises OSError."""
        final = finals(self.source, self.over)
        did = {} if self.resumed is None else self.resumed.steps
        for entry in reversed(list(self.source.changes())):
            if entry.line in self.over:
                continue
            outcome = did.get(entry.line)
            if outcome is None:
                outcome = self._outcome(entry, final[entry.line])
                if outcome:
                    self.keeper.note("step", entry.line, outcome)
            elif outcome == DONE:
                self._redone(entry, final[entry.line])
            if outcome not in (DONE, GONE) and entry.kind == "rename":
                self._names.renamed(entry.path, entry.new_path)
        self._settle()
        self.keeper.end(CALL, self._touched, finished=True)

    def _outcome(self, entry: Entry, final: str | None) -> str:
        """Undo one line; returns "" if it was not chosen."""
        if not self.chosen(entry):
            return ""
        act = self._rename if entry.kind == "rename" else self._state
        try:
            step = act(entry, final)
        except SandboxError as error:
            step = Step("", entry.path, str(error))
        except OSError as error:
            busy = error.errno in (ENOTEMPTY, EEXIST)
            step = Step("", entry.path, NOT_EMPTY if busy else error.strerror or str(error))
        if step.action or step.reason:
            self.steps.append(step)
        return step.reason or DONE

    def _state(self, entry: Entry, final: str | None) -> Step:
        path = self._names.of(entry.path)
        if path is None:
            return Step("", entry.path, TAKEN if entry.state else "")
        name = _name(entry.root, path)
        with folder(self._writable(entry.root, name), name) as (fd, base):
            now = seen(fd, base)
            reason = self._judgement(final, now, path) if entry.state != now else ""
            if reason:
                return Step("", path, reason)
            goes = now is not None and now.kind == "folder"
            stays = entry.state is not None and entry.state.kind == "folder"
            save = self.keeper.remove if goes and not stays else self.keeper.save
            if reason := save(CALL, entry.root, name):
                return Step("", path, reason)
            self._touched[entry.root, name] = None
            action = put(fd, base, entry.state, self.keeper.blobs)
        self._redone(entry, final)
        if entry.kind == "edited" and not self.force:
            self._judged[final or path] = MEANWHILE
        return Step(action, path)

    def _judgement(self, final: str | None, now: State | None, path: str) -> str:
        """Say why this object is to be left alone; "" if the run left it as it is now."""
        if self.force:
            return ""
        if final is None:
            ours = self._ours.get(path, False) or (
                self.resumed is not None and self.known.is_open(path)
            )
            return "" if now is None or ours else TAKEN
        if final not in self._judged:
            left = self.known.left(final)
            signature = None if now is None else now.signature()
            same = left == () or (left[0] if left else None) == signature
            self._judged[final] = "" if same else CHANGED
        return self._judged[final]

    def _rename(self, entry: Entry, final: str | None) -> Step:
        at, back = self._names.of(entry.new_path), self._names.of(entry.path)
        if at is None or back is None:
            return Step("", entry.new_path, TAKEN)
        here, there = _name(entry.root, at), _name(entry.root, back)
        with (
            folder(self._writable(entry.root, here), here) as (fd, base),
            folder(self._writable(entry.root, there), there) as (to, last),
        ):
            now, taken = seen(fd, base), seen(to, last)
            if now is None:
                # Perhaps it was us, killed before we could say so.
                return self._gone(entry, final, at, ours=taken is not None)
            if taken is not None:
                return Step("", back, TAKEN)
            if now.kind != "folder" and (reason := self._judgement(final, now, at)):
                return Step("", at, reason)
            if reason := self.keeper.rename(CALL, entry.root, (here, there, here), inline=False):
                return Step("", at, reason)
            try:
                os.rename(base, last, src_dir_fd=fd, dst_dir_fd=to)
            except OSError:
                self.keeper.void(CALL)
                raise
        self._touched |= {(entry.root, here): None, (entry.root, there): None}
        self._redone(entry, final)
        return Step("rename", back)

    def _gone(self, entry: Entry, final: str | None, at: str, *, ours: bool) -> Step:
        """Say what it means that a renamed object is not there: the run itself removed it later,

        or it was `ours` to move, and we were killed before we could say so.
        """
        if self.resumed is not None and ours:
            self._redone(entry, final)
            return Step("rename", at)
        left = None if final is None else self.known.left(final)
        return Step("", at, GONE if left else "")

    def _redone(self, entry: Entry, final: str | None) -> None:
        """Keep in mind what is to be done with folders at the end."""
        if entry.kind != "rename":
            path = self._names.of(entry.path)
            if path is not None and entry.state is not None and entry.state.kind == "folder":
                self._folders[path] = entry, final not in self.foreign or self.force
            elif path is not None:
                self._folders.pop(path, None)
            if path is not None:
                self._ours.set(path, True)
            return
        at, back = self._names.of(entry.new_path), self._names.of(entry.path)
        if at is None or back is None:
            return
        self._ours.move(at, back)
        for path in below(self._folders, at):
            self._folders[back + path[len(at) :]] = self._folders.pop(path)

    def _writable(self, root: str, name: str) -> int:
        """Open up the folder of `name` if the run closed it; its mode is put back at the end."""
        fd = self.keeper.fd(root)
        outer = above(name)
        if outer:
            with folder(fd, outer) as (higher, base):
                found = seen(higher, base)
                if found is not None and found.kind == "folder" and found.mode & 0o300 != 0o300:
                    self.keeper.save(CALL, root, outer)
                    self._touched[root, outer] = None
                    open_up(higher, base)
        return fd

    def _settle(self) -> None:
        """Give folders their modes and times, the deepest first."""
        for path in sorted(self._folders, key=lambda one: one.count("/"), reverse=True):
            entry, times = self._folders[path]
            name = _name(entry.root, path)
            if entry.state is None:
                continue
            try:
                with folder(self.keeper.fd(entry.root), name) as (fd, base):
                    settle(fd, base, entry.state, times=times)
            except OSError as error:
                self.steps.append(Step("", path, error.strerror or str(error)))
            self._touched[entry.root, name] = None


def finals(log: Log, over: frozenset[int] = frozenset()) -> dict[int, str | None]:
    """Return where the object of each line is after all of them; None if it was replaced."""
    names, found = Names(), dict[int, str | None]()
    for entry in reversed(list(log.changes())):
        if entry.kind == "rename":
            found[entry.line] = names.of(entry.new_path)
            if entry.line not in over:
                names.renamed(entry.path, entry.new_path)
        else:
            found[entry.line] = names.of(entry.path)
    return found


def _name(root: str, path: str) -> str:
    return path[len(root.rstrip("/")) + 1 :]
