"""The wire format of Anthropic Messages (`POST /v1/messages`).

Source: the provider's API reference for messages, streaming and errors, and what the SDK parses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from capbox.messages import Json, JsonObject
from capbox.models.fake_llm.dialect import (
    MODEL,
    Received,
    Refusal,
    Turn,
    heard_in,
    messages_in,
    objects,
    pieces,
)
from capbox.models.script import Heard

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class AnthropicWire:
    """Anthropic's dialect."""

    def refusal(self, request: Received) -> Refusal | None:
        """Return what the API answers to a request it does not take."""
        headers, body = request.headers, request.body
        if not headers.get("x-api-key") and not headers.get("authorization"):
            return Refusal(401, "x-api-key header is required")
        if "anthropic-version" not in headers:
            return Refusal(400, "anthropic-version: header is required")
        for key in ("model", "max_tokens", "messages"):
            if key not in body:
                return Refusal(400, f"{key}: Field required")
        messages = messages_in(body)
        if not messages:
            return Refusal(400, "messages: at least one message is required")
        if messages[0].get("role") != "user":
            return Refusal(400, 'messages: first message must use the "user" role')
        return _unanswered(messages)

    def streams(self, request: Received) -> bool:
        """Say whether the answer comes as a stream."""
        return request.body.get("stream") is True

    def heard(self, request: Received) -> Heard:
        """Return what the request tells the model."""
        messages = messages_in(request.body)
        others = [one for one in messages if one.get("role") != "assistant"]
        return heard_in(request.body.get("system"), others, len(messages) - len(others))

    def events(self, turn: Turn) -> tuple[bytes, ...]:
        """Return message_start, ping, the blocks, message_delta and message_stop."""
        return tuple(_sse(event) for event in _stream(turn))

    def whole(self, turn: Turn) -> JsonObject:
        """Return the message object."""
        return {
            **_opening(turn),
            "content": [_parsed(block) for block in _blocks(turn)],
            "stop_reason": _stop_reason(turn),
            "usage": _usage(turn),
        }

    def overflow(self) -> JsonObject:
        """Return the error for a conversation that does not fit."""
        return self.error(400, "prompt is too long: 200001 tokens > 200000 maximum")

    def models(self) -> JsonObject:
        """Return the list of models."""
        model: JsonObject = {"id": MODEL, "type": "model", "display_name": MODEL}
        return {"data": [model], "has_more": False, "first_id": MODEL, "last_id": MODEL}

    def broken_event(self) -> bytes:
        """Return an event that is not JSON."""
        return b'event: content_block_delta\ndata: {"type": "content_block_delta", \n\n'

    def error(self, status: int, message: str) -> JsonObject:
        """Return the error object."""
        kind = _ERROR_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
        return {
            "type": "error",
            "error": {"type": kind, "message": message},
            "request_id": "req_fake",
        }

    def error_event(self) -> bytes:
        """Return the event an overloaded provider ends a stream with."""
        return _sse(self.error(529, "Overloaded"))


def _unanswered(messages: tuple[JsonObject, ...]) -> Refusal | None:
    """Refuse tool calls whose results are not all in the very next message."""
    following: tuple[JsonObject, ...] = (*messages[1:], {})
    for message, after in zip(messages, following, strict=True):
        called = {
            block.get("id")
            for block in objects(message.get("content"))
            if block.get("type") == "tool_use"
        }
        answered = {block.get("tool_use_id") for block in objects(after.get("content"))}
        if missing := called - answered:
            return Refusal(
                400,
                "messages: `tool_use` ids were found without `tool_result` blocks immediately"
                f" after: {', '.join(sorted(str(call) for call in missing))}",
            )
    return None


def _stream(turn: Turn) -> Iterator[JsonObject]:
    start_usage = {**_usage(turn), "output_tokens": 1}
    yield {"type": "message_start", "message": {**_opening(turn), "usage": start_usage}}
    yield {"type": "ping"}
    for index, block in enumerate(_blocks(turn)):
        yield from _streamed_block(index, block)
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": _stop_reason(turn), "stop_sequence": None},
        "usage": {"output_tokens": turn.usage.output_tokens},
    }
    yield {"type": "message_stop"}


def _streamed_block(index: int, block: JsonObject) -> Iterator[JsonObject]:
    empty, deltas = _unrolled(block)
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _unrolled(block: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """Return a block as it starts, and the deltas that fill it."""
    match block:
        case {"type": "text", "text": str(text)}:
            deltas: list[JsonObject] = [{"type": "text_delta", "text": p} for p in pieces(text)]
            return {**block, "text": ""}, deltas
        case {"type": "thinking", "thinking": str(text), "signature": signature}:
            deltas = [{"type": "thinking_delta", "thinking": p} for p in pieces(text)]
            deltas.append({"type": "signature_delta", "signature": signature})
            return {**block, "thinking": "", "signature": ""}, deltas
        case _:
            text = str(block.get("input"))
            deltas = [{"type": "input_json_delta", "partial_json": p} for p in ("", *pieces(text))]
            return {**block, "input": {}}, deltas


def _blocks(turn: Turn) -> Iterator[JsonObject]:
    """Yield whole blocks; the input of a tool call is JSON text, as the deltas need it."""
    if turn.reply.thinking:
        yield {"type": "thinking", "thinking": turn.reply.thinking, "signature": "c2lnbmF0dXJl"}
    if turn.reply.text:
        yield {"type": "text", "text": turn.reply.text}
    for place, call in enumerate(turn.reply.tool_calls):
        yield {
            "type": "tool_use",
            "id": turn.call_id("toolu", place),
            "name": call.name,
            "input": call.arguments,
        }


def _parsed(block: JsonObject) -> JsonObject:
    """Return a block with the input of a tool call as JSON, if it is JSON."""
    if block["type"] != "tool_use":
        return block
    try:
        return {**block, "input": json.loads(str(block["input"]))}
    except ValueError:
        return block


def _opening(turn: Turn) -> dict[str, Json]:
    return {
        "id": f"msg_{turn.number}",
        "type": "message",
        "role": "assistant",
        "model": turn.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _usage(turn: Turn) -> dict[str, Json]:
    return {
        "input_tokens": turn.usage.input_tokens,
        "cache_creation_input_tokens": turn.usage.cache_write_tokens,
        "cache_read_input_tokens": turn.usage.cache_read_tokens,
        "output_tokens": turn.usage.output_tokens,
    }


def _stop_reason(turn: Turn) -> str:
    early = {"length": "max_tokens", "refused": "refusal", None: None}[turn.reply.stop]
    return early or ("tool_use" if turn.reply.tool_calls else "end_turn")


def _sse(event: JsonObject) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
