"""`capbox python add|list|remove`: packages of pure Python for the tool `python`.

Guarantees: what went wrong names the package and what to do, and leaves what was there. Does not:
grant: a package runs in the programs that import it, with what their run holds.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import Json
from capbox.surfaces.cli.commands.building.project import workshop_of
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, stored, usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.tools.registry import Found
    from capbox.tools.wheels.adding import Bench
    from capbox.tools.wheels.place import Packages


def commands(group: typer.Typer) -> typer.Typer:
    """Add the commands to `group`."""
    group.command("add")(add)
    group.command("list")(list_)
    group.command("remove")(remove)
    return group


def add(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME[==VERSION]]...", show_default=False)
    ] = None,
    *,
    as_json: AsJson = False,
) -> int:
    """Add packages of pure Python to the tool python, pinned by digest, with what they need.

    Without a name: pack anew what was added, after capbox was updated.
    """
    from capbox.tools.wheels.adding import add as added

    screen = _screen(ctx)
    with _told():
        packages = added(_bench(ctx.obj, screen), names or ())
    return _tell(ctx.obj, packages, screen, as_json=as_json)


def list_(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """List the packages of the tool python: version, and the SHA-256 of each wheel.

    Exit codes: 0 ok, 1 they cannot be used.
    """
    from capbox.tools.wheels.place import Packages, Place

    entry, screen = ctx.obj, _screen(ctx)
    with _told():
        packages = Place(entry.home().tools).read() or Packages()
    return _tell(entry, packages, screen, as_json=as_json)


def remove(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", show_default=False)
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All, also damaged ones.")] = False,
    as_json: AsJson = False,
) -> int:
    """Remove packages from the tool python, and what only they needed."""
    from capbox.tools.wheels.adding import clear
    from capbox.tools.wheels.adding import remove as removed
    from capbox.tools.wheels.place import Packages

    screen = _screen(ctx)
    if everything is bool(names):
        raise usage("name the packages to remove, or say --all; see: capbox python list")
    with _told():
        bench = _bench(ctx.obj, screen)
        if everything:
            clear(bench.place)
        packages = Packages() if everything else removed(bench, names or ())
    return _tell(ctx.obj, packages, screen, as_json=as_json)


def _tell(entry: Entry, packages: Packages, screen: Screen, *, as_json: bool) -> int:
    from capbox.tools.sdk.python.resolving import plain

    found, problem = _tool(entry)
    asked = {plain(one.partition("==")[0]) for one in packages.asked}
    if as_json:
        listed: list[Json] = [
            {
                "name": one.package,
                "version": one.version,
                "wheel": one.file,
                "sha256": one.sha256,
                "asked": one.package in asked,
            }
            for one in packages.wheels
        ]
        digest = None if found is None else found.digest
        screen.json({"packages": listed, "tool_digest": digest, "unusable": problem or None})
    elif packages.wheels:
        rows = [
            (w.package, w.version, "" if w.package in asked else "needed", w.sha256[:16])
            for w in packages.wheels
        ]
        screen.table(("package", "version", "", "sha256"), rows)
    else:
        screen.say("no package is added; the tool python has the standard library", "dim")
    if problem and not as_json:
        screen.say(problem, "red")
    return 1 if problem else 0


def _tool(entry: Entry) -> tuple[Found | None, str]:
    from capbox.tools.available import available

    registry = available(entry.guests(), entry.home().tools)
    found = registry.tools.get("python")
    if found is not None:
        return found, ""
    here = (*registry.errors, *registry.unusable)
    return None, "; ".join(f"{one.where}: {one.message}" for one in here)


def _bench(entry: Entry, screen: Screen) -> Bench:
    from capbox.tools.wheels.adding import Bench
    from capbox.tools.wheels.place import Place

    home = entry.home()
    workshop = workshop_of(entry, screen)
    return Bench(Place(home.tools), workshop, entry.guests(), home.cache)


def _screen(ctx: typer.Context) -> Screen:
    entry: Entry = ctx.obj
    return Screen(sys.stdout, sys.stderr, entry.environ)


@contextmanager
def _told() -> Generator[None]:
    """End a command where a package is at fault. Raises CommandFailure."""
    from capbox.tools.sdk.project import BuildError

    try:
        with stored():
            yield
    except BuildError as error:
        raise CommandFailure("bad_package", str(error), 1) from error
