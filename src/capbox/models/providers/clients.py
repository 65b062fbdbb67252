"""The providers' SDK clients, cut off from the environment.

Guarantees: base URL and key are those of the endpoint, and nothing is sent again behind the loop's
back; what leaves goes through `http`. Does not: load the SDK of a dialect that is not spoken.
Imports the SDKs, which takes seconds: import this module lazily.
"""

from __future__ import annotations

import ssl
from typing import assert_never

import httpx2
from pydantic_ai.models import Model
from pydantic_ai.profiles import ModelProfile, merge_profile

from capbox.models.catalog.table import ANTHROPIC_URL, OPENAI_URL
from capbox.models.model import ModelError
from capbox.models.providers.endpoint import Endpoint
from capbox.models.providers.http import NO_KEY, timeout


def wire_model(endpoint: Endpoint, http: httpx2.AsyncClient) -> Model:
    """Return pydantic-ai's model for an endpoint, speaking through `http`.

    Raises:
        ModelError: the SDK of its dialect is not installed.
    """
    match endpoint.provider.dialect:
        case "anthropic":
            return _anthropic(endpoint, http)
        case "openai-chat" | "openai-responses":
            return _openai(endpoint, http)
        case "google":
            return _google(endpoint, http)
        case _:
            assert_never(endpoint.provider.dialect)


def is_anthropics_own(endpoint: Endpoint) -> bool:
    """Say whether it is Anthropic itself, not a server that speaks as Anthropic does."""
    return endpoint.address == ANTHROPIC_URL


def _anthropic(endpoint: Endpoint, http: httpx2.AsyncClient) -> Model:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = AsyncAnthropic(
        api_key=endpoint.api_key or NO_KEY,
        base_url=endpoint.address.removesuffix("/v1"),  # the SDK adds it
        http_client=http,
        max_retries=0,
        timeout=timeout(endpoint),
        open_telemetry=False,
    )
    provider = AnthropicProvider(anthropic_client=client)
    return AnthropicModel(
        endpoint.model,
        provider=provider,
        profile=_able(endpoint, provider.model_profile(endpoint.model)),
    )


def _openai(endpoint: Endpoint, http: httpx2.AsyncClient) -> Model:
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai import OpenAIProvider

    client = AsyncOpenAI(
        api_key=endpoint.api_key or NO_KEY,
        base_url=endpoint.address,
        http_client=http,
        max_retries=0,
        timeout=timeout(endpoint),
    )
    provider = OpenAIProvider(openai_client=client)
    profile = _able(endpoint, provider.model_profile(endpoint.model))
    if endpoint.abilities.thinking:
        # Encrypted thinking goes back to the model that wrote it, whoever serves it.
        profile = merge_profile(
            profile, OpenAIModelProfile(openai_supports_encrypted_reasoning_content=True)
        )
    if endpoint.address != OPENAI_URL:
        # `max_tokens` is what servers other than OpenAI's read; the newer name they ignore: no
        # bound.
        own = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False)
        profile = merge_profile(profile, own)
    if endpoint.provider.dialect == "openai-responses":
        return OpenAIResponsesModel(endpoint.model, provider=provider, profile=profile)
    return OpenAIChatModel(endpoint.model, provider=provider, profile=profile)


def _google(endpoint: Endpoint, http: httpx2.AsyncClient) -> Model:
    try:
        from google.genai import Client
        from google.genai.types import HttpOptions
        from pydantic_ai.models.google import GoogleModel
        from pydantic_ai.providers.google import GoogleProvider
    except ImportError as error:
        raise ModelError(
            "invalid_request",
            f"{endpoint.name}: Google's library is not installed: pip install 'capbox[google]'",
        ) from error
    # The SDK prepares further clients, which are never used, and takes certificates for them from
    # SSL_CERT_FILE: these trust nobody.
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    options = HttpOptions(
        base_url=endpoint.address,
        httpx_async_client=http,
        # Without one it would lift the bound that the client has.
        timeout=int(endpoint.silence_seconds * 1_000),
        client_args={"verify": nobody, "trust_env": False},
        async_client_args={"verify": nobody, "ssl": nobody},
    )
    provider = GoogleProvider(
        client=Client(vertexai=False, api_key=endpoint.api_key or NO_KEY, http_options=options)
    )
    return GoogleModel(
        endpoint.model,
        provider=provider,
        profile=_able(endpoint, provider.model_profile(endpoint.model)),
    )


def _able(endpoint: Endpoint, profile: ModelProfile | None) -> ModelProfile:
    """Return the library's profile of a model, thinking or not as the catalog has it."""
    thinks = ModelProfile(supports_thinking=endpoint.abilities.thinking)
    return merge_profile(profile, thinks)
