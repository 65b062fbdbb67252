"""The wire format of OpenAI Chat Completions (`POST /v1/chat/completions`).

Thinking is sent as `reasoning_content`, as the compatible servers that show it do; OpenAI's own
does not. Source: the provider's API reference for chat, streaming and errors, and the SDK's types.
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
from capbox.models.script import Heard, ScriptedCall

_SYSTEM = ("system", "developer")
CREATED = 1_700_000_000  # a fixed time, so that the same request gets the same bytes


class OpenAIWire:
    """OpenAI's dialect."""

    def refusal(self, request: Received) -> Refusal | None:
        """Return what the API answers to a request it does not take."""
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return Refusal(401, "You didn't provide an API key.")
        if "model" not in request.body:
            return Refusal(400, "you must provide a model parameter")
        if "messages" not in request.body:
            return Refusal(400, "Missing required parameter: 'messages'.")
        messages = messages_in(request.body)
        if not messages:
            return Refusal(400, "Invalid 'messages': empty array.")
        return _unanswered(messages)

    def streams(self, request: Received) -> bool:
        """Say whether the answer comes as a stream."""
        return request.body.get("stream") is True

    def heard(self, request: Received) -> Heard:
        """Return what the request tells the model."""
        messages = messages_in(request.body)
        system = [one for one in messages if one.get("role") in _SYSTEM]
        others = [one for one in messages if one.get("role") not in (*_SYSTEM, "assistant")]
        return heard_in(system, others, len(messages) - len(system) - len(others))

    def events(self, turn: Turn) -> tuple[bytes, ...]:
        """Return the chunks, the usage chunk if it is asked for, and [DONE]."""
        return (*(_sse(chunk) for chunk in _chunks(turn)), b"data: [DONE]\n\n")

    def whole(self, turn: Turn) -> JsonObject:
        """Return the chat.completion object."""
        message: dict[str, Json] = {"role": "assistant", "content": turn.reply.text or None}
        if turn.reply.thinking:
            message["reasoning_content"] = turn.reply.thinking
        if turn.reply.tool_calls:
            message["tool_calls"] = [
                _call(turn, place, call) for place, call in enumerate(turn.reply.tool_calls)
            ]
        choice: dict[str, Json] = {"index": 0, "message": message, "logprobs": None}
        return {
            **_opening(turn, "chat.completion"),
            "choices": [{**choice, "finish_reason": _finish_reason(turn)}],
            "usage": _usage(turn),
        }

    def overflow(self) -> JsonObject:
        """Return the error for a conversation that does not fit."""
        said = "This model's maximum context length is 128000 tokens; your messages have 128001."
        code = "context_length_exceeded"
        kind = "invalid_request_error"
        return {"error": {"message": said, "type": kind, "param": "messages", "code": code}}

    def models(self) -> JsonObject:
        """Return the list of models."""
        model: JsonObject = {"id": MODEL, "object": "model", "created": CREATED, "owned_by": "me"}
        return {"object": "list", "data": [model]}

    def broken_event(self) -> bytes:
        """Return an event that is not JSON."""
        return b'data: {"choices": [\n\n'

    def error(self, status: int, message: str) -> JsonObject:
        """Return the error object."""
        kind, code = _error_type(status)
        return {"error": {"message": message, "type": kind, "param": None, "code": code}}

    def error_event(self) -> bytes:
        """Return the chunk a failing provider ends a stream with."""
        return _sse(self.error(500, "The server had an error while processing your request."))


def _unanswered(messages: tuple[JsonObject, ...]) -> Refusal | None:
    """Refuse tool calls that are not all answered before anybody else speaks."""
    waiting: set[Json] = set()
    for message in (*messages, {"role": "end"}):
        if message.get("role") == "tool":
            waiting.discard(message.get("tool_call_id"))
        elif waiting and message.get("role") != "tool":
            return Refusal(
                400,
                "An assistant message with 'tool_calls' must be followed by tool messages"
                " responding to each 'tool_call_id'. The following tool_call_ids did not have"
                f" response messages: {', '.join(sorted(str(call) for call in waiting))}",
            )
        waiting |= {call.get("id") for call in objects(message.get("tool_calls"))}
    return None


def _chunks(turn: Turn) -> Iterator[JsonObject]:
    yield _chunk(turn, {"role": "assistant", "content": ""})
    for piece in pieces(turn.reply.thinking):
        yield _chunk(turn, {"reasoning_content": piece})
    for piece in pieces(turn.reply.text):
        yield _chunk(turn, {"content": piece})
    for index, call in enumerate(turn.reply.tool_calls):
        yield from _streamed_call(turn, index, call)
    yield _chunk(turn, {}, _finish_reason(turn))
    options = turn.request.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage") is True:
        yield {
            **_opening(turn, "chat.completion.chunk"),
            "choices": [],
            "usage": _usage(turn),
        }


def _streamed_call(turn: Turn, index: int, call: ScriptedCall) -> Iterator[JsonObject]:
    opening = _call(turn, index, ScriptedCall(call.name, ""))
    yield _chunk(turn, {"tool_calls": [{"index": index, **opening}]})
    for piece in pieces(call.arguments):
        yield _chunk(turn, {"tool_calls": [{"index": index, "function": {"arguments": piece}}]})


def _chunk(turn: Turn, delta: JsonObject, finish_reason: str | None = None) -> JsonObject:
    choice: dict[str, Json] = {"index": 0, "delta": delta, "logprobs": None}
    return {
        **_opening(turn, "chat.completion.chunk"),
        "choices": [{**choice, "finish_reason": finish_reason}],
    }


def _call(turn: Turn, place: int, call: ScriptedCall) -> dict[str, Json]:
    return {
        "id": turn.call_id("call", place),
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def _opening(turn: Turn, kind: str) -> dict[str, Json]:
    return {
        "id": f"chatcmpl-{turn.number}",
        "object": kind,
        "created": CREATED,
        "model": turn.model,
        "system_fingerprint": "fp_fake",
    }


def _usage(turn: Turn) -> JsonObject:
    usage = turn.usage
    prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output_tokens,
        "total_tokens": prompt + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
    }


def _finish_reason(turn: Turn) -> str:
    early = {"length": "length", "refused": "content_filter", None: None}[turn.reply.stop]
    return early or ("tool_calls" if turn.reply.tool_calls else "stop")


def _error_type(status: int) -> tuple[str, str | None]:
    match status:
        case 401:
            return "invalid_request_error", "invalid_api_key"
        case 429:
            return "requests", "rate_limit_exceeded"
        case _ if status >= 500:
            return "server_error", None
        case _:
            return "invalid_request_error", None


def _sse(chunk: JsonObject) -> bytes:
    return f"data: {json.dumps(chunk)}\n\n".encode()
