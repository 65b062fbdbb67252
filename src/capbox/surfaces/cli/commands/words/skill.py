"""`capbox skill list|show`: the skills that a run here could use. Runs nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import Json
from capbox.surfaces.cli.commands.words.chosen import reader_of
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.flags import words
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.engine.instructions.reader import Reader
    from capbox.engine.skills.skill import Skill


def commands(group: typer.Typer) -> typer.Typer:
    """Add the commands to `group`."""
    group.command("list")(list_)
    group.command("show")(show)
    return group


def list_(
    ctx: typer.Context, *, workspace: words.Workspace = Path(), as_json: words.AsJson = False
) -> int:
    """List the skills: those of this folder, yours, and capbox's own.

    The nearest of one name counts; what is left out is told with the reason.
    """
    from capbox.engine.skills.shelf import shelf_of

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    shelf = shelf_of(entry.home().config, _reader(entry, workspace, screen))
    if as_json:
        screen.json(
            {
                "skills": [_row(one) for one in shelf.skills],
                "hidden": [_row(one) for one in shelf.hidden],
                "unusable": [{"path": u.path, "reason": u.reason} for u in shelf.unusable],
            }
        )
        return 0
    rows = [(one.name, one.kind, one.description) for one in shelf.skills]
    screen.table(("skill", "from", "what it is for"), rows)
    for note in shelf.notes():
        screen.say(note, "yellow")
    return 0


def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    workspace: words.Workspace = Path(),
    as_json: words.AsJson = False,
) -> int:
    """Show one skill: what it asks for, its files and its text.

    workspace:NAME, user:NAME and capbox:NAME are those of one place, also when they are hidden.
    """
    from capbox.engine.skills.bundled import files_of
    from capbox.engine.skills.shelf import shelf_of

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    reader = _reader(entry, workspace, screen)
    found = shelf_of(entry.home().config, reader).named(name, "capbox skill show")
    files = files_of(found, reader)
    if as_json:
        screen.json(
            {
                **_row(found),
                "license": found.license,
                "compatibility": found.compatibility,
                "argument_hint": found.argument_hint,
                "arguments": list(found.arguments),
                "allowed_tools": list(found.allowed_tools),
                "metadata": dict(found.metadata),
                "files": list(files),
                "text": found.body,
            }
        )
        return 0
    screen.line(f"{found.name} {found.argument_hint}".strip(), "bold")
    screen.paragraph(found.description)
    told = (
        ("from", f"{found.kind}, {found.path}"),
        ("license", found.license),
        ("compatibility", found.compatibility),
        ("asks for", " ".join(found.allowed_tools)),
        ("files", ", ".join(files)),
    )
    for title, value in told:
        if value:
            screen.paragraph(f"{title}: {value}", hang=2)
    screen.line("")
    screen.result(found.body)
    return 0


def _reader(entry: Entry, workspace: Path, screen: Screen) -> Reader | None:
    """Return what reads the skills of this folder for the person, who may read all of it.

    None, and a word on it, where the folder cannot be a workspace, as a home directory cannot.
    """
    from capbox.engine.settings import Settings, SettingsError

    here = Settings(workspace=workspace, environ=entry.environ, grants=("read:/workspace",))
    try:
        return reader_of(entry, here)
    except SettingsError as error:
        screen.say(f"no skills of this folder: {error}", "yellow")
        return None


def _row(one: Skill) -> dict[str, Json]:
    return {
        "name": one.name,
        "description": one.description,
        "from": one.kind,
        "path": one.path,
        "untrusted": not one.trusted,
    }
