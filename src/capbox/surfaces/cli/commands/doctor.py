"""`capbox doctor`: whether capbox can run here, and which walls stand.

Guarantees: one line a wall and a dependency, with why and what it means; exit code 0 exactly if a
tool call can be made, which is tried. Does not: change anything but what any call would (make the
directories, compile the tools, record the call it tries).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.messages import ToolResult
    from capbox.surfaces.cli.commands.checks import Check

NOTES = (
    "A grant on a single file is kept by the WASM wall: Landlock is given its parent directory, "
    "because a rule on the file alone would break replacing it.",
    "Exclusions (.env, private keys, .git/hooks ...) inside a granted directory are kept by the "
    "WASM wall alone: Landlock knows directories, not names.",
)
_STYLES = {"up": "green", "warn": "yellow", "down": "bold red"}


def doctor(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """Say whether capbox can run here, and why.

    A line a wall and a dependency: its state, why, and what that means.

    Exit code 0 if capbox can run here, else 1.
    """
    from capbox.surfaces.cli.commands.checks import examine

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    checks = list(examine(entry.home(), entry.guests()))
    checks.append(_tried(entry, checks, screen))
    able = not any(check.stops for check in checks)
    if as_json:
        screen.json(
            {"ok": able, "checks": [check.to_json() for check in checks], "notes": list(NOTES)}
        )
    else:
        _show(checks, able, screen)
    return 0 if able else 1


def _show(checks: list[Check], able: bool, screen: Screen) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        line = f"{check.state:<5} {check.name.ljust(width)}  {check.why}"
        screen.line(line, "" if check.state == "up" else _STYLES[check.state])
        if check.means:
            screen.line(f"{'':<5} {'':<{width}}  {check.means}", "dim")
    screen.line("")
    for note in NOTES:
        screen.paragraph(f"note: {note}", "dim", hang=6)
    screen.line("")
    if able:
        missing = [check.name for check in checks if check.wall and check.state == "down"]
        stands = f"without these walls: {', '.join(missing)}" if missing else "behind both walls"
        screen.line(f"capbox can run here, {stands}.", "yellow" if missing else "green")
    else:
        screen.line("capbox cannot run here: see what is down above.", "bold red")


def _tried(entry: Entry, checks: list[Check], screen: Screen) -> Check:
    """Make one real call that holds nothing, unless it is clear that it cannot work."""
    from capbox.surfaces.cli.commands.checks import Check

    if any(check.stops for check in checks):
        return Check("a tool call", "down", "not tried: something it needs is down", needed=True)
    import anyio

    with tempfile.TemporaryDirectory(prefix="capbox-doctor-") as folder:
        result = anyio.run(_call, entry, Path(folder), screen)
    if result.ok:
        return Check("a tool call", "up", f"works ({result.spent.wall_ms} ms in the sandbox)")
    said = result.error.message if result.error is not None else "no reason was given"
    return Check("a tool call", "down", said, "no tool can run", needed=True)


async def _call(entry: Entry, folder: Path, screen: Screen) -> ToolResult:
    from capbox.engine.settings import Settings

    async with (
        entry.open_engine(screen.say, False) as engine,
        entry.open_session(engine, Settings(workspace=folder), None) as session,
    ):
        return await session.call("bash", {"script": "true"})
