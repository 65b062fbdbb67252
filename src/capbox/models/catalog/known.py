"""What well-known models take, by name: images, PDFs, thinking, how long a reply may be.

Sources: the providers' model pages. How much a model takes altogether is in genai-prices, which is
asked where this table is silent. A name is looked up without what is before its last slash
(`openrouter/anthropic/claude-sonnet-4.5`), since whoever serves a model does not change it.
Guarantees: what nobody knows stays None or False. Does not: ask a provider.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from capbox.models.catalog.provider import Provider
from capbox.models.facts import UNKNOWN, Facts

# A loop asks for each request.
_REMEMBERED: Final = 1_024
_SEES = Facts(images=True)


def _full(output: int, context: int | None = None, *, thinking: bool = True) -> Facts:
    return Facts(context, output, images=True, pdfs=True, thinking=thinking)


# The first row that matches the whole name counts.
_ROWS: Final[tuple[tuple[str, Facts], ...]] = (
    (r"claude-3-(haiku|opus|sonnet).*", Facts(200_000, 4_096, images=True)),
    (r"claude-3[.-]5-.*", _full(8_192, 200_000, thinking=False)),
    (r"claude-3[.-]7-.*", _full(64_000, 200_000)),
    (r"claude-opus-4([.-][01])?(-20\d{6}|@.*)?", _full(32_000, 200_000)),
    (r"claude-(sonnet|haiku|opus)-4([.-][015])?(-20\d{6}|@.*)?", _full(64_000, 200_000)),
    (r"claude-(sonnet|haiku|opus|fable|mythos)-\d.*", _full(128_000)),
    (r"gpt-4-turbo.*", Facts(128_000, 4_096, images=True)),
    (r"gpt-4o(-mini)?(-20\d\d-.*)?|chatgpt-4o-latest", _full(16_384, 128_000, thinking=False)),
    (r"gpt-4\.1.*", _full(32_768, 1_047_576, thinking=False)),
    (r"o1|o1-pro|o1-20.*|o3|o3-pro|o3-20.*|o4-mini.*", _full(100_000, 200_000)),
    (r"o3-mini.*", Facts(200_000, 100_000, thinking=True)),
    (r"gpt-[5-9].*(chat|image|search|audio|realtime).*", UNKNOWN),
    (r"gpt-[5-9].*", _full(128_000)),
    (r"gpt-oss.*", Facts(131_072, thinking=True)),
    (r"gemini-.*(image|tts|live|embedding|robotics|banana).*", UNKNOWN),
    (r"gemini-(1\.5|2\.0)-.*", _full(8_192, thinking=False)),
    (r"gemini-(2\.5|[3-9](\.\d)?)-.*", _full(65_536, 1_048_576)),
    (r"gemma-[34].*|llama-4-.*|pixtral.*|mistral-(medium|small)-(3|20|latest).*", _SEES),
    (r"grok-2-vision.*|grok-4.*", _SEES),
    (r"grok-3-mini.*", Facts(131_072, thinking=True)),
    (r".*qwen.*-vl.*", _SEES),
)


@lru_cache(maxsize=_REMEMBERED)
def known_facts(model: str) -> Facts:
    """Return what the table says of a model, by its name."""
    name = model.rpartition("/")[2].lower()
    return next((facts for row, facts in _ROWS if re.fullmatch(row, name)), UNKNOWN)


@lru_cache(maxsize=_REMEMBERED)
def window_of(provider: Provider, model: str) -> int | None:
    """Return how many tokens a model takes by the tables of genai-prices.

    The first call loads them, which takes a third of a second.
    """
    if provider.prices is None:
        return None
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(model, None, provider.prices, None)
    except LookupError:
        return None
    return found.context_window
