"""The providers that capbox knows by name.

Sources: each provider's API reference; the names of keys are those that its own tools read.
Guarantees: names are unique. Does not: say whether a provider can be reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from capbox.models.catalog.provider import Provider

ANTHROPIC_URL: Final = "https://api.anthropic.com"
OPENAI_URL: Final = "https://api.openai.com/v1"
GOOGLE_URL: Final = "https://generativelanguage.googleapis.com"


def _compatible(
    name: str, base_url: str | None, key: str, prices: str | None = None, check: str | None = None
) -> Provider:
    return Provider(name, "openai-chat", base_url, key, prices=prices, check=check)


def _local(name: str, base_url: str, key: str) -> Provider:
    return Provider(name, "openai-chat", base_url, key, needs_key=False)


_ALL: Final = (
    Provider("anthropic", "anthropic", ANTHROPIC_URL, "ANTHROPIC_API_KEY", prices="anthropic"),
    Provider("openai", "openai-chat", OPENAI_URL, "OPENAI_API_KEY", prices="openai"),
    Provider("openai-responses", "openai-responses", OPENAI_URL, "OPENAI_API_KEY", prices="openai"),
    Provider("google", "google", GOOGLE_URL, "GEMINI_API_KEY", prices="google"),
    # The address of these two has the customer's resource or region in it.
    _compatible("azure", None, "AZURE_OPENAI_API_KEY"),
    _compatible("bedrock", None, "AWS_BEARER_TOKEN_BEDROCK"),
    _compatible("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", "cerebras"),
    _compatible("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY", "deepseek"),
    _compatible(
        "fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY", "fireworks"
    ),
    _compatible("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", "groq"),
    _compatible("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", "mistral"),
    # Anybody may read the list of models of this one, so it says nothing about a key.
    _compatible(
        "openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "openrouter", "key"
    ),
    _compatible("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY", "together"),
    _compatible("xai", "https://api.x.ai/v1", "XAI_API_KEY", "x-ai"),
    _local("ollama", "http://127.0.0.1:11434/v1", "OLLAMA_API_KEY"),
    _local("lmstudio", "http://127.0.0.1:1234/v1", "LMSTUDIO_API_KEY"),
    _local("llamacpp", "http://127.0.0.1:8080/v1", "LLAMACPP_API_KEY"),
    _local("vllm", "http://127.0.0.1:8000/v1", "VLLM_API_KEY"),
)

PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType({one.name: one for one in _ALL})
