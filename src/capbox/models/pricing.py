"""What a reply costs: by the operator's prices, else the tables that genai-prices ships.

Guarantees: no network; a model or an address the tables do not know has no price (None), never the
price of another. Does not: know discounts, batch prices or prices agreed with a provider.
"""

from __future__ import annotations

from datetime import datetime

from capbox.messages import Usage
from capbox.models.model import Model
from capbox.models.providers.endpoint import Endpoint


def quoted(model: Model, input_tokens: int, output_tokens: int) -> float | None:
    """Return what so many tokens of `model` cost at most, if it says so; None: nobody knows.

    A model that knows its price has `most_usd(input_tokens, output_tokens)`.
    """
    quote = getattr(model, "most_usd", None)
    price = quote(input_tokens, output_tokens) if callable(quote) else None
    return float(price) if isinstance(price, int | float) else None


def price_usd(usage: Usage, endpoint: Endpoint, *, at: datetime) -> float | None:
    """Return the price in US dollars of one reply sent at `at`, or None when it is not known.

    The operator's prices come first. An address other than the provider's own is looked up by
    address: a local server that calls its model `gpt-5` does not charge what OpenAI does.
    """
    own = endpoint.override.usd(usage)
    if own is not None:
        return own
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    priced = PricedUsage(
        input_tokens=usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    provider = endpoint.provider.prices if endpoint.base_url is None else None
    try:
        if provider is not None:
            cost = calc_price(
                priced, endpoint.model, provider_id=provider, genai_request_timestamp=at
            )
        else:
            cost = calc_price(
                priced,
                endpoint.model,
                provider_api_url=endpoint.address,
                genai_request_timestamp=at,
            )
    except (LookupError, ValueError):
        # ValueError: the table has the model, but no price for a kind of token that was used.
        return None
    return float(cost.total_price)
