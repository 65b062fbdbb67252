"""What is known of models: by name, by the tables, and by the operator; the rest stays unknown."""

from __future__ import annotations

import pytest

from capbox.models.catalog.known import known_facts
from capbox.models.catalog.override import Override
from capbox.models.catalog.table import PROVIDERS
from capbox.models.facts import UNKNOWN, Facts
from capbox.models.providers.endpoint import Endpoint

OPUS = Facts(200_000, 32_000, images=True, pdfs=True, thinking=True)
SONNET = Facts(200_000, 64_000, images=True, pdfs=True, thinking=True)


@pytest.mark.parametrize(
    ("model", "facts"),
    [
        ("claude-opus-4-1-20250805", OPUS),
        ("claude-sonnet-4-5-20250929", SONNET),
        ("anthropic/claude-sonnet-4.5", SONNET),
        ("claude-3-5-sonnet-20241022", Facts(200_000, 8_192, images=True, pdfs=True)),
        ("gpt-4o-2024-11-20", Facts(128_000, 16_384, images=True, pdfs=True)),
        ("gpt-4o-audio-preview", UNKNOWN),
        ("o3-mini", Facts(200_000, 100_000, thinking=True)),
        ("gpt-5-chat-latest", UNKNOWN),
        (
            "gemini-2.5-pro",
            Facts(1_048_576, 65_536, images=True, pdfs=True, thinking=True),
        ),
        ("gemini-2.5-flash-preview-tts", UNKNOWN),
        ("my-finetuned-claude-opus-4-1", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_a_model_is_known_by_its_whole_name(model: str, facts: Facts) -> None:
    assert known_facts(model) == facts


@pytest.mark.parametrize(
    ("provider", "model", "base_url", "override", "facts"),
    [
        # The window of these is in the tables of prices.
        (
            "openai",
            "gpt-5",
            None,
            Override(),
            Facts(400_000, 128_000, images=True, pdfs=True, thinking=True),
        ),
        ("groq", "qwen/qwen3-32b", None, Override(), Facts(131_072)),
        ("openai", "no-such-model", None, Override(), UNKNOWN),
        # Whoever serves a model chooses how much it takes.
        ("ollama", "gpt-oss:20b", None, Override(), Facts(thinking=True)),
        ("openai", "gpt-oss-20b", "http://127.0.0.1:1/v1", Override(), Facts(thinking=True)),
        ("ollama", "gpt-oss:20b", None, Override(4_096, thinking=False), Facts(4_096)),
        (
            "openai",
            "gpt-5",
            None,
            Override(1_000, 10, False, False, False),
            Facts(1_000, 10),
        ),
    ],
)
def test_the_operator_is_heard_before_the_tables_and_nothing_is_guessed(
    provider: str, model: str, base_url: str | None, override: Override, facts: Facts
) -> None:
    endpoint = Endpoint(PROVIDERS[provider], model, base_url, None, override=override)
    assert endpoint.facts == facts
