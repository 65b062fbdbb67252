"""An undo or redo as the journal has it: a run of its own, of one call.

Guarantees: the intent is written before anything is changed, the outcome after; without a journal
nothing is undone. Does not: say what the run that was undone did; that is on record already.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from capbox.authority.paths import GuestPath, HostPath
from capbox.journal.event import CallEnded, CallIntended, RunClosed, RunOpened, run_id
from capbox.journal.head import Signer
from capbox.journal.log import Journal
from capbox.messages import Effect, JsonObject, Spent
from capbox.undo.history import Kept
from capbox.undo.undoing import Undone, redo, undo


def recorded_undo(state: Path, one: Kept, paths: Iterable[str] = (), *, force: bool) -> Undone:
    """Undo, on record below `state`. Raises UndoError, JournalError or OSError."""
    asked = sorted(paths)
    arguments: JsonObject = {"run": one.run, "paths": asked, "force": force}
    return _recorded(state, one, "undo", arguments, lambda: undo(one, asked, force=force))


def recorded_redo(state: Path, one: Kept, *, force: bool) -> Undone:
    """Redo, on record below `state`. Raises UndoError, JournalError or OSError."""
    arguments: JsonObject = {"run": one.run, "force": force}
    return _recorded(state, one, "redo", arguments, lambda: redo(one, force=force))


def _recorded(
    state: Path, one: Kept, what: str, arguments: JsonObject, act: Callable[[], Undone]
) -> Undone:
    now = time.time()
    run = run_id(now, os.urandom(10))
    journal = Journal(state / "journal", Signer.load(state / "journal.key"))
    try:
        mine = journal.begin(
            run, RunOpened(f"uid {os.getuid()}", one.workspace, "", (), (), (), now)
        )
        intent = mine.append(
            CallIntended("call-1", what, "", arguments, (), (), "", time.time_ns())
        )
        began, outcome, done = time.monotonic_ns(), "interrupted", None
        try:
            done = act()
            outcome = "ended"
        finally:
            spent = Spent(wall_ms=(time.monotonic_ns() - began) // 1_000_000)
            effects = () if done is None else tuple(_effects(done, one))
            mine.append(
                CallEnded(
                    intent,
                    "error" if done is None or done.left else "ok",
                    "" if done is not None else outcome,
                    effects,
                    effects_whole=done is not None,
                    denied=(),
                    spent=spent,
                    content="",
                    clock="",
                )
            )
            mine.close(RunClosed(outcome, time.time()))
            mine.sync()
        return done
    finally:
        journal.close()


def _effects(done: Undone, one: Kept) -> Iterable[Effect]:
    for step in done.steps:
        if step.action:
            path, kept = step.path, one.in_store(step.path)
            if kept is not None:
                path = f"/store/{kept}"
            elif path.startswith(f"{one.workspace}/"):
                path = path.replace(one.workspace, "/workspace", 1)
            yield Effect(step.action, GuestPath(path), HostPath(step.path), 0)
