"""`capbox pkg list|lock`: what is installed, and a file that pins it for a project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import Json
from capbox.surfaces.cli.commands.packages.installing import LockFile
from capbox.surfaces.cli.commands.packages.shop import ending, screen_of, workshop
from capbox.surfaces.cli.failures import CommandFailure
from capbox.surfaces.cli.flags.words import AsJson

if TYPE_CHECKING:
    from capbox.tools.packages.installing.place import Installed


def list_(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """List the installed packages: version, publisher's key, and what was accepted.

    Exit codes: 0 ok, 1 one of them is damaged.
    """
    from capbox.tools.packages.installing.loading import unusable
    from capbox.tools.packages.installing.place import Installed

    screen = screen_of(ctx)
    with ending():
        shop = workshop(ctx.obj, screen.say)
        found = shop.place.installed()
        bad = unusable(shop.place.root)
    good = [one for one in found if isinstance(one, Installed)]
    if as_json:
        listed: list[Json] = [_described(one) for one in good]
        problems: list[Json] = [{"where": one.where, "message": one.message} for one in bad]
        screen.json({"packages": listed, "unusable": problems})
    else:
        rows = [(o.name, o.version, o.key or "not signed", _accepted(o)) for o in good]
        if rows:
            screen.table(("package", "version", "key", "may request"), rows)
        elif not bad:
            screen.say("no package is installed", "dim")
        for one in bad:
            screen.say(f"{one.where}: {one.message}", "red")
    return 1 if bad else 0


def lock(
    ctx: typer.Context,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether it fits what is installed.")
    ] = False,
    file: LockFile = Path("capbox.lock"),
    as_json: AsJson = False,
) -> int:
    """Pin the installed packages by digest in capbox.lock, for `install --locked`.

    Exit codes: 0 ok, 1 what is installed is not what it pins, 2 usage.
    """
    from capbox.tools.packages.installing.lock import locked, read, written
    from capbox.tools.packages.installing.place import Installed

    screen = screen_of(ctx)
    with ending():
        shop = workshop(ctx.obj, screen.say)
        there_now = (one for one in shop.place.installed() if isinstance(one, Installed))
        found = [locked(one, file.absolute().parent) for one in there_now]
        if check:
            pinned = {(one.name, one.version, one.digest) for one in read(file)}
            there = {(one.name, one.version, one.digest) for one in found}
            missing = sorted(pinned - there)
            if missing:
                words = ", ".join(f"{name} {version}" for name, version, _ in missing)
                reason = f"{file} pins what is not installed: {words}"
                raise CommandFailure("not_found", f"{reason}: capbox pkg install --locked", 1)
        else:
            file.write_text(written(found), encoding="utf-8")
    if as_json:
        screen.json({"file": str(file), "packages": [one.name for one in found]})
    elif check:
        screen.line(f"{file} fits what is installed")
    else:
        screen.line(f"wrote {file}: {len(found)} package{'' if len(found) == 1 else 's'}")
    return 0


def _accepted(one: Installed) -> str:
    return ", ".join(one.accepted) or "nothing"


def _described(one: Installed) -> Json:
    return {
        "name": one.name,
        "version": one.version,
        "digest": one.digest,
        "tool": one.package.tool,
        "tool_digest": one.tool,
        "source": one.source,
        "key": one.key or None,
        "accepted": list(one.accepted),
        "installed": one.at,
    }
