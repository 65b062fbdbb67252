"""`undo` and `redo` of one run.

Guarantees: either is a log of its own beside the run's, so that a redo is exact, and one that was
killed is completed first by whatever comes next. Does not: touch a run that is still going on.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from capbox.messages import JsonObject
from capbox.sandbox.handles import SandboxError
from capbox.sandbox.undo.index import Index
from capbox.sandbox.undo.keeper import Bounds, Keeper
from capbox.sandbox.undo.state import seen
from capbox.sandbox.undo.walk import Roots, folder
from capbox.undo.errors import UndoError
from capbox.undo.history import INDEX, Kept, header_of, locked
from capbox.undo.log import Entry, Log
from capbox.undo.names import Known, outer_of
from capbox.undo.recovery import RECOVERED, arrived, last_renames, left_behind, recover
from capbox.undo.reverting import CALL, DONE, Reverting, Step, finals

_UNBOUNDED = Bounds(run_bytes=1 << 62)


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo or redo did, what it left alone and why, and what could not be undone at all."""

    run: str
    steps: tuple[Step, ...]
    missed: tuple[str, ...] = ()

    @property
    def left(self) -> tuple[Step, ...]:
        """Return the steps that were left, each path once for each reason."""
        return tuple(dict.fromkeys(step for step in self.steps if step.reason))


def undo(one: Kept, paths: Iterable[str] = (), *, force: bool = False) -> Undone:
    """Take back what the run changed: all of it, or what is at or below `paths` (host paths).

    Raises UndoError or OSError.
    """
    with locked(one) as index:
        logs = _ready(one, index)
        asked = sorted(set(paths))
        steps = _reverted(one, logs, {"kind": "undo", "of": 0, "paths": asked, "force": force})
        return Undone(one.run, steps, tuple(dict.fromkeys(logs[0].missed)))


def redo(one: Kept, *, force: bool = False) -> Undone:
    """Take back the last undo of the run that was not taken back. Raises UndoError or OSError."""
    with locked(one) as index:
        logs = _ready(one, index)
        undone = _undone(logs)
        if not undone:
            raise UndoError(one.run, "nothing of it is undone")
        header: JsonObject = {"kind": "redo", "of": undone[-1], "paths": [], "force": force}
        return Undone(one.run, _reverted(one, logs, header))


def over(logs: list[Log]) -> frozenset[int]:
    """Return the lines of a run's log that are undone at present."""
    return frozenset(
        line for n in _undone(logs) for line, outcome in logs[n].steps.items() if outcome == DONE
    )


def _undone(logs: list[Log]) -> list[int]:
    """Return the numbers of the undos that no redo has taken back."""
    active: list[int] = []
    for number, log in enumerate(logs[1:], 1):
        if log.header.get("kind") == "undo":
            active.append(number)
        else:
            active = [one for one in active if one != log.header.get("of")]
    return active


def _ready(one: Kept, index: Index) -> list[Log]:
    """Return the logs, with what was interrupted set right."""
    logs = one.logs()
    if not logs[0].closed:
        roots = Roots()
        try:
            recover(logs[0], roots, index.append)
        finally:
            roots.close()
        logs = one.logs()
    if len(logs) > 1 and not logs[-1].closed:
        _revert(one, logs[:-1], logs[-1].header, logs[-1])
        logs = one.logs()
    return logs


def _reverted(one: Kept, logs: list[Log], wanted: JsonObject) -> tuple[Step, ...]:
    known, roots = Known(logs), Roots()
    try:
        foreign = sorted(_foreign(logs[_number(wanted)], known, roots))
    finally:
        roots.close()
    return _revert(one, logs, header_of(one, **wanted, foreign=foreign), None)


def _revert(
    one: Kept, logs: list[Log], header: JsonObject, resumed: Log | None
) -> tuple[Step, ...]:
    """Do what `header` says, from the beginning or where `resumed` was left."""
    source = logs[_number(header)]
    done = over(logs) if source is logs[0] else frozenset()
    keeper = Keeper(one.folder.parent, header, _UNBOUNDED, file=f"{INDEX}.{len(logs)}")
    try:
        if resumed is not None:
            _resume(keeper, resumed)
        known = Known(logs if resumed is None else [*logs, resumed])
        reverting = Reverting(
            source,
            known,
            keeper,
            chosen=chosen(source, done, _texts(header, "paths"), known),
            over=done,
            foreign=frozenset(_texts(header, "foreign")),
            force=header.get("force") is True,
            resumed=resumed,
        )
        reverting.run()
    finally:
        keeper.close()
    return tuple(reverting.steps)


def _resume(keeper: Keeper, log: Log) -> None:
    """Let `keeper` go on with a log, once that says what really happened."""
    roots = Roots()
    try:
        void = [entry.line for entry in last_renames(log) if not arrived(entry, roots)]
        log.void.update(void)
        for root, name in left_behind(log, roots):
            with folder(roots.fd(root), name) as (fd, base):
                os.unlink(base, dir_fd=fd)  # half of what we were about to put there
    finally:
        roots.close()
    asked = ((e.root, e.name, e.new) for e in log.entries if _was_asked(e, log))
    keeper.resume(CALL, log.lines, log.roots, asked)
    for line in void:
        keeper.note("void", line)


def _was_asked(entry: Entry, log: Log) -> bool:
    return entry.kind != "post" and entry.line not in log.void


def chosen(
    log: Log, done: frozenset[int], paths: list[str], known: Known
) -> Callable[[Entry], bool]:
    """Return what says whether a line has to do with `paths`, renames followed; () is all."""
    if not paths:
        return lambda entry: True
    final, lines = finals(log, done), set[int]()
    tops = _tied(log, final, paths)
    needed = {outer for top in tops for outer in outer_of(top)}
    for entry in log.changes():
        places = entry.path, entry.new_path if entry.new else None, final[entry.line]
        if any(place and _within(place, tops) for place in places):
            lines.add(entry.line)
        elif entry.path in needed and entry.state is not None and entry.state.kind == "folder":
            # One that the run removed is needed again by what was in it.
            lines |= {entry.line} if known.left(final[entry.line] or "") is None else set()
    return lambda entry: entry.line in lines


def _tied(log: Log, final: Mapping[int, str | None], paths: Iterable[str]) -> set[str]:
    """Return `paths`, and all names that renames give to what is at or below them.

    A run chooses how its renames hang together: each is looked at as often as a path is deep.
    """
    renames = [entry for entry in log.changes() if entry.kind == "rename"]
    places = sorted(
        (f"{place}/", number)
        for number, entry in enumerate(renames)
        for place in (entry.path, entry.new_path, final[entry.line])
        if place
    )
    tops, waiting = set[str](), list(paths)
    while waiting:
        top = waiting.pop()
        if _within(top, tops):
            continue
        tops.add(top)
        # What is at or below it stands together, between its name with "/" and with "0".
        first, last = (bisect_left(places, (f"{top}{end}", -1)) for end in "/0")
        for number in {number for _, number in places[first:last]}:
            waiting += renames[number].path, renames[number].new_path
    return tops


def _within(path: str, tops: Collection[str]) -> bool:
    return path in tops or any(outer in tops for outer in outer_of(path))


def _foreign(log: Log, known: Known, roots: Roots) -> Iterator[str]:
    """Yield the folders in which somebody else made changes since."""
    # A folder in which only a temporary file was made when the run was killed is in no line.
    final = finals(log)
    for entry in () if RECOVERED in log.ended else log.changes():
        path = final[entry.line]
        if path is None or entry.state is None or entry.state.kind != "folder":
            continue
        left = known.left(path)
        name = path.removeprefix(entry.root.rstrip("/")).lstrip("/")
        try:
            with folder(roots.fd(entry.root), name) as (fd, base):
                now = seen(fd, base)
        except (OSError, SandboxError):
            continue
        if left and now is not None and now.mtime_ns != left[1]:
            yield path


def _number(header: JsonObject) -> int:
    of = header.get("of")
    return of if isinstance(of, int) else 0


def _texts(header: JsonObject, key: str) -> list[str]:
    found = header.get(key)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
