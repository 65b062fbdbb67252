"""`capbox login PROVIDER` and `capbox logout PROVIDER`: the key for a provider's models.

Guarantees: a key is typed unseen or read from standard input; it is never an argument and never
printed. It is kept only after the provider took it, unless `--no-check` says otherwise.
Does not: log in with a browser.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.surfaces.cli.commands.models.found import failure, provider_named
from capbox.surfaces.cli.commands.secret import piped, typed
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import usage
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.models.catalog.provider import Provider

Name = Annotated[str, typer.Argument(metavar="PROVIDER", help="As in anthropic.")]

# A key as an argument would be printed by typer's own errors: too many are looked at here.
LOOSE = {"allow_extra_args": True, "ignore_unknown_options": True}


def login(
    ctx: typer.Context,
    provider: Name,
    *,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Ask the provider whether it takes the key.")
    ] = True,
) -> int:
    """Keep the key for a provider, once that takes it.

    It is asked for, or comes from standard input; checked by one request that costs nothing; and
    kept among the secrets (capbox secret list) under its usual name.
    """
    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    known = _named(ctx, provider)
    if check and known.base_url is None:
        where = f"base_url under [providers.{known.name}] in config.toml"
        raise usage(f"{known.name} has no address that is everybody's: set {where}, or --no-check")
    key = typed(known.key) if sys.stdin.isatty() else piped()
    if not key:
        raise usage("no key came; nothing is kept")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise usage("a key is one word of printable ASCII characters; nothing is kept")
    said = _checked(known, key) if check else "it was not checked"
    entry.home().prepare()
    store = entry.secrets()
    store.set(known.key, key)
    screen.say(f"{known.key} is kept {store.describe()}")
    screen.say(said, "dim")
    if entry.environ.get(known.key):
        screen.say(f"{known.key} is also set in the environment, which comes first", "yellow")
    return 0


def logout(ctx: typer.Context, provider: Name) -> int:
    """Forget the key for a provider."""
    entry: Entry = ctx.obj
    known = _named(ctx, provider)
    entry.home().prepare()
    if not entry.secrets().remove(known.key):
        raise usage(f"no key for {known.name} is kept")
    Screen(sys.stdout, sys.stderr, entry.environ).say(f"removed {known.key}")
    return 0


def _named(ctx: typer.Context, name: str) -> Provider:
    if ctx.args:
        raise usage(
            "a key is never an argument: the shell's history and the list of processes show it (one"
            " that was typed there should be replaced). Without it, it is asked for; or: "
            "capbox login PROVIDER < FILE"
        )
    entry: Entry = ctx.obj
    return provider_named(entry.roster().read(), name)


def _checked(provider: Provider, key: str) -> str:
    """Return what the provider says of a key; raises the failure of the command."""
    import anyio

    from capbox.models.model import ModelError
    from capbox.models.providers.endpoint import Endpoint
    from capbox.models.providers.listing import listed

    try:
        names = anyio.run(listed, Endpoint(provider, "", None, key))
    except ModelError as error:
        if error.kind in ("quota", "rate_limit"):
            return f"the key is right, but: {error.message}"
        if error.kind == "invalid_request":
            return f"it could not be checked: {error.message}"
        raise failure(error) from None
    return f"{provider.name} takes it" + (f" and lists {len(names):,} models" if names else "")
