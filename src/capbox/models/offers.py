"""What is known beforehand of a provider's models, one row each: for `capbox models`.

Guarantees: no network; rows are in the order of their names; what nobody knows is None. Does not:
say what a provider has today, or what a key may use.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from capbox.messages import Json, Usage
from capbox.models.catalog.catalog import Catalog
from capbox.models.catalog.provider import Provider
from capbox.models.facts import Facts
from capbox.models.pricing import price_usd
from capbox.models.providers.endpoint import Endpoint

# Few enough to be in the first step of a price that grows with the length of a request.
_SAMPLE = 1_000
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Offer:
    """One model; prices are US dollars for a million tokens."""

    name: str
    facts: Facts
    input_usd: float | None
    output_usd: float | None

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        facts = self.facts
        return {
            "name": self.name,
            "context_tokens": facts.context_tokens,
            "output_tokens": facts.output_tokens,
            "input_usd": self.input_usd,
            "output_usd": self.output_usd,
            "images": facts.images,
            "pdfs": facts.pdfs,
            "thinking": facts.thinking,
        }


def offers(
    catalog: Catalog, provider: Provider, at: datetime, names: Iterable[str] | None = None
) -> tuple[Offer, ...]:
    """Return the models `names` (None: those that are known) of a provider, with prices at `at`."""
    known = _known(catalog, provider) if names is None else names
    return tuple(_offer(catalog, provider, name, at) for name in sorted(set(known)))


def _known(catalog: Catalog, provider: Provider) -> Iterable[str]:
    start = f"{provider.name}/"
    yield from (name[len(start) :] for name in catalog.overrides if name.startswith(start))
    if provider.prices is None:
        return
    from genai_prices.data_snapshot import get_snapshot

    for one in get_snapshot().providers:
        if one.id == provider.prices:
            yield from (model.id for model in one.models if model.context_window is not None)


def _offer(catalog: Catalog, provider: Provider, name: str, at: datetime) -> Offer:
    endpoint = Endpoint(provider, name, None, None, override=catalog.override(provider, name))
    prices = (
        price_usd(usage, endpoint, at=at)
        for usage in (Usage(input_tokens=_SAMPLE), Usage(output_tokens=_SAMPLE))
    )
    input_usd, output_usd = (
        None if usd is None else round(usd * _MILLION / _SAMPLE, 6) for usd in prices
    )
    return Offer(f"{provider.name}/{name}", endpoint.facts, input_usd, output_usd)
