"""Provider failures as `ModelError`: what kind, and what the provider said.

Guarantees: the message holds no key, even when the server sends it back; it is one bounded text.
Imports pydantic-ai, which takes seconds: import this module lazily.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_ai import exceptions as wire

from capbox.models.model import ErrorKind, ModelError
from capbox.models.providers.advice import advice
from capbox.models.providers.endpoint import Endpoint
from capbox.models.unicode import encodable

_MESSAGE_CHARACTERS = 2_000
_RETRY_AFTER_SECONDS_MAX = 86_400.0


def failed(
    error: wire.AgentRunError | wire.UserError, endpoint: Endpoint, *, opened: bool
) -> ModelError:
    """Return the error for what pydantic-ai raised; `opened` says whether the stream had begun."""
    if not isinstance(error, wire.ModelAPIError):
        return ModelError("provider", _shown(error.message, endpoint))
    kind = _kind(error, opened=opened)
    unknown = isinstance(error, wire.ModelNotFoundError)
    told = advice(kind, endpoint, unknown_model=unknown)
    said = _shown(_said(error), endpoint)
    return ModelError(
        kind,
        f"{said}: {told}" if told else said,
        # Read by the library: Retry-After as seconds or as a date, retry-after-ms, Google's body.
        retry_after=_seconds(error.retry_after),
    )


def broken(error: Exception, endpoint: Endpoint) -> ModelError:
    """Return the error for an answer the libraries could not read."""
    said = f"the answer is not the protocol: {type(error).__name__}: {error}"
    return ModelError("provider", _shown(said, endpoint))


def _kind(error: wire.ModelAPIError, *, opened: bool) -> ErrorKind:
    match error:
        case wire.ModelContextWindowExceededError():
            return "context_length"
        case wire.ModelAuthenticationError():
            return "authentication"
        case wire.ModelQuotaExceededError():
            return "quota"
        case wire.ModelRateLimitError():
            return "rate_limit"
        case wire.ModelUnavailableError() | wire.ModelHTTPError(status_code=503 | 529):
            return "overloaded"
        case wire.ModelTimeoutError(phase="read" | None):
            return "stalled"
        case wire.ModelConnectionError():
            return "cut" if opened else "connection"
        case wire.ModelRequestRejectedError():
            return "invalid_request"
        case _:
            return "provider"


def _seconds(said: float | None) -> float | None:
    """Return what a server asks to wait, if that can be meant: not forever, nor less than none."""
    return said if said is not None and 0 <= said <= _RETRY_AFTER_SECONDS_MAX else None


def _said(error: wire.ModelAPIError) -> str:
    status = f"{error.status_code}: " if isinstance(error, wire.ModelHTTPError) else ""
    body = error.body
    if isinstance(body, Mapping):
        # Anthropic nests the error; the OpenAI SDK has unwrapped it already.
        inner = body.get("error", body)
        message = inner.get("message") if isinstance(inner, Mapping) else None
        if isinstance(message, str):
            return status + message
    return error.message


def _shown(text: str, endpoint: Endpoint) -> str:
    # A server may echo the key it was sent; messages go to the journal and to the screen.
    if endpoint.api_key:
        text = text.replace(endpoint.api_key, "[key]")
    text = encodable(text)
    if len(text) > _MESSAGE_CHARACTERS:
        text = text[:_MESSAGE_CHARACTERS] + " …"
    return f"{endpoint.name}: {text}"
