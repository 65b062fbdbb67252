"""`capbox workspace list|add|show|remove`: folders with a name and settings of their own."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import Json
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.flags import words
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.engine.workspaces.register import Workspaces
    from capbox.engine.workspaces.registered import Registered

Name = Annotated[str, typer.Argument(metavar="NAME")]
Called = Annotated[
    str | None, typer.Option("--name", metavar="N", help="Its name. Default: the folder's.")
]
Instructions = Annotated[
    str | None,
    typer.Option("--instructions", metavar="TEXT", help="What every run there is told."),
]


def commands(group: typer.Typer) -> typer.Typer:
    """Add the commands to `group`."""
    group.command("list")(list_)
    group.command("add")(add)
    group.command("show")(show)
    group.command("remove")(remove)
    return group


def list_(ctx: typer.Context, *, as_json: words.AsJson = False) -> int:
    """List the workspaces: name, folder, and whether that is still the one registered."""
    from capbox.engine.workspaces.register import is_there

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    ones = _workspaces(entry).all()
    if as_json:
        screen.json([_described(one) for one in ones])
        return 0
    rows = [
        (one.name, one.bound.path, ", ".join(one.grants) or "-", "" if is_there(one) else "lost")
        for one in ones
    ]
    screen.table(("workspace", "folder", "grants", ""), rows)
    return 0


def add(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH")],
    *,
    name: Called = None,
    grant: words.Grants = None,
    model: words.ModelSpec = None,
    style: words.Style = None,
    instructions: Instructions = None,
    budget: words.RunBudget = None,
    as_json: words.AsJson = False,
) -> int:
    """Register a folder, or change what is registered: only what a flag says changes.

    capbox run in it, or -w NAME anywhere, then has these grants, model, style, budget and
    instructions where no flag of its own says otherwise.
    """
    from capbox.engine.budgets.texts import read_flags
    from capbox.engine.instructions.own import style as known_style

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    workspaces = _workspaces(entry)
    old = workspaces.add(path, name)
    if style is not None:
        known_style(style, entry.home().config)
    one = replace(
        old,
        grants=old.grants if grant is None else tuple(grant),
        model=old.model if model is None else model or None,
        style=old.style if style is None else style,
        instructions=old.instructions if instructions is None else instructions,
        budget=old.budget if budget is None else dict(read_flags(budget)),
    )
    if one.grants:
        # What can never be granted there is said now, not at the next run.
        from capbox.engine.settings import Settings

        here = Settings(workspace=Path(one.bound.path), grants=one.grants, environ=entry.environ)
        entry.hold(here)
    workspaces.keep(one)
    if as_json:
        screen.json(_described(one))
    else:
        screen.line(f"{one.name}: {one.bound.path}")
    return 0


def show(ctx: typer.Context, name: Name, *, as_json: words.AsJson = False) -> int:
    """Show the settings of one workspace."""
    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    one = _workspaces(entry).named(name, "capbox workspace show")
    if as_json:
        screen.json(_described(one))
        return 0
    screen.line(one.name, "bold")
    told = (
        ("folder", one.bound.path),
        ("grants", ", ".join(one.grants) or "none"),
        ("model", one.model or ""),
        ("style", one.style or ""),
        ("budget", ", ".join(f"{key}={amount:g}" for key, amount in one.budget.items())),
        ("instructions", one.instructions),
    )
    for title, value in told:
        if value:
            screen.paragraph(f"{title}: {value}", hang=2)
    return 0


def remove(ctx: typer.Context, name: Name, *, as_json: words.AsJson = False) -> int:
    """Forget a workspace and its settings. The folder and its files stay."""
    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    gone = _workspaces(entry).remove(name)
    if as_json:
        screen.json(_described(gone))
    else:
        screen.line(f"{gone.name} is forgotten; {gone.bound.path} is as it was")
    return 0


def _workspaces(entry: Entry) -> Workspaces:
    from capbox.engine.workspaces.register import Workspaces

    return Workspaces(entry.home())


def _described(one: Registered) -> dict[str, Json]:
    from capbox.engine.workspaces.register import is_there

    return {
        "name": one.name,
        "path": one.bound.path,
        "there": is_there(one),
        "grants": list(one.grants),
        "model": one.model,
        "style": one.style,
        "instructions": one.instructions,
        "budget": dict(one.budget),
    }
