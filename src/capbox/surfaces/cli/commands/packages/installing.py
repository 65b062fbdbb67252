"""`capbox pkg install|update|remove`: a stranger's tool, after a person has seen what it asks for.

Guarantees: nothing is granted by installing: a run grants, as for any tool. Does not: run it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import Json
from capbox.surfaces.cli.commands.packages.shop import Login, ending, screen_of, workshop
from capbox.surfaces.cli.commands.packages.shown import Asking, compared, rows
from capbox.surfaces.cli.commands.packages.shown import as_json as described
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.tools.packages.installing.install import Workshop
    from capbox.tools.packages.installing.place import Installed
    from capbox.tools.packages.installing.plan import Plan
    from capbox.tools.packages.problem import PackageError

Yes = Annotated[bool, typer.Option("--yes", help="Say yes to what it requests, unasked.")]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="G",
        help='Accept this of what it requests, and no more: "read:/workspace". '
        "nothing: none of it. Repeatable.",
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="SHA256:...", help="The publisher's key must be this, also a new one."
    ),
]
Unsigned = Annotated[bool, typer.Option("--unsigned", help="Take one that nobody has signed.")]
Downgrade = Annotated[bool, typer.Option("--allow-downgrade", help="Take an older version.")]
LockFile = Annotated[Path, typer.Option("--lock", metavar="FILE", help="Default: capbox.lock.")]


def install(
    ctx: typer.Context,
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="A folder .oci, or oci://...")
    ] = None,
    *,
    yes: Yes = False,
    only: Only = None,
    key: Key = None,
    unsigned: Unsigned = False,
    downgrade: Downgrade = False,
    locked: Annotated[
        bool, typer.Option("--locked", help="Install exactly what capbox.lock pins.")
    ] = False,
    lock: LockFile = Path("capbox.lock"),
    login: Login = None,
    as_json: AsJson = False,
) -> int:
    """Install a package: you see what it requests and the worst it could do, and say yes or no.

    Accepted requests are the most that a run may ever give it; installing grants nothing. Exit
    codes: 0 ok, 1 a bad package, or it cannot be had, 2 usage, 3 refused, 5 not compiled.
    """
    from capbox.tools.packages.installing.lock import read
    from capbox.tools.packages.installing.plan import Wishes
    from capbox.tools.packages.remote.reference import source as place

    if (source is None) != locked:
        raise usage("one of SOURCE and --locked is expected")
    screen = screen_of(ctx)
    wishes = Wishes(key, unsigned, downgrade, None if only is None else tuple(only))
    asking = Asking(screen, yes=yes, quiet=as_json)
    done: list[tuple[Plan, Installed]] = []
    with ending():
        from capbox.tools.packages.installing.install import install as installed

        typed = None if source is None else place(source)
        shop = workshop(ctx.obj, screen.say, login, typed)
        if typed is not None:
            done.append(installed(shop, typed, wishes, asking))
        else:
            for one in read(lock):
                where = one.place(lock.parent)
                done.append(installed(shop, where, wishes, asking, expected=one.expect))
    return _tell(screen, done, as_json=as_json)


def update(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="As alice/hello.")] = None,
    *,
    origin: Annotated[
        str | None, typer.Option("--from", metavar="SOURCE", help="A folder .oci, or oci://...")
    ] = None,
    yes: Yes = False,
    only: Only = None,
    key: Key = None,
    unsigned: Unsigned = False,
    downgrade: Downgrade = False,
    login: Login = None,
    as_json: AsJson = False,
) -> int:
    """Update one package, or all, to the newest version where it came from.

    You are asked if it requests more than before; if you refuse, or anything fails, the old
    one stays. Exit codes: 0 ok, 1 a bad package, or it cannot be had, 2 usage, 3 refused, 5 not
    compiled.
    """
    from capbox.tools.packages.installing.plan import Wishes
    from capbox.tools.packages.problem import PackageError

    if name is None and (origin is not None or only is not None or key is not None):
        raise usage("--from, --only and --key are for one package: name it")
    screen = screen_of(ctx)
    wishes = Wishes(key, unsigned, downgrade, None if only is None else tuple(only))
    asking = Asking(screen, yes=yes, quiet=as_json)
    done: list[tuple[Plan, Installed]] = []
    with ending():
        from capbox.tools.packages.installing.install import update as updated
        from capbox.tools.packages.remote.reference import source as place

        typed = None if origin is None else place(origin)
        shop = workshop(ctx.obj, screen.say, login, typed)
        found = _named(shop, name)
    failed: list[CommandFailure] = []
    for one in found:
        try:
            with ending():
                if isinstance(one, PackageError):
                    raise one
                done.append(updated(shop, one, wishes, asking, origin=origin))
        except CommandFailure as failure:
            failed.append(failure)
    if failed and name is not None:
        raise failed[0]
    # One that cannot be updated, or read, keeps no other from it.
    return _tell(screen, done, failed, as_json=as_json)


def remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As alice/hello.")],
    *,
    as_json: AsJson = False,
) -> int:
    """Remove an installed package. Its publisher's key stays known.

    Exit codes: 0 ok, 1 it cannot be removed, 2 usage.
    """
    from capbox.tools.packages.names import package_name

    screen = screen_of(ctx)
    with ending():
        from capbox.tools.packages.installing.install import remove as removed

        shop = workshop(ctx.obj, screen.say)
        removed(shop.place, package_name(name))
    if as_json:
        screen.json({"removed": name})
    else:
        screen.line(f"removed {name}")
    return 0


def _named(shop: Workshop, name: str | None) -> Sequence[Installed | PackageError]:
    """Return the packages to update, and why one cannot be. Raises PackageError."""
    from capbox.tools.packages.names import package_name
    from capbox.tools.packages.problem import PackageError

    if name is None:
        return shop.place.installed()
    one = shop.place.get(package_name(name))
    if one is None:
        raise PackageError(name, "is not installed", "see: capbox pkg list", kind="usage")
    return [one]


def _tell(
    screen: Screen,
    done: list[tuple[Plan, Installed]],
    failed: Sequence[CommandFailure] = (),
    *,
    as_json: bool,
) -> int:
    """Say what was done, and what was not; return the exit code."""
    code = failed[0].exit_code if failed else 0
    if as_json:
        listed: list[Json] = [
            {**described(plan), "tool": one.package.tool, "tool_digest": one.tool}
            for plan, one in done
        ]
        wrong: list[Json] = [{"code": why.code, "message": why.message} for why in failed]
        screen.json({"installed": listed, **({"failed": wrong} if wrong else {})})
        return code
    for plan, one in done:
        tool = one.package.tool
        if plan.same:
            screen.line(f"{one.name} {one.version} is installed already")
        elif plan.before is None:
            screen.line(f"installed {one.name} {one.version}: capbox tool show {tool}")
        else:
            if not plan.asks:
                for line, style in rows(compared(plan), screen.narrowest):
                    screen.say(line, style)
            screen.line(f"updated {one.name} {plan.before.version} -> {one.version}")
    if not done and not failed:
        screen.say("no package is installed", "dim")
    for why in failed:
        screen.say(f"capbox: {why.message}", "red")
    return code
