"""The providers' SDK clients, cut off from the environment.

Guarantees: a request goes to the address and with the key that were given as arguments, and to no
other: no proxy, base URL, key or extra header comes from an environment variable, no redirect is
followed, and nothing is retried behind the loop's back.
Does not: pin addresses or check certificates beyond what httpx2 does.
Imports the SDKs, which takes seconds: import this module lazily.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import assert_never

import httpx2
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from capbox.models.providers.endpoint import Endpoint

CONNECT_SECONDS = 10.0
_ANTHROPIC_URL = "https://api.anthropic.com"
_OPENAI_URL = "https://api.openai.com/v1"
_NO_KEY = "none"  # sent to servers that need no key: the SDKs insist on one

# `max_tokens` is what servers other than OpenAI's read; the newer name they ignore: no bound.
_COMPATIBLE = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False)

# The SDKs copy ANTHROPIC_CUSTOM_HEADERS, OPENAI_CUSTOM_HEADERS, OPENAI_ORG_ID and the like into
# every request, and describe this machine in x-stainless-*. Only these names leave.
_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "anthropic-beta",
        "anthropic-version",
        "connection",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
    }
)


def http_client(endpoint: Endpoint) -> httpx2.AsyncClient:
    """Return the HTTP client for one request; the caller closes it."""
    return httpx2.AsyncClient(
        trust_env=False,
        # The key travels in a header that httpx2 does not drop when a redirect leaves the origin.
        follow_redirects=False,
        timeout=_timeout(endpoint),
        event_hooks={"request": [_only_own_headers(endpoint)]},
    )


def wire_model(endpoint: Endpoint, http: httpx2.AsyncClient) -> Model:
    """Return pydantic-ai's model for an endpoint, speaking through `http`."""
    match endpoint.provider:
        case "anthropic":
            return AnthropicModel(
                endpoint.model,
                provider=AnthropicProvider(anthropic_client=_anthropic(endpoint, http)),
            )
        case "openai":
            return OpenAIChatModel(
                endpoint.model,
                provider=OpenAIProvider(openai_client=_openai(endpoint, http)),
                profile=_COMPATIBLE if endpoint.base_url is not None else None,
            )
        case _:
            assert_never(endpoint.provider)


def _anthropic(endpoint: Endpoint, http: httpx2.AsyncClient) -> AsyncAnthropic:
    base_url = (endpoint.base_url or _ANTHROPIC_URL).rstrip("/")
    return AsyncAnthropic(
        api_key=endpoint.api_key or _NO_KEY,
        base_url=base_url.removesuffix("/v1"),  # the SDK adds it
        http_client=http,
        max_retries=0,
        timeout=_timeout(endpoint),
        open_telemetry=False,
    )


def _openai(endpoint: Endpoint, http: httpx2.AsyncClient) -> AsyncOpenAI:
    return AsyncOpenAI(
        api_key=endpoint.api_key or _NO_KEY,
        base_url=endpoint.base_url or _OPENAI_URL,
        http_client=http,
        max_retries=0,
        timeout=_timeout(endpoint),
    )


def _timeout(endpoint: Endpoint) -> httpx2.Timeout:
    return httpx2.Timeout(endpoint.stall_seconds, connect=CONNECT_SECONDS)


def _only_own_headers(
    endpoint: Endpoint,
) -> Callable[[httpx2.Request], Coroutine[None, None, None]]:
    async def clean(request: httpx2.Request) -> None:
        for name in list(request.headers):
            if name.lower() not in _HEADERS:
                del request.headers[name]
        request.headers["user-agent"] = "capbox"
        key = endpoint.api_key or _NO_KEY
        if endpoint.provider == "anthropic":
            request.headers["x-api-key"] = key
        else:
            request.headers["authorization"] = f"Bearer {key}"

    return clean
