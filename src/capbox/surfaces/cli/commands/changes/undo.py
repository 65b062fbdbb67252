"""`capbox undo` and `capbox redo`.

Guarantees: what somebody else changed since is left as it is, and named, unless `--force` is given;
what was replaced is kept, so that each takes back the other. Does not: touch a run that goes on.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import JsonObject
from capbox.surfaces.cli.commands.changes.diff import Run, named, refused
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure
from capbox.surfaces.cli.flags import words
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.undo.history import Kept
    from capbox.undo.undoing import Undone

_SHOWN_MAX = 50
_RUN = re.compile(r"[0-9]{1,8}(-[0-9]{0,6}(-[a-z2-7]{0,16})?)?")  # the beginning of an id
Force = Annotated[
    bool, typer.Option("--force", help="Also replace what was changed since by somebody else.")
]


def undo(
    ctx: typer.Context,
    run: Run = None,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Only what is at or below these paths."),
    ] = None,
    *,
    workspace: words.Workspace = Path(),
    force: Force = False,
    as_json: words.AsJson = False,
) -> int:
    """Take back what a run has changed.

    A first word that is not the beginning of an id is a path: capbox undo src/a.py. What somebody
    else changed since stays as it is and is named; --force replaces it too. capbox redo takes the
    undo back.

    Example: capbox undo

    Exit codes: 0 all is undone, 1 something was left or could not be undone, 2 usage.
    """
    from capbox.undo.record import recorded_undo

    entry: Entry = ctx.obj
    given = list(paths or [])
    if run is not None and _is_path(run, workspace):
        given, run = [run, *given], None
    state, here = entry.home().state, workspace.resolve()

    def undone(one: Kept) -> Undone:
        tops = [top for path in given for top in _tops(one, here, path)]
        return recorded_undo(state, one, tops, force=force)

    return _act(entry, run, workspace, undone, as_json)


def redo(
    ctx: typer.Context,
    run: Run = None,
    *,
    workspace: words.Workspace = Path(),
    force: Force = False,
    as_json: words.AsJson = False,
) -> int:
    """Take back the last undo of a run.

    Example: capbox redo

    Exit codes: as of capbox undo.
    """
    from capbox.undo.record import recorded_redo

    entry: Entry = ctx.obj
    state = entry.home().state
    return _act(entry, run, workspace, lambda one: recorded_redo(state, one, force=force), as_json)


def _tops(one: Kept, here: Path, path: str) -> list[str]:
    """Return the host paths that a path means: one of the workspace, or as it was shown."""
    from capbox.undo.history import STORE

    in_store = path.startswith(STORE) and not os.path.lexists(here / path)
    return one.in_stores(path) if in_store else [os.path.normpath(here / path)]


def _is_path(word: str, workspace: Path) -> bool:
    # What a run deleted is there no more, and is a path all the same.
    return _RUN.fullmatch(word) is None or os.path.lexists(workspace / word)


def _act(
    entry: Entry,
    run: str | None,
    workspace: Path,
    act: Callable[[Kept], Undone],
    as_json: bool,
) -> int:
    from capbox.undo.errors import UndoError

    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    try:
        one = named(entry, run, workspace)
        done = act(one)
    except UndoError as error:
        raise refused(error) from error
    except OSError as error:
        # What was done until then is on record, and the next undo goes on from there.
        message = f"{error}; what was done is kept, the same command goes on from there"
        raise CommandFailure("undo_failed", message, 1) from error
    if as_json:
        screen.json(_document(done))
    else:
        _tell(done, screen, one.shown)
    return 1 if done.left or done.missed else 0


def _document(done: Undone) -> JsonObject:
    return {
        "run": done.run,
        "done": [{"action": s.action, "path": s.path} for s in done.steps if s.action],
        "left": [{"path": s.path, "reason": s.reason} for s in done.left],
        "not_undoable": list(done.missed),
    }


def _tell(done: Undone, screen: Screen, shown: Callable[[str], str]) -> None:
    acts = [step for step in done.steps if step.action]
    for step in acts[:_SHOWN_MAX]:
        screen.line(f"{step.action:8}{shown(step.path)}".replace("\n", "\\n"))
    if len(acts) > _SHOWN_MAX:
        screen.line(f"... and {len(acts) - _SHOWN_MAX} more", "dim")
    for step in done.left:
        screen.say(f"left    {shown(step.path)}: {step.reason}", "yellow")
    for path in done.missed:
        screen.say(f"left    {shown(path)}: nothing had been saved of it", "red")
    if not acts and not done.left:
        screen.say(f"nothing of run {done.run} is left to take back")
    elif any("somebody else" in step.reason for step in done.left):
        screen.say("--force replaces what was changed since", "dim")
