"""From a copy of the present tree to the tree before a run: what was done since is undone in it.

Guarantees: the undo of runs that came later, and of this one, works on the copy alone: roots are
rewritten to lie there. Does not: know what people did; `changed` tells that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from capbox.engine.replay.kept import ReplayError
from capbox.engine.replay.tree.copying import Copying
from capbox.messages import Json
from capbox.sandbox.undo.blobs import copy
from capbox.undo.errors import UndoError
from capbox.undo.history import INDEX, Kept, kept
from capbox.undo.log import Log
from capbox.undo.undoing import undo

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(slots=True, eq=False)
class Past:
    """What the logs of undo know: `log` is this run's own (None: it changed nothing).

    `covered` are host paths whose earlier state was kept, `edited` those that somebody else changed
    between two calls of the run, or that stand in the way of what was there. `left` are folders
    that are too deep for a copy.
    """

    log: Log | None = None
    covered: set[str] = field(default_factory=set)
    edited: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)

    def posts(self, intent: int) -> Iterator[tuple[str, int]]:
        """Yield the host paths that a call changed, and their times of change after it."""
        for entry in () if self.log is None else self.log.entries:
            if entry.kind == "post" and entry.call == intent and entry.left is not None:
                yield entry.path, entry.left[1]


def rewind(place: Path, run: str, started: float, work: Path, copied: Copying) -> Past:
    """Undo in the copy what `run`, and all runs that `started` later, changed; work in `work`.

    Raises ReplayError.
    """
    every = kept(place)
    mine = next((one for one in every if one.run == run), None)
    past = Past(left=copied.left)
    work.mkdir(mode=0o700)
    for one in reversed(every):
        if one is not mine and one.started < started:
            continue
        try:
            logs = one.logs()
            if not any(map(copied.has, logs[0].roots)):
                continue
            for log in logs:
                past.covered.update(path for e in log.changes() for path in (e.path, e.new_path))
            undone = undo(_rewritten(one, work, copied), force=True)
            past.edited.update(step.path.removeprefix(copied.moved("/")) for step in undone.left)
        except (UndoError, OSError) as error:
            raise ReplayError(run, f"the tree before it cannot be rebuilt: {error}") from error
        if one is mine:
            past.log = logs[0]
            past.edited.update(e.path for e in logs[0].entries if e.kind == "edited")
    return past


def _rewritten(one: Kept, work: Path, copied: Copying) -> Kept:
    """Return a copy of what is kept of a run, whose roots lie in the copied tree."""
    folder = work / one.run
    folder.mkdir(mode=0o700)
    for name in os.listdir(one.folder):  # noqa: PTH208
        source = os.open(one.folder / name, _READ)
        try:
            target = os.open(folder / name, _NEW, 0o600)
            try:
                if name.startswith(INDEX):
                    with os.fdopen(os.dup(source), "rb") as lines:
                        for line in lines:
                            os.write(target, _line(line, copied))
                else:
                    copy(source, target)
            finally:
                os.close(target)
        finally:
            os.close(source)
    return replace(one, folder=folder)


def _line(line: bytes, copied: Copying) -> bytes:
    with suppress(ValueError):
        written: Json = json.loads(line)
        match written:
            case ["root", str(host)]:
                # What was not copied is made, empty: nothing of it can be seen.
                copied.make(host)
                return json.dumps(["root", copied.moved(host)]).encode() + b"\n"
            case ["missed", call, str(path)]:
                return json.dumps(["missed", call, copied.moved(path)]).encode() + b"\n"
            case _:
                return line
    return line
