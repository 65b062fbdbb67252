"""What a person can do about a provider that did not answer as it should: one sentence.

Guarantees: pure text; it holds neither key nor anything a server sent. Does not: repeat the error.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from capbox.models.model import ErrorKind
from capbox.models.providers.endpoint import Endpoint


def advice(kind: ErrorKind, endpoint: Endpoint, *, unknown_model: bool = False) -> str:
    """Return what to do about an error of `kind`; an empty text: nothing that a person could."""
    provider = endpoint.provider
    match kind:
        case "authentication" if endpoint.api_key:
            return f"{provider.name} does not take this key; another one: {_login(endpoint)}"
        case "authentication":
            return f"{provider.name} wants a key: {_login(endpoint)}, or set {provider.key}"
        case "quota":
            return f"there is no credit left at {provider.name}; add some there, or take another"
        case "invalid_request" if unknown_model:
            return f"{provider.name} has no such model; some that it has: {_models(endpoint)}"
        case "connection":
            return f"{_place(endpoint)} cannot be reached; see to the network, or to the address"
        case _:
            return ""


def _login(endpoint: Endpoint) -> str:
    return f"capbox login {endpoint.provider.name}"


def _models(endpoint: Endpoint) -> str:
    return f"capbox models {endpoint.provider.name}"


def _place(endpoint: Endpoint) -> str:
    """Return scheme and host: an address may have a password in it."""
    parts = urlsplit(endpoint.address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
