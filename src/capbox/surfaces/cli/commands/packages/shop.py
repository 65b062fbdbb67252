"""What the commands for packages share: where things are, and how their errors end a command.

Guarantees: an error names the package or place, the reason, and what to do. Exit codes: 1 the
package is bad or cannot be had, 2 usage, 3 a rule or a person refused, 5 nothing can be compiled.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, stored, usage
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.tools.packages.installing.install import Workshop
    from capbox.tools.packages.installing.source import Access
    from capbox.tools.packages.remote.reference import Registry, Source

Login = Annotated[
    list[str] | None,
    typer.Option(
        "--login",
        metavar="[HOST=]SECRET",
        help="The secret with user:password for the registry HOST, by default the one "
        "that is typed (see capbox secret). Repeatable.",
    ),
]
_EXIT_CODES = {"bad": 1, "unreachable": 1, "usage": 2, "refused": 3}
_CODES = {"bad": "bad_package", "unreachable": "unreachable", "usage": "usage"}


@contextmanager
def ending() -> Generator[None]:
    """End a command where a package is at fault. Raises CommandFailure."""
    from capbox.tools.packages.problem import PackageError

    try:
        with stored():
            yield
    except PackageError as error:
        code = _CODES.get(error.kind, "denied")
        raise CommandFailure(code, str(error), _EXIT_CODES[error.kind]) from error


def screen_of(ctx: typer.Context) -> Screen:
    """Return where a command writes."""
    entry: Entry = ctx.obj
    return Screen(sys.stdout, sys.stderr, entry.environ)


def access_of(entry: Entry, login: list[str] | None, typed: Source | None = None) -> Access:
    """Return how registries are reached; `typed` is the place on the command line.

    Raises SettingsError and PackageError.
    """
    from capbox.engine.operator import read_operator
    from capbox.tools.packages.installing.source import Access
    from capbox.tools.packages.remote.logins import logins

    named = logins(login or (), typed)
    authorities = read_operator(entry.home().config / "config.toml").ca_files

    def credentials(registry: Registry) -> str | None:
        secret = named.get(registry.usual)
        if secret is None:
            return None
        value = entry.secrets().get(secret)
        if value is None or ":" not in value:
            what = "there is no such secret" if value is None else "it is not user:password"
            raise usage(f"--login {secret}: {what}; see: capbox secret set {secret}")
        return value

    return Access(credentials, tuple(map(str, authorities)))


def workshop(
    entry: Entry,
    report: Callable[[str], None],
    login: list[str] | None = None,
    typed: Source | None = None,
) -> Workshop:
    """Return what installing needs; capbox's directories are there then.

    `typed` is the place on the command line. Raises SettingsError and PackageError.
    """
    from capbox.tools.packages.installing.install import Workshop
    from capbox.tools.packages.installing.place import Place
    from capbox.tools.packages.signatures.publishers import Publishers

    home = entry.home()
    home.prepare()
    return Workshop(
        Place(home.tools),
        Publishers(home.config),
        entry.guests(),
        home.cache / "compiled",
        access_of(entry, login, typed),
        report,
    )
