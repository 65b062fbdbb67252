"""`capbox store list|remove`: the private directories that tools keep from call to call.

Guarantees: nothing else removes one; one that a run has is left as it is. Does not: show what is
in them: that is a tool's own.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.sink import one_line

if TYPE_CHECKING:
    from capbox.engine.stored.kept import Kept

_UNKNOWN = "not known"


def commands(group: typer.Typer) -> typer.Typer:
    """Add the commands to `group`."""
    group.command("list")(list_)
    group.command("remove")(remove)
    return group


def list_(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """List what tools keep, whose it is, and its size."""
    from capbox.engine.stored.kept import kept
    from capbox.tools.available import available

    entry, screen = _opened(ctx)
    stores = kept(entry.home().stores)
    tools = available(entry.guests(), entry.home().tools).tools
    here = {found.digest for found in tools.values()}
    if as_json:
        screen.json(
            [
                {
                    "id": one.id,
                    "store": one.name,
                    "tool": one.tool or None,
                    "digest": one.digest or None,
                    "installed": one.digest in here,
                    "workspace": one.workspace or None,
                    "bytes": one.size(),
                }
                for one in stores
            ]
        )
        return 0
    if not stores:
        screen.say("no tool keeps anything")
        return 0
    rows = [
        (
            one.id,
            one.name,
            _tool(one, one.digest in here, one.tool in tools),
            one_line(one.workspace, 200) or _UNKNOWN,
            _size(one),
        )
        for one in stores
    ]
    screen.table(("id", "store", "tool", "workspace", "size"), rows)
    screen.say("`capbox store remove ID` removes one for good")
    return 0


def remove(
    ctx: typer.Context,
    store: Annotated[str, typer.Argument(metavar="ID", help="Its id, or its name if only one.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Remove what a tool keeps, for good.

    `capbox undo` does not bring it back.

    Exit codes: 0 removed, 2 usage, 3 a run has it, 130 not removed after all.
    """
    from capbox.engine.stored.kept import kept
    from capbox.engine.stored.kept import remove as removed

    entry, screen = _opened(ctx)
    named = [one for one in kept(entry.home().stores) if store in (one.id, one.name)]
    if len(named) != 1:
        ids = ", ".join(one.id for one in named)
        reason = f"are {len(named)} of that name; say which: {ids}" if named else "is no such store"
        raise usage(f"{store}: there {reason}; see: capbox store list")
    (one,) = named
    of = one_line(
        f"{one.name} of {one.tool or 'a tool'} in {one.workspace or 'a folder unknown'}", 200
    )
    if not yes and not _sure(f"{of}, {_size(one)}", screen):
        screen.say("nothing was removed")
        return 130
    try:
        gone = removed(entry.home().stores, one)
    except OSError as error:
        raise CommandFailure("failed", f"{one.path}: {error.strerror}", 1) from error
    if not gone:
        raise CommandFailure("held", f"a run that goes on has {of}; see: capbox ps", 3)
    screen.say(f"removed {of}")
    return 0


def _sure(shown: str, screen: Screen) -> bool:
    import anyio

    from capbox.surfaces.cli.terminal import Terminal, is_terminal

    if not is_terminal():
        raise usage("nobody can be asked here; --yes removes it without a question")
    answer = anyio.run(lambda: Terminal(screen).ask(f"remove {shown}? [y/N] ", fresh=True))
    return (answer or "").strip().lower() in ("y", "yes")


def _tool(one: Kept, is_here: bool, has_name: bool) -> str:
    if not one.tool:
        return _UNKNOWN
    if is_here:
        return one.tool
    return f"{one.tool} ({'another version' if has_name else 'not installed'})"


def _size(one: Kept) -> str:
    size = one.size()
    return "too much to count" if size is None else f"{size / 1e6:,.1f} MB"


def _opened(ctx: typer.Context) -> tuple[Entry, Screen]:
    entry: Entry = ctx.obj
    return entry, Screen(sys.stdout, sys.stderr, entry.environ)
