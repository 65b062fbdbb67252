"""The HTTP client under every request to a provider.

Guarantees: a request goes to the address and with the key that were given as arguments, and to no
other: no proxy, key or extra header comes from an environment variable, and no redirect is
followed. Does not: pin addresses or check certificates beyond what httpx2 does.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Coroutine
from functools import cache

import httpx2

from capbox.models.providers.endpoint import Endpoint

CONNECT_SECONDS = 10.0
NO_KEY = "none"  # sent to servers that need no key: the SDKs insist on one

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
        verify=_authorities(),
        trust_env=False,
        # The key travels in a header that httpx2 does not drop when a redirect leaves the origin.
        follow_redirects=False,
        timeout=timeout(endpoint),
        event_hooks={"request": [_only_own_headers(endpoint)]},
    )


def timeout(endpoint: Endpoint) -> httpx2.Timeout:
    """Return how long to wait for a connection, and for any further byte."""
    return httpx2.Timeout(endpoint.silence_seconds, connect=CONNECT_SECONDS)


@cache
def _authorities() -> ssl.SSLContext:
    # Reading them takes 50 ms, in which nothing else of the process goes on: once, not a request.
    return httpx2.create_ssl_context(trust_env=False)


def _only_own_headers(
    endpoint: Endpoint,
) -> Callable[[httpx2.Request], Coroutine[None, None, None]]:
    name, value = _authorization(endpoint)

    async def clean(request: httpx2.Request) -> None:
        for header in list(request.headers):
            if header.lower() not in _HEADERS:
                del request.headers[header]
        request.headers["user-agent"] = "capbox"
        request.headers[name] = value

    return clean


def _authorization(endpoint: Endpoint) -> tuple[str, str]:
    key = endpoint.api_key or NO_KEY
    match endpoint.provider.dialect:
        case "anthropic":
            return "x-api-key", key
        case "google":
            return "x-goog-api-key", key
        case "openai-chat" | "openai-responses":
            return "authorization", f"Bearer {key}"
