"""Prices: exact where the tables know them, None where they do not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from capbox.messages import Usage
from capbox.models.catalog.override import Override
from capbox.models.catalog.table import PROVIDERS
from capbox.models.pricing import price_usd
from capbox.models.providers.endpoint import Endpoint

AT = datetime(2026, 11, 1, tzinfo=UTC)
MILLION = 1_000_000


@pytest.mark.parametrize(
    ("provider", "model", "base_url", "usage", "usd"),
    [
        ("anthropic", "claude-3-5-haiku-20241022", None, Usage(input_tokens=MILLION), 0.8),
        ("anthropic", "claude-3-5-haiku-20241022", None, Usage(output_tokens=MILLION), 4.0),
        ("anthropic", "claude-3-5-haiku-20241022", None, Usage(cache_read_tokens=MILLION), 0.08),
        ("anthropic", "claude-3-5-haiku-20241022", None, Usage(cache_write_tokens=MILLION), 1.0),
        ("openai", "gpt-4o", None, Usage(input_tokens=MILLION, output_tokens=MILLION), 12.5),
        ("openai", "gpt-4o", "https://api.openai.com/v1", Usage(input_tokens=MILLION), 2.5),
        ("openai", "gpt-4o", "http://127.0.0.1:11434/v1", Usage(input_tokens=MILLION), None),
        ("openai", "no-such-model", None, Usage(input_tokens=MILLION), None),
        ("ollama", "gpt-4o", None, Usage(input_tokens=MILLION), None),
        ("xai", "grok-3", None, Usage(input_tokens=MILLION), 3.0),
    ],
)
def test_a_reply_costs_what_its_model_and_its_address_cost(
    provider: str, model: str, base_url: str | None, usage: Usage, usd: float | None
) -> None:
    assert price_usd(usage, Endpoint(PROVIDERS[provider], model, base_url, None), at=AT) == usd


@pytest.mark.parametrize(
    ("override", "usage", "usd"),
    [
        (Override(input_usd=1, output_usd=2), Usage(MILLION, MILLION), 3.0),
        (Override(input_usd=1, output_usd=2), Usage(0, 0, MILLION, MILLION), 2.0),
        (Override(input_usd=0, output_usd=0), Usage(MILLION, MILLION), 0.0),
        (
            Override(input_usd=1, output_usd=2, cache_read_usd=0.5, cache_write_usd=4),
            Usage(0, 0, MILLION, MILLION),
            4.5,
        ),
        # Without prices of the operator's own the table counts.
        (Override(context_tokens=9), Usage(MILLION), 2.5),
    ],
)
def test_the_operators_prices_come_first(override: Override, usage: Usage, usd: float) -> None:
    endpoint = Endpoint(PROVIDERS["openai"], "gpt-4o", None, None, override=override)
    assert price_usd(usage, endpoint, at=AT) == usd
