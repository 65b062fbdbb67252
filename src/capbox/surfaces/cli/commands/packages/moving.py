"""`capbox pkg push|pull|search`: packages to a registry, from one, and what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capbox.messages import Json
from capbox.surfaces.cli.commands.packages.making import Layout, Out, Place
from capbox.surfaces.cli.commands.packages.shop import Login, access_of, ending, screen_of
from capbox.surfaces.cli.failures import CommandFailure
from capbox.surfaces.cli.flags.words import AsJson

_UNSIGNED = (
    "it is not signed: whoever installs it is refused, or says --unsigned and reads that anybody "
    "may have made it; capbox pkg sign, and push it again"
)


def push(
    ctx: typer.Context,
    package: Layout,
    to: Annotated[str, typer.Argument(metavar="REGISTRY", help="oci://HOST[:PORT][/PREFIX]")],
    *,
    login: Login = None,
    as_json: AsJson = False,
) -> int:
    """Publish a package in a registry, with its signature; a version is published once.

    It lies at REGISTRY/NAMESPACE/TOOL:VERSION. Exit codes: 0 ok, 1 it cannot be had or taken, 2
    usage, 3 refused.
    """
    from capbox.tools.packages.artefact import layout as layouts
    from capbox.tools.packages.artefact.package import as_json as described
    from capbox.tools.packages.artefact.package import read_package
    from capbox.tools.packages.remote.reference import repository_for
    from capbox.tools.packages.remote.repository import Repository

    screen = screen_of(ctx)
    with ending():
        layout = layouts.Layout(package)
        found = read_package(layout)
        reference = repository_for(to, found.name).at(str(found.version))
        with access_of(ctx.obj, login, reference).client(reference) as client:
            Repository(client, reference).push(layout, found)
    if as_json:
        screen.json({**described(found), "source": str(reference)})
    else:
        screen.line(f"{reference}")
    if found.signature is None:
        screen.say(_UNSIGNED, "yellow")
    return 0


def pull(
    ctx: typer.Context,
    source: Place,
    *,
    out: Out = Path(),
    login: Login = None,
    as_json: AsJson = False,
) -> int:
    """Fetch a package as a folder DIR/NAME-VERSION.oci, checked; install nothing.

    Exit codes: 0 ok, 1 a bad package, or it cannot be had, 2 usage.
    """
    from capbox.tools.packages.artefact.package import as_json as described
    from capbox.tools.packages.installing.source import pull as pulled
    from capbox.tools.packages.remote.reference import source as place

    screen = screen_of(ctx)
    with ending():
        where = place(source)
        layout, package = pulled(where, out, access_of(ctx.obj, login, where))
    if as_json:
        screen.json({**described(package), "path": str(layout.folder)})
        return 0
    screen.line(f"{layout.folder}")
    screen.say(f"{package.name} {package.version}, {package.digest}", "dim")
    return 0


def search(
    ctx: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORDS]")] = None,
    *,
    where: Annotated[
        str, typer.Option("--in", metavar="PLACE", help="A folder of packages, or oci://HOST.")
    ] = ".",
    login: Login = None,
    as_json: AsJson = False,
) -> int:
    """Find packages by words of their name and description.

    In a registry only names are compared, and it must list what it has, as one of your own does;
    it has a minute for the whole search.
    Exit codes: 0 ok, 1 nothing found, or it cannot be reached, 2 usage.
    """
    from capbox.tools.packages.installing.searching import found_in
    from capbox.tools.packages.remote.reference import SCHEME, repository_root

    screen = screen_of(ctx)
    with ending():
        typed = repository_root(where) if where.startswith(SCHEME) else None
        search = found_in(where, tuple(words or ()), access_of(ctx.obj, login, typed))
    found, unfinished = search.matches, search.unfinished
    if as_json:
        listed: list[Json] = [
            {"name": o.name, "version": o.version, "description": o.description, "source": o.source}
            for o in found
        ]
        screen.json({"packages": listed, "unfinished": unfinished or None})
        return 0 if found else 1
    if not found:
        more = f" ({unfinished})" if unfinished else ""
        raise CommandFailure("not_found", f"no package in {where} has these words{more}", 1)
    rows = [(one.name, one.version, one.source, one.description) for one in found]
    screen.table(("package", "version", "where", "says of itself"), rows)
    if unfinished:
        screen.say(f"there may be more: {unfinished}; name more words", "yellow")
    return 0
