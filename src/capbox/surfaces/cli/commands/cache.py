"""`capbox cache build|show|prune|clear`: what capbox keeps to be quicker, and its size on disk.

Compiled tools, and what building tools of one's own leaves. Guarantees: nothing is pruned that a
running build uses, or a compiler that is at work; what was used in the last days stays, since the
tool of a folder (`capbox call ./DIR`) is installed nowhere.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from capbox.messages import JsonObject
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, stored
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from capbox.sandbox.cache import CompileCache

_NOW = "being compiled"
_STALE = "no tool that is installed: of a folder, another version, or one that was removed"
_DAYS = 7  # as precise as the file system's times of access, a day


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
    async with entry.open_engine(report, False) as engine:
        with stored():
            await engine.compile_tools()


def show(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """Show what is compiled, for which tools, and what building has left; with their sizes."""
    import time

    from capbox.tools.sdk.building.keeping import kept
    from capbox.tools.sdk.building.toolchain import PACKAGES

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    held, left = _held(entry), kept(entry.home().cache, PACKAGES, time.time())
    if as_json:
        screen.json(
            [
                *(_entry("compiled", c.files[0], c.size, not c.unused, *c.tools) for c in held),
                *(_entry(k.kind, k.paths[0], k.size, not k.unused) for k in left),
            ]
        )
        return 0
    if not held:
        screen.say("nothing is compiled; `capbox cache build` does it now")
    rows = [(_shown(c.size), ", ".join(c.tools) or _NOW) for c in held if c.tools or c.made]
    rest = [one for one in held if not one.tools and not one.made]
    for unused, when in ((False, "used in the last"), (True, "not used for")):
        if sizes := [one.size for one in rest if one.unused is unused]:
            rows.append((_shown(sum(sizes)), f"{_STALE}, {when} {_DAYS} days: {len(sizes):,}"))
    rows += [(_shown(k.size), k.of + (f": {k.unused}" if k.unused else "")) for k in left]
    if rows:
        screen.table(("size", "of"), rows)
        total = sum(one.size for one in held) + sum(one.size for one in left)
        screen.say(f"{_shown(total)} in {entry.home().cache}")
    if any(one.unused for one in held) or any(one.unused for one in left):
        screen.say("`capbox cache prune` removes what is not used")
    return 0


def _entry(kind: str, file: Path, size: int, used: bool, *tools: str) -> JsonObject:
    return {"file": str(file), "kind": kind, "bytes": size, "used": used, "tools": [*tools]}


def prune(ctx: typer.Context) -> int:
    """Remove what no tool uses that is here now, and what building left and nobody needs.

    Compiled code that was used in the last 7 days stays: of tools in folders, nobody has a list.
    """
    import time

    from capbox.tools.sdk.building.keeping import prune as prune_built
    from capbox.tools.sdk.building.toolchain import PACKAGES

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    unused = [one for one in _held(entry) if one.unused]
    for one in unused:
        for file in one.files:
            file.unlink(missing_ok=True)
    what = f"{len(unused)} compiled {'tool' if len(unused) == 1 else 'tools'}"
    freed = f", {_shown(sum(one.size for one in unused))}" if unused else ""
    screen.say(f"removed {what}{freed}")
    try:
        left = prune_built(entry.home().cache, PACKAGES, time.time())
    except OSError as error:
        raise CommandFailure("sandbox_failed", str(error), 5) from error
    if left is None:
        screen.say("a tool is being built: what building keeps was left as it is")
    for gone in left or ():
        screen.say(f"removed {gone.of}: {gone.unused}, {_shown(gone.size)}")
    return 0


def clear(ctx: typer.Context) -> int:
    """Remove compiled tools; the next call compiles them again."""
    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    with stored():
        count = _cache(entry).clear()
    screen.say(f"removed {count} compiled {'tool' if count == 1 else 'tools'}")
    return 0


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A compiled guest, and the tools whose code it is; none: no tool that is here.

    `made`: it is being compiled; `unused`: nobody has needed it for days.
    """

    files: tuple[Path, ...]
    size: int
    tools: tuple[str, ...]
    made: bool
    unused: bool


def _held(entry: Entry) -> list[_Compiled]:
    from capbox.sandbox.cache import guest_name, names
    from capbox.tools.available import available

    users: dict[str, list[str]] = {}
    registry = available(entry.guests(), entry.home().tools)
    for name, found in sorted(registry.tools.items()):
        for file in names(found.module):
            users.setdefault(file, []).append(name)
    with stored():
        files = _cache(entry).held()
    parts: dict[str, list[Path]] = {}
    for part in files:
        parts.setdefault(guest_name(part), []).append(part)
    return [_compiled(of, users.get(name, [])) for name, of in parts.items()]


def _compiled(files: list[Path], tools: list[str]) -> _Compiled:
    import time

    from capbox.sandbox.cache import COMPILE_SECONDS_MAX

    found = [file.stat() for file in files if file.exists()]
    # A compiler that is at work writes here; one that was killed wrote before its time was up.
    half = any(".part" in file.name for file in files)
    age = time.time() - max((one.st_mtime for one in found), default=0.0)
    made = half and age < COMPILE_SECONDS_MAX
    idle = time.time() - max((max(one.st_mtime, one.st_atime) for one in found), default=0.0)
    unused = not tools and not made and (half or idle >= _DAYS * 86_400)
    return _Compiled(tuple(files), sum(one.st_size for one in found), tuple(tools), made, unused)


def _cache(entry: Entry) -> CompileCache:
    from capbox.authority.paths import HostPath
    from capbox.sandbox.cache import CompileCache

    return CompileCache(HostPath(str(entry.home().cache / "compiled")), lambda _: None)


def _shown(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
