"""`capbox diff`: what a run has changed, as a difference to the tree before it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import JsonObject
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.flags import words
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.undo.history import Kept

Run = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN]", help="A run id, or its beginning; without it, this workspace's last run."
    ),
]


def diff(
    ctx: typer.Context,
    run: Run = None,
    *,
    workspace: words.Workspace = Path(),
    stat: Annotated[bool, typer.Option("--stat", help="One line for each change.")] = False,
    as_json: words.AsJson = False,
) -> int:
    """Show what a run has changed, and is not undone.

    Example: capbox diff --stat

    Exit codes: 0 shown, also if there is nothing; 1 nothing is saved of that run, or its
    record is broken; 2 usage.
    """
    from capbox.surfaces.cli.commands.audit import believed
    from capbox.undo.changes import changes, missed
    from capbox.undo.diff import to_json, told
    from capbox.undo.errors import UndoError

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    try:
        one = named(entry, run, workspace)
        found, lost = changes(one), missed(one)
    except UndoError as error:
        raise refused(error) from error
    sound = believed(entry, one.run, screen)
    if as_json:
        document: JsonObject = {
            "run": one.run,
            "workspace": one.workspace,
            "changes": [to_json(one, change) for change in found],
            "not_undoable": list(lost),
        }
        screen.json(document)
        return 0 if sound else 1
    for change in found:
        for line, style in told(one, change, stat=stat):
            screen.line(_flat(line), style)
    for path in lost:
        screen.line(f"unsaved {_flat(one.shown(path))}", "yellow")
    if not found and not lost:
        screen.say(f"nothing that run {one.run} changed is left")
    return 0 if sound else 1


def named(entry: Entry, run: str | None, workspace: Path) -> Kept:
    """Return the run that is meant. Raises UndoError, CommandFailure."""
    from capbox.undo.history import find

    if not workspace.is_dir():
        raise usage(f"--workspace {workspace}: there is no such folder")
    return find(entry.home().state / "undo", run, str(workspace.resolve()))


def refused(error: Exception) -> CommandFailure:
    """Return what an UndoError means for the command line."""
    return CommandFailure("not_found", str(error), 1)


def _flat(line: str) -> str:
    """Spell out line ends: a name with one could pass for a line of the diff."""
    return line.replace("\n", "\\n").replace("\r", "\\r")
