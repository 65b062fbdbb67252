"""The wire format of OpenAI Responses (`POST /v1/responses`).

Source: the provider's API reference for responses and their streaming events, and the SDK's types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from capbox.messages import Json, JsonObject
from capbox.models.fake_llm.dialect import Received, Refusal, Turn, heard_in, objects, pieces
from capbox.models.fake_llm.openai_wire import CREATED, OpenAIWire
from capbox.models.script import Heard


class ResponsesWire(OpenAIWire):
    """OpenAI's newer dialect; keys and errors are those of the older one."""

    def refusal(self, request: Received) -> Refusal | None:
        """Return what the API answers to a request it does not take."""
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return Refusal(401, "You didn't provide an API key.")
        if "model" not in request.body:
            return Refusal(400, "you must provide a model parameter")
        items = objects(request.body.get("input"))
        if not items:
            return Refusal(400, "Missing required parameter: 'input'.")
        called = {item.get("call_id") for item in items if item.get("type") == "function_call"}
        answered = {
            item.get("call_id") for item in items if item.get("type") == "function_call_output"
        }
        if missing := called - answered:
            names = ", ".join(sorted(str(call) for call in missing))
            return Refusal(400, f"No tool output found for function call {names}.")
        return None

    def heard(self, request: Received) -> Heard:
        """Return what the request tells the model; a reply is a run of items that it wrote."""
        items = objects(request.body.get("input"))
        written = [_is_models(item) for item in items]
        before = [False, *written[:-1]]
        replies = sum(now and not then for now, then in zip(written, before, strict=True))
        others = [item for item, own in zip(items, written, strict=True) if not own]
        return heard_in(request.body.get("instructions"), others, replies)

    def events(self, turn: Turn) -> tuple[bytes, ...]:
        """Return response.created, each item with its deltas, and response.completed."""
        numbered = enumerate(_events(turn))
        return tuple(_sse({**event, "sequence_number": number}) for number, event in numbered)

    def whole(self, turn: Turn) -> JsonObject:
        """Return the response object."""
        return _response(turn, _status(turn), [item for item, _ in _items(turn)])

    def error_event(self) -> bytes:
        """Return the event a failing provider ends a stream with."""
        said = "The server had an error while processing your request."
        error = {"type": "error", "code": "server_error", "message": said, "param": None}
        return _sse({**error, "sequence_number": 1_000})


def _is_models(item: JsonObject) -> bool:
    if item.get("type") in ("function_call", "reasoning"):
        return True
    return item.get("role") == "assistant"


def _status(turn: Turn) -> str:
    return "incomplete" if turn.reply.stop in ("length", "refused") else "completed"


def _events(turn: Turn) -> Iterator[JsonObject]:
    yield {"type": "response.created", "response": _response(turn, "in_progress", [])}
    items = list(_items(turn))
    for place, (item, deltas) in enumerate(items):
        where: dict[str, Json] = {"output_index": place, "item_id": item["id"]}
        yield {"type": "response.output_item.added", "output_index": place, "item": _empty(item)}
        for kind, fields in deltas:
            yield {"type": kind, **where, **fields}
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    status = _status(turn)
    response = _response(turn, status, [item for item, _ in items])
    yield {"type": f"response.{status}", "response": response}


Deltas = list[tuple[str, JsonObject]]


def _items(turn: Turn) -> Iterator[tuple[JsonObject, Deltas]]:
    reply = turn.reply
    if reply.thinking:
        summary: JsonObject = {"type": "summary_text", "text": reply.thinking}
        yield (
            {
                "id": f"rs_{turn.number}",
                "type": "reasoning",
                "summary": [summary],
                "encrypted_content": "c2lnbmF0dXJl",
                "status": "completed",
            },
            _thinking(reply.thinking),
        )
    if reply.text:
        part: JsonObject = {"type": "output_text", "text": reply.text, "annotations": []}
        yield (
            {
                "id": f"msg_{turn.number}",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [part],
            },
            _text(reply.text),
        )
    for place, call in enumerate(reply.tool_calls):
        yield (
            {
                "id": f"fc_{turn.number}_{place}",
                "type": "function_call",
                "call_id": turn.call_id("call", place),
                "name": call.name,
                "arguments": call.arguments,
                "status": "completed",
            },
            _arguments(call.arguments),
        )


def _thinking(text: str) -> Deltas:
    part: JsonObject = {"type": "summary_text", "text": ""}
    deltas: Deltas = [("response.reasoning_summary_part.added", {"summary_index": 0, "part": part})]
    for piece in pieces(text):
        fields: JsonObject = {"summary_index": 0, "delta": piece}
        deltas.append(("response.reasoning_summary_text.delta", fields))
    return deltas


def _arguments(text: str) -> Deltas:
    kind = "response.function_call_arguments"
    deltas: Deltas = [(f"{kind}.delta", {"delta": piece}) for piece in pieces(text)]
    return [*deltas, (f"{kind}.done", {"arguments": text})]


def _text(text: str) -> Deltas:
    part: JsonObject = {"type": "output_text", "text": "", "annotations": []}
    deltas: Deltas = [("response.content_part.added", {"content_index": 0, "part": part})]
    for piece in pieces(text):
        fields: JsonObject = {"content_index": 0, "delta": piece, "logprobs": []}
        deltas.append(("response.output_text.delta", fields))
    done: JsonObject = {"content_index": 0, "text": text, "logprobs": []}
    return [*deltas, ("response.output_text.done", done)]


def _empty(item: JsonObject) -> JsonObject:
    """Return an item as it starts."""
    match item["type"]:
        case "reasoning":
            return {**item, "summary": [], "encrypted_content": None, "status": "in_progress"}
        case "message":
            return {**item, "content": [], "status": "in_progress"}
        case _:
            return {**item, "arguments": "", "status": "in_progress"}


def _response(turn: Turn, status: str, output: list[JsonObject]) -> JsonObject:
    reasons = {"length": "max_output_tokens", "refused": "content_filter"}
    reason = reasons.get(turn.reply.stop or "") if status == "incomplete" else None
    return {
        "id": f"resp_{turn.number}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "model": turn.model,
        "output": output,
        "error": None,
        "incomplete_details": None if reason is None else {"reason": reason},
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None if status == "in_progress" else _usage(turn),
    }


def _usage(turn: Turn) -> JsonObject:
    usage = turn.usage
    read, write = usage.cache_read_tokens, usage.cache_write_tokens
    whole = usage.input_tokens + read + write
    return {
        "input_tokens": whole,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": write},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": whole + usage.output_tokens,
    }


def _sse(event: JsonObject) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
