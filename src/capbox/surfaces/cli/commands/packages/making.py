"""`capbox pkg pack|sign|verify`: a package from the folder of a tool, and whose it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capbox.surfaces.cli.commands.packages.shop import Login, ending, screen_of, workshop
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.flags.words import AsJson

Layout = Annotated[Path, typer.Argument(metavar="PACKAGE", help="As in hello-0.1.0.oci")]
Place = Annotated[str, typer.Argument(metavar="SOURCE", help="A folder .oci, or oci://...")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where it is put.")]


def pack(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="With tool.toml in it.")],
    *,
    namespace: Annotated[
        str, typer.Option("--namespace", metavar="NAME", help="Yours, as in alice/hello.")
    ],
    out: Out = Path(),
    as_json: AsJson = False,
) -> int:
    """Make a package of a tool: DIR with tool.toml, its module and README.md.

    The same folder always gives the same digest. Exit codes: 0 ok, 1 a bad folder, 2 usage.
    """
    from capbox.tools.packages.artefact.package import as_json as described
    from capbox.tools.packages.artefact.packing import pack as packed

    screen = screen_of(ctx)
    with ending():
        layout, package = packed(folder, namespace, out)
    if as_json:
        screen.json({**described(package), "path": str(layout.folder)})
        return 0
    screen.line(f"{layout.folder}")
    screen.say(f"{package.name} {package.version}, {package.digest}", "dim")
    if package.signature is not None:
        screen.say("it is as it was, and keeps its signature", "dim")
    return 0


def sign(ctx: typer.Context, package: Layout, *, as_json: AsJson = False) -> int:
    """Sign a package with your key, which is made at first use.

    The key is package.key in capbox's state directory: keep a copy, others know you by it. Exit
    codes: 0 ok, 1 a bad package or key, 2 usage.
    """
    from capbox.tools.packages.artefact import layout as layouts
    from capbox.tools.packages.artefact.package import as_json as described
    from capbox.tools.packages.artefact.package import put_signature, read_package
    from capbox.tools.packages.signatures.signature import PublisherKey

    entry: Entry = ctx.obj
    screen = screen_of(ctx)
    entry.home().prepare()
    with ending():
        layout = layouts.Layout(package)
        found = read_package(layout)
        signed = PublisherKey.load(entry.home().state).sign(found.statement)
        found = put_signature(layout, found, signed)
    if as_json:
        screen.json(described(found))
        return 0
    screen.line(f"signed {found.name} {found.version}")
    screen.say(f"your key is {signed.fingerprint}: tell it to those who install", "dim")
    return 0


def verify(
    ctx: typer.Context,
    source: Place,
    *,
    login: Login = None,
    as_json: AsJson = False,
) -> int:
    """Check a package: every digest, its manifest, its signature; install nothing.

    Exit codes: 0 ok, 1 a bad package, 2 usage, 3 not signed, or not with the key that is known.
    """
    from capbox.surfaces.cli.commands.packages import shown
    from capbox.tools.packages.installing.install import examine
    from capbox.tools.packages.installing.plan import Wishes
    from capbox.tools.packages.remote.reference import source as place
    from capbox.tools.packages.signatures.publishers import Unsigned

    screen = screen_of(ctx)
    with ending():
        where = place(source)
        shop = workshop(ctx.obj, screen.say, login, where)
        plan = examine(shop, where, Wishes(downgrade=True))
    if as_json:
        screen.json(shown.as_json(plan))
    else:
        for line, style in shown.review(plan, screen.narrowest):
            screen.line(line, style)
    return 3 if isinstance(plan.trust, Unsigned) else 0
