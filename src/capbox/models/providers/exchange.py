"""One request and its streamed reply, over pydantic-ai's direct API.

Guarantees: a `Reply` is yielded only after the provider said why the reply ended; an error, a cut
or silence in the middle of the stream is a `ModelError`, and so is a reply without end.
Does not: keep connections between requests (a model value may be used from several event loops).
Imports pydantic-ai, which takes seconds: import this module lazily.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Final

from pydantic_ai import messages as wire
from pydantic_ai.direct import model_request_stream
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.models import StreamedResponse
from pydantic_ai.usage import RequestUsage

from capbox.messages import AssistantMessage, ToolCall, Usage
from capbox.models.arguments import tool_call
from capbox.models.model import (
    ModelError,
    ModelEvent,
    ModelRequest,
    Reply,
    Stop,
    TextDelta,
    ThinkingDelta,
)
from capbox.models.pricing import price_usd
from capbox.models.providers.clients import wire_model
from capbox.models.providers.conversation import wire_messages, wire_parameters
from capbox.models.providers.endpoint import Endpoint
from capbox.models.providers.failures import broken, failed
from capbox.models.providers.http import http_client
from capbox.models.providers.settings import wire_settings
from capbox.models.providers.signed import Signer, kept
from capbox.models.unicode import encodable

_STOPS: Final[dict[str, Stop]] = {
    "stop": "end",
    "tool_call": "tool_calls",
    "length": "length",
    "content_filter": "refused",
}

# No reply has so many tokens: who says so counts nothing that anybody could pay for.
_TOKENS_MAX = 1_000_000_000
_REASON_CHARACTERS = 200
# Three million tokens; no model writes as many at once.
_REPLY_CHARACTERS_MAX: Final = 12_000_000
# What a call or a text weighs, be it empty: the library looks through all of them for each event.
_PART_CHARACTERS: Final = 12_000

# The libraries check little of what a server sends, and trip over the rest in these ways.
_TRIPPED = (ValueError, TypeError, AttributeError, LookupError, AssertionError)


async def exchange(endpoint: Endpoint, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
    """Send a request and yield its deltas, then the reply.

    Raises:
        ModelError: there is no whole reply.
    """
    opened = False
    try:
        async with (
            http_client(endpoint) as http,
            model_request_stream(
                model := wire_model(endpoint, http),
                wire_messages(
                    request.messages,
                    endpoint.abilities,
                    signer := Signer(model.system, endpoint.model),
                ),
                model_settings=wire_settings(endpoint, request, model, signer),
                model_request_parameters=wire_parameters(request),
                instrument=False,
            ) as stream,
        ):
            opened = True
            size = 0
            async for event in stream:
                size += _size(event)
                if size > _REPLY_CHARACTERS_MAX:
                    said = f"the reply is longer than {_REPLY_CHARACTERS_MAX} characters"
                    raise ModelError("provider", f"{endpoint.name}: {said}")
                if delta := _delta(event):
                    yield delta
            reply = _reply(endpoint, signer, stream)
    except (AgentRunError, UserError) as error:
        # What `http` says about the answer, under what the libraries made of it.
        raise _own(error) or failed(error, endpoint, opened=opened) from error
    except _TRIPPED as error:
        raise broken(error, endpoint) from error
    # Only now, with the connection closed: a reader may stop at the reply.
    yield reply


def _own(error: BaseException) -> ModelError | None:
    below = error.__cause__ or error.__context__
    if below is None or isinstance(below, ModelError):
        return below
    return _own(below)


def _size(event: wire.ModelResponseStreamEvent) -> int:
    """Return about how many characters more the reply holds with `event`.

    Attack: a server that takes no notice of the most tokens that it was asked for.
    """
    match event:
        case wire.PartStartEvent(part=wire.TextPart(content=str(text))):
            return _PART_CHARACTERS + len(text)
        case wire.PartStartEvent(part=wire.ThinkingPart(content=str(text))):
            return _PART_CHARACTERS + len(text)
        case wire.PartStartEvent(part=wire.ToolCallPart(args=str(text))):
            return _PART_CHARACTERS + len(text)
        case wire.PartStartEvent():
            return _PART_CHARACTERS
        case wire.PartDeltaEvent(delta=wire.TextPartDelta(content_delta=str(text))):
            return len(text)
        case wire.PartDeltaEvent(delta=wire.ThinkingPartDelta(content_delta=str(text))):
            return len(text)
        case wire.PartDeltaEvent(delta=wire.ToolCallPartDelta(args_delta=str(text))):
            return len(text)
        case _:
            return 0


def _delta(event: wire.ModelResponseStreamEvent) -> ModelEvent | None:
    match event:
        case wire.PartStartEvent(part=wire.TextPart(content=text)) if text:
            return TextDelta(encodable(text))
        case wire.PartStartEvent(part=wire.ThinkingPart(content=text)) if text:
            return ThinkingDelta(encodable(text))
        case wire.PartDeltaEvent(delta=wire.TextPartDelta(content_delta=text)) if text:
            return TextDelta(encodable(text))
        case wire.PartDeltaEvent(delta=wire.ThinkingPartDelta(content_delta=text)) if text:
            return ThinkingDelta(encodable(text))
        case _:
            return None


def _reply(endpoint: Endpoint, signer: Signer, stream: StreamedResponse) -> Reply:
    response = stream.get()
    calls = tuple(_call(part) for part in response.parts if isinstance(part, wire.ToolCallPart))
    thinking = "".join(encodable(part.content) for part in _thinking(response))
    message = AssistantMessage(_text(response), calls, thinking, kept(response, signer))
    stop = _stop(endpoint, response)
    if stop == "end" and calls:
        stop = "tool_calls"  # not every dialect has a reason of its own for them
    usage = _usage(response.usage)
    if usage is None or (usage.output_tokens == 0 and message != AssistantMessage("")):
        return Reply(message, None, None, stop)
    usd = price_usd(usage, endpoint, at=response.timestamp)
    return Reply(message, usage, usd, stop)


def _stop(endpoint: Endpoint, response: wire.ModelResponse) -> Stop:
    said = (response.provider_details or {}).get("finish_reason")
    if said is None and response.finish_reason != "content_filter":
        # pydantic-ai fills in "stop" here, which would make a cut stream a success.
        said = "the stream ended without saying why the reply did"
        raise ModelError("cut", f"{endpoint.name}: {said}")
    stop = _STOPS.get(response.finish_reason or "")
    if stop is None:
        reason = encodable(str(said))[:_REASON_CHARACTERS]
        said = f"the reply ended for a reason we do not know: {reason!r}"
        raise ModelError("provider", f"{endpoint.name}: {said}")
    return stop


def _text(response: wire.ModelResponse) -> str:
    text = "".join(part.content for part in response.parts if isinstance(part, wire.TextPart))
    refusal = (response.provider_details or {}).get("refusal")
    return encodable(text or (refusal if isinstance(refusal, str) else ""))


def _thinking(response: wire.ModelResponse) -> list[wire.ThinkingPart]:
    return [part for part in response.parts if isinstance(part, wire.ThinkingPart)]


def _call(part: wire.ToolCallPart) -> ToolCall:
    arguments = part.args if isinstance(part.args, str) else json.dumps(part.args or {})
    return tool_call(part.tool_call_id, part.tool_name, arguments)


def _usage(usage: RequestUsage) -> Usage | None:
    """Return what the provider said; None: nothing, or nothing that makes sense.

    Attack: a server leaves its usage out, or sends less than nothing, and no budget ever ends.
    """
    cache: tuple[object, ...] = (usage.cache_read_tokens, usage.cache_write_tokens)
    counts: tuple[object, ...] = (usage.input_tokens, usage.output_tokens, *cache)
    if not all(isinstance(count, int) and 0 <= count <= _TOKENS_MAX for count in counts):
        return None
    cached = usage.cache_read_tokens + usage.cache_write_tokens
    if not usage.input_tokens and not cached:
        return None  # no request is empty; the library gives zeros where it was told nothing
    return Usage(
        # pydantic-ai counts cached tokens as input; some servers report more cached than input.
        input_tokens=max(0, usage.input_tokens - cached),
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
