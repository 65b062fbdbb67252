"""The models that a provider itself lists: one cheap request, which also shows whether a key works.

Guarantees: an answer is read up to a bound; every failure is a `ModelError` of the kind that a
reply would have had; neither it nor a name holds the key. Does not: load the providers' SDKs, or
cost tokens.
Imports httpx2: import this module lazily.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import httpx2

from capbox.models.model import ErrorKind, ModelError
from capbox.models.providers.advice import advice
from capbox.models.providers.endpoint import Endpoint
from capbox.models.providers.http import http_client
from capbox.models.unicode import encodable

_BYTES_MAX: Final = 8_000_000
_MODELS_MAX: Final = 10_000
_NAME_CHARACTERS_MAX: Final = 200
_SAID_CHARACTERS_MAX: Final = 500


async def listed(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the names of the models a provider lists; none where it only checks the key.

    Raises:
        ModelError: it does not list them; of kind `authentication` if the key is wrong.
    """
    try:
        async with (
            http_client(endpoint) as http,
            http.stream("GET", _url(endpoint), headers=_headers(endpoint)) as response,
        ):
            body = await _body(response)
            status = response.status_code
    except httpx2.TimeoutException as error:
        raise _failure("stalled", endpoint, "no answer") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise _failure("connection", endpoint, str(error)) from error
    if status != HTTPStatus.OK:
        raise _refused(endpoint, status, body)
    return () if endpoint.provider.check is not None else _names(endpoint, body)


def _url(endpoint: Endpoint) -> str:
    if endpoint.provider.check is not None:
        return f"{endpoint.address}/{endpoint.provider.check}"
    match endpoint.provider.dialect:
        case "anthropic":
            return endpoint.address.removesuffix("/v1") + "/v1/models?limit=1000"
        case "google":
            return f"{endpoint.address}/v1beta/models?pageSize=1000"
        case "openai-chat" | "openai-responses":
            return f"{endpoint.address}/models"


def _headers(endpoint: Endpoint) -> dict[str, str]:
    if endpoint.provider.dialect == "anthropic":
        return {"anthropic-version": "2023-06-01"}
    return {}


async def _body(response: httpx2.Response) -> bytes:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _BYTES_MAX:
            break
    return body


def _names(endpoint: Endpoint, body: bytes) -> tuple[str, ...]:
    document = _parsed(body)
    found = document.get("models" if endpoint.provider.dialect == "google" else "data")
    if not isinstance(found, list):
        raise _failure("provider", endpoint, "the answer is no list of models")
    names = [_without_key(_name(entry), endpoint) for entry in found[:_MODELS_MAX]]
    return tuple(sorted({name for name in names if name}))


def _name(entry: object) -> str:
    if not isinstance(entry, Mapping):
        return ""
    name = entry.get("id", entry.get("name"))
    if not isinstance(name, str) or len(name) > _NAME_CHARACTERS_MAX:
        return ""
    return encodable(name.removeprefix("models/"))


def _refused(endpoint: Endpoint, status: int, body: bytes) -> ModelError:
    document = _parsed(body)
    error = document.get("error", document)
    fields: Mapping[str, object] = error if isinstance(error, Mapping) else {}
    message = fields.get("message")
    said = message if isinstance(message, str) else (error if isinstance(error, str) else "")
    kind = _kind(status, fields.get("code"), body)
    return _failure(kind, endpoint, f"{status}: {said}" if said else str(status))


def _kind(status: int, code: object, body: bytes) -> ErrorKind:
    # Google answers 400 to a wrong key, OpenAI 429 to an account without credit.
    if status in (401, 403) or b'"API_KEY_INVALID"' in body:
        return "authentication"
    if status == HTTPStatus.PAYMENT_REQUIRED or code == "insufficient_quota":
        return "quota"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limit"
    return "provider" if status >= 500 or status < 400 else "invalid_request"


def _parsed(body: bytes) -> Mapping[str, object]:
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _failure(kind: ErrorKind, endpoint: Endpoint, said: str) -> ModelError:
    told = advice(kind, endpoint)
    text = encodable(_without_key(said, endpoint))[:_SAID_CHARACTERS_MAX]
    return ModelError(kind, ": ".join(filter(None, (endpoint.provider.name, text, told))))


def _without_key(said: str, endpoint: Endpoint) -> str:
    # Attack: a server echoes the key it was sent, in an error or as the name of a model.
    return said.replace(endpoint.api_key, "[key]") if endpoint.api_key else said
