"""Prices: exact where the tables know them, None where they do not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from capbox.messages import Usage
from capbox.models.pricing import price_usd

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
        ("no-such-provider", "gpt-4o", None, Usage(input_tokens=MILLION), None),
    ],
)
def test_a_reply_costs_what_its_model_and_its_address_cost(
    provider: str, model: str, base_url: str | None, usage: Usage, usd: float | None
) -> None:
    assert price_usd(usage, provider=provider, model=model, base_url=base_url, at=AT) == usd
