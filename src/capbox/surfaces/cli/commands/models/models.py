"""`capbox models [PROVIDER]`: which providers there are, and what their models take and cost.

Guarantees: without `--ask` no network; no key is shown. Does not: say what a key may use.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import Json
from capbox.surfaces.cli.commands.models.found import failure, provider_named
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.models.catalog.provider import Provider
    from capbox.models.offers import Offer
    from capbox.models.roster import Roster

_HEADINGS = ("MODEL", "CONTEXT", "OUTPUT", "USD IN", "USD OUT", "TAKES")


def models(
    ctx: typer.Context,
    provider: Annotated[
        str | None, typer.Argument(metavar="PROVIDER", help="As in anthropic; none: all of them.")
    ] = None,
    *,
    ask: Annotated[bool, typer.Option("--ask", help="Ask the provider which it has.")] = False,
    as_json: AsJson = False,
) -> int:
    """List providers, or what the models of one take and cost.

    Prices are dollars for a million tokens. Without --ask it is what capbox knows beforehand, and
    config.toml: [models."PROVIDER/NAME"].
    """
    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    roster = entry.roster()
    if provider is None:
        return _providers(roster, screen, as_json=as_json)
    found = _offers(roster, provider_named(roster.read(), provider), ask=ask)
    if as_json:
        screen.json({"provider": provider, "models": [one.to_json() for one in found]})
        return 0
    if not found:
        screen.say(f"nothing is known beforehand of models at {provider}; it may be asked: --ask")
        return 0
    screen.table(_HEADINGS, [_row(one) for one in found])
    return 0


def _providers(roster: Roster, screen: Screen, *, as_json: bool) -> int:
    every = roster.read().providers.values()
    if as_json:
        screen.json({"providers": [_as_json(roster, one) for one in every]})
        return 0
    rows = [(one.name, _key(roster, one), one.key, one.base_url or "(yours)") for one in every]
    screen.table(("PROVIDER", "KEY", "ITS NAME", "ADDRESS"), rows)
    screen.say("a key: capbox login PROVIDER; models: capbox models PROVIDER", "dim")
    return 0


def _as_json(roster: Roster, provider: Provider) -> Json:
    return {
        "name": provider.name,
        "dialect": provider.dialect,
        "base_url": provider.base_url,
        "key_name": provider.key,
        "needs_key": provider.needs_key,
        "key": roster.place(provider),
    }


def _key(roster: Roster, provider: Provider) -> str:
    place = roster.place(provider)
    if place == "none":
        return "missing" if provider.needs_key else "not needed"
    return "environment" if place == "environment" else "kept"


def _offers(roster: Roster, provider: Provider, *, ask: bool) -> tuple[Offer, ...]:
    from datetime import UTC, datetime

    from capbox.models.offers import offers

    names = _asked(roster, provider) if ask else None
    return offers(roster.read(), provider, datetime.now(UTC), names)


def _asked(roster: Roster, provider: Provider) -> tuple[str, ...]:
    from dataclasses import replace

    import anyio

    from capbox.models.model import ModelError
    from capbox.models.providers.endpoint import Endpoint
    from capbox.models.providers.listing import listed

    # The list itself, also where something else checks a key.
    asked = replace(provider, check=None)
    try:
        return anyio.run(listed, Endpoint(asked, "", None, roster.key(provider)))
    except ModelError as error:
        raise failure(error) from None


def _row(offer: Offer) -> tuple[str, ...]:
    facts = offer.facts
    takes = (("images", facts.images), ("PDFs", facts.pdfs), ("thinking", facts.thinking))
    return (
        offer.name,
        _tokens(facts.context_tokens),
        _tokens(facts.output_tokens),
        _usd(offer.input_usd),
        _usd(offer.output_usd),
        ", ".join(name for name, yes in takes if yes),
    )


def _tokens(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _usd(price: float | None) -> str:
    return "?" if price is None else f"{price:g}"
