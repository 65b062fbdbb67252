"""The wire format of Google's Gemini API (`POST /v1beta/models/NAME:streamGenerateContent`).

Arguments of calls are JSON objects here and come whole: ones that are no JSON become what the
provider says of a model that wrote such, the finish reason MALFORMED_FUNCTION_CALL.
Source: the provider's API reference for generateContent, and the SDK's types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from capbox.messages import Json, JsonObject
from capbox.models.fake_llm.dialect import MODEL, Received, Refusal, Turn, heard_in, objects, pieces
from capbox.models.script import Heard, ScriptedCall

_SIGNATURE = "c2lnbmF0dXJl"
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_STOPS = {"length": "MAX_TOKENS", "refused": "SAFETY"}


class GoogleWire:
    """Google's dialect."""

    def refusal(self, request: Received) -> Refusal | None:
        """Return what the API answers to a request it does not take."""
        if not request.headers.get("x-goog-api-key"):
            return Refusal(403, "Method doesn't allow unregistered callers.")
        contents = objects(request.body.get("contents"))
        if not contents:
            return Refusal(400, "* GenerateContentRequest.contents: contents is not specified")
        return _unanswered(contents)

    def streams(self, request: Received) -> bool:
        """Say whether the answer comes as a stream: here the path says so."""
        return ":streamGenerateContent" in request.path

    def heard(self, request: Received) -> Heard:
        """Return what the request tells the model."""
        contents = objects(request.body.get("contents"))
        others = [one for one in contents if one.get("role") != "model"]
        return heard_in(request.body.get("systemInstruction"), others, len(contents) - len(others))

    def events(self, turn: Turn) -> tuple[bytes, ...]:
        """Return the chunks; the last one says why it ends."""
        parts = list(_parts(turn, split=True))
        chunks = [_chunk(turn, [part]) for part in parts] or [_chunk(turn, [{"text": ""}])]
        last = {**chunks[-1], "candidates": [_ended(turn, chunks[-1])]}
        return tuple(_sse(chunk) for chunk in [*chunks[:-1], last])

    def whole(self, turn: Turn) -> JsonObject:
        """Return the whole answer."""
        chunk = _chunk(turn, list(_parts(turn, split=False)))
        return {**chunk, "candidates": [_ended(turn, chunk)]}

    def overflow(self) -> JsonObject:
        """Return the error for a conversation that does not fit."""
        most = 1_048_576
        said = f"The input token count ({most + 1}) exceeds the maximum number of tokens allowed"
        return self.error(400, f"{said} ({most}).")

    def models(self) -> JsonObject:
        """Return the list of models."""
        return {"models": [{"name": f"models/{MODEL}", "displayName": MODEL}]}

    def broken_event(self) -> bytes:
        """Return an event that is not JSON."""
        return b'data: {"candidates": [\r\n\r\n'

    def error(self, status: int, message: str) -> JsonObject:
        """Return the error object."""
        said = _STATUSES.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
        return {"error": {"code": status, "message": message, "status": said}}

    def error_event(self) -> bytes:
        """Return the chunk a failing provider ends a stream with."""
        return _sse(self.error(503, "The model is overloaded. Please try again later."))


def _unanswered(contents: tuple[JsonObject, ...]) -> Refusal | None:
    for content, after in zip(contents, (*contents[1:], {}), strict=True):
        called = sum("functionCall" in part for part in objects(content.get("parts")))
        answered = sum("functionResponse" in part for part in objects(after.get("parts")))
        if called and called != answered:
            return Refusal(
                400,
                "Please ensure that the number of function response parts is equal to the number"
                " of function call parts of the function call turn.",
            )
    return None


def _object(call: ScriptedCall) -> Json:
    """Return the arguments of a call; None: they are no JSON object."""
    try:
        parsed: Json = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _parts(turn: Turn, *, split: bool) -> Iterator[JsonObject]:
    reply = turn.reply
    for piece in pieces(reply.thinking) if split else filter(None, [reply.thinking]):
        yield {"text": piece, "thought": True}
    for piece in pieces(reply.text) if split else filter(None, [reply.text]):
        yield {"text": piece}
    for place, call in enumerate(reply.tool_calls):
        arguments = _object(call)
        if arguments is None:
            return
        named: JsonObject = {
            "id": turn.call_id("call", place),
            "name": call.name,
            "args": arguments,
        }
        # The first call of a turn is signed.
        signed: JsonObject = {} if place else {"thoughtSignature": _SIGNATURE}
        yield {"functionCall": named, **signed}


def _chunk(turn: Turn, parts: list[JsonObject]) -> JsonObject:
    usage = turn.usage
    prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "cachedContentTokenCount": usage.cache_read_tokens,
            "candidatesTokenCount": usage.output_tokens,
            "totalTokenCount": prompt + usage.output_tokens,
        },
        "modelVersion": turn.model,
        "responseId": f"response-{turn.number}",
    }


def _ended(turn: Turn, chunk: JsonObject) -> JsonObject:
    """Return the candidate of a chunk, with why the reply ends."""
    (candidate,) = objects(chunk["candidates"])
    spoiled = any(_object(call) is None for call in turn.reply.tool_calls)
    stop = _STOPS.get(turn.reply.stop or "", "STOP")
    return {**candidate, "finishReason": "MALFORMED_FUNCTION_CALL" if spoiled else stop}


def _sse(chunk: JsonObject) -> bytes:
    return f"data: {json.dumps(chunk)}\r\n\r\n".encode()
