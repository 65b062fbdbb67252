"""`capbox cache build|show|prune|clear`: the compiled form of tools, and what it takes on disk."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from capbox.sandbox.cache import CompileCache

_STALE = "no tool that is here: another version, or one that was removed"


def commands(group: typer.Typer) -> typer.Typer:
    """Add the commands to `group`."""
    group.command("build")(build)
    group.command("show")(show)
    group.command("prune")(prune)
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


def show(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """Show what is compiled: for which tools, and how many bytes it takes."""
    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    held = _held(entry)
    if as_json:
        screen.json(
            [{"file": str(one.files[0]), "bytes": one.size, "tools": [*one.tools]} for one in held]
        )
        return 0
    if not held:
        screen.say("nothing is compiled; `capbox cache build` does it now")
        return 0
    rows = [(_shown(one.size), ", ".join(one.tools) or _STALE) for one in held]
    screen.table(("size", "of"), rows)
    screen.say(f"{_shown(sum(one.size for one in held))} in {entry.home().cache / 'compiled'}")
    if not all(one.tools for one in held):
        screen.say("`capbox cache prune` removes what no tool uses")
    return 0


def prune(ctx: typer.Context) -> int:
    """Remove what no tool uses that is here now: other versions, tools that were removed."""
    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    unused = [one for one in _held(entry) if not one.tools]
    for one in unused:
        for file in one.files:
            file.unlink(missing_ok=True)
    what = f"{len(unused)} compiled {'tool' if len(unused) == 1 else 'tools'}"
    freed = f", {_shown(sum(one.size for one in unused))}" if unused else ""
    screen.say(f"removed {what}{freed}")
    return 0


def clear(ctx: typer.Context) -> int:
    """Remove compiled tools; the next call compiles them again."""
    from capbox.sandbox.cache import CacheError

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    try:
        count = _cache(entry).clear()
    except CacheError as error:
        raise CommandFailure("sandbox_failed", str(error), 5) from error
    screen.say(f"removed {count} compiled {'tool' if count == 1 else 'tools'}")
    return 0


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A compiled guest, and the tools whose code it is; none: no tool that is here."""

    files: tuple[Path, ...]
    size: int
    tools: tuple[str, ...]


def _held(entry: Entry) -> list[_Compiled]:
    from capbox.sandbox.cache import CacheError, guest_name, names
    from capbox.tools.available import available

    users: dict[str, list[str]] = {}
    registry = available(entry.guests(), entry.home().tools)
    for name, found in sorted(registry.tools.items()):
        for file in names(found.module):
            users.setdefault(file, []).append(name)
    try:
        files = _cache(entry).held()
    except CacheError as error:
        raise CommandFailure("sandbox_failed", str(error), 5) from error
    parts: dict[str, list[Path]] = {}
    for part in files:
        parts.setdefault(guest_name(part), []).append(part)
    return [
        _Compiled(tuple(of), sum(f.stat().st_size for f in of), tuple(users.get(name, ())))
        for name, of in parts.items()
    ]


def _cache(entry: Entry) -> CompileCache:
    from capbox.authority.paths import HostPath
    from capbox.sandbox.cache import CompileCache

    return CompileCache(HostPath(str(entry.home().cache / "compiled")), lambda _: None)


def _shown(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
