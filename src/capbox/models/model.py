"""The Model seam: what the agent loop asks of a language model, and what it hears back.

Guarantees: every value is frozen; a stream ends in exactly one `Reply`, or raises `ModelError`, or
is cancelled. There is no fourth way: a reply that was cut short is never a `Reply`.
Does not: keep a conversation, or run tools; the loop does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

from capbox.messages import AssistantMessage, JsonObject, Message, Usage

Stop = Literal["end", "tool_calls", "length", "refused"]
"""Why a whole reply ended: by itself, to have tools run, at the token bound, or by a filter."""

ErrorKind = Literal[
    "authentication",
    "invalid_request",
    "context_length",
    "rate_limit",
    "quota",
    "overloaded",
    "provider",
    "connection",
    "cut",
    "stalled",
    "script",
]

Effort = Literal["low", "medium", "high", "max"]
"""How hard a model is to think, where it can be told."""


class ModelError(Exception):
    """A model gave no whole reply.

    `authentication` no key, or refused (401, 403) · `invalid_request` any other 4xx ·
    `context_length` the conversation does not fit · `rate_limit` 429 · `quota` no credit left ·
    `overloaded` 503 or 529 · `provider` other 5xx, or an answer that is not the protocol ·
    `connection` no answer at all · `cut` the stream ended before the reply did · `stalled` silence
    for longer than the adapter waits · `script` a scripted model has no reply left.
    An error inside a stream has the kind it would have had as a status.
    """

    def __init__(self, kind: ErrorKind, message: str, *, retry_after: float | None = None) -> None:
        """Keep what a run reports; `retry_after` is in seconds, if the provider named a time."""
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model is told of it; `input_schema` is a JSON Schema of type object."""

    name: str
    description: str
    input_schema: JsonObject


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """Everything one reply depends on: a request can be sent again, to any model.

    `effort` None leaves it to the provider, as does a model that does not think.
    """

    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_output_tokens: int = 8_192
    effort: Effort | None = None

    @property
    def replies_so_far(self) -> int:
        """Return how many replies of a model the conversation already holds."""
        return sum(isinstance(message, AssistantMessage) for message in self.messages)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A further piece of the reply's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """A further piece of the thinking the provider shows."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole reply, last in its stream.

    `usage` is None when nobody said what it took, `usd` when the price is not known.
    """

    message: AssistantMessage
    usage: Usage | None
    usd: float | None
    stop: Stop


ModelEvent = TextDelta | ThinkingDelta | Reply


class Model(Protocol):
    """A language model: one request in, one stream of events out."""

    @property
    def name(self) -> str:
        """Return the specification it was opened by, such as `anthropic/NAME`."""
        ...

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Yield the reply as it comes: deltas, then one `Reply`.

        Raises:
            ModelError: there is no whole reply, for whatever reason; deltas may have come before.
        """
        ...
