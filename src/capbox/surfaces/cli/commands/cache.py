"""`capbox cache build|clear`: the compiled form of the shipped tools."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable


def commands(group: typer.Typer) -> typer.Typer:
    """Add the commands to `group`."""
    group.command("build")(build)
    group.command("clear")(clear)
    return group


def build(ctx: typer.Context) -> int:
    """Compile the tools for this machine, so that no call waits for it. Quick when it is done."""
    import anyio

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    anyio.run(_build, entry, screen.say)
    screen.say(f"compiled tools are ready in {entry.home().cache}")
    return 0


async def _build(entry: Entry, report: Callable[[str], None]) -> None:
    from capbox.sandbox.cache import CacheError

    async with entry.open_engine(report, False) as engine:
        try:
            await engine.compile_tools()
        except CacheError as error:
            raise CommandFailure("sandbox_failed", str(error), 5) from error


def clear(ctx: typer.Context) -> int:
    """Remove compiled tools; the next call compiles them again."""
    from capbox.authority.paths import HostPath
    from capbox.sandbox.cache import CacheError, CompileCache

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    try:
        count = CompileCache(HostPath(str(entry.home().cache / "compiled")), screen.say).clear()
    except CacheError as error:
        raise CommandFailure("sandbox_failed", str(error), 5) from error
    screen.say(f"removed {count} compiled {'tool' if count == 1 else 'tools'}")
    return 0
