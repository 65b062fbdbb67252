"""The HTTP client under every request to a provider.

Guarantees: a request goes to the address and with the key that were given as arguments, and to no
other: no proxy, key or extra header comes from an environment variable, and no redirect is
followed; an answer is read up to a bound, and never unpacked. Does not: pin addresses or check
certificates beyond what httpx2 does.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import cache, partial
from typing import Final, cast

import httpx2

from capbox.models.model import ModelError
from capbox.models.providers.endpoint import Endpoint
from capbox.models.unicode import encodable

CONNECT_SECONDS = 10.0
# 200,000 tokens, each in an event of its own with 300 bytes around it.
ANSWER_BYTES_MAX: Final = 64_000_000
# OpenAI's responses end with an event that has the whole reply once more.
EVENT_BYTES_MAX: Final = 16_000_000
_EVENT_ENDS: Final = (b"\n\n", b"\r\n\r\n", b"\r\r")
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
        event_hooks={
            "request": [_only_own_headers(endpoint)],
            "response": [partial(_bound, endpoint)],
        },
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
        request.headers["accept-encoding"] = "identity"
        request.headers["user-agent"] = "capbox"
        request.headers[name] = value

    return clean


async def _bound(endpoint: Endpoint, response: httpx2.Response) -> None:
    # Attack: 400 KB of gzip are 400 MB of blanks, in the process that guards the model.
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        shown = encodable(encoding)[:40]
        said = f"the answer is packed ({shown!r}), which it was asked not to be: it is not read"
        raise ModelError("provider", f"{endpoint.name}: {said}")
    stream = cast("httpx2.AsyncByteStream", response.stream)  # of an AsyncClient
    response.stream = _Bounded(stream, endpoint.name)


class _Bounded(httpx2.AsyncByteStream):
    """An answer that ends with a ModelError where it, or one event of it, is too long.

    Attack: a server that never ends its line, or its reply; both are collected in memory.
    """

    def __init__(self, stream: httpx2.AsyncByteStream, model: str) -> None:
        self._stream = stream
        self._model = model

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = event = 0
        tail = b""
        async for piece in self._stream:
            seen = tail + piece
            end = max(map(seen.rfind, _EVENT_ENDS))
            total += len(piece)
            event = event + len(piece) if end < 0 else len(seen) - end
            tail = seen[-3:]
            if total > ANSWER_BYTES_MAX:
                raise self._failure("the answer", ANSWER_BYTES_MAX)
            if event > EVENT_BYTES_MAX:
                raise self._failure("one event of the answer", EVENT_BYTES_MAX)
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _failure(self, what: str, most: int) -> ModelError:
        return ModelError("provider", f"{self._model}: {what} is longer than {most} bytes")


def _authorization(endpoint: Endpoint) -> tuple[str, str]:
    key = endpoint.api_key or NO_KEY
    match endpoint.provider.dialect:
        case "anthropic":
            return "x-api-key", key
        case "google":
            return "x-goog-api-key", key
        case "openai-chat" | "openai-responses":
            return "authorization", f"Bearer {key}"
