"""Servers whose answer has no end, or is far more than it looks: it is read up to a bound."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from capbox.messages import Json, UserMessage
from capbox.models.catalog.table import PROVIDERS
from capbox.models.direct import DirectModel
from capbox.models.model import ModelError, ModelRequest, Reply
from capbox.models.providers.endpoint import Endpoint

ASK = ModelRequest("", (UserMessage("Go."),))
PATHS: dict[str, str] = {
    "anthropic": "/v1/messages",
    "openai": "/chat/completions",
    "openai-responses": "/responses",
    "google": "/v1beta/models/m:streamGenerateContent",
}
MB = 1_000_000


def chunk(delta: Json, finish_reason: str | None = None) -> bytes:
    """Return one chunk of OpenAI's stream."""
    choice: Json = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps({**head, 'choices': [choice]})}\n\n".encode()


def call(index: int) -> Json:
    """Return the delta of one small call."""
    function = {"name": "read", "arguments": "{}"}
    return {"tool_calls": [{"index": index, "id": f"c{index}", "function": function}]}


def arguments(text: str) -> Json:
    """Return a further piece of the arguments of a call."""
    return {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}


END = chunk({}, "stop") + b"data: [DONE]\n\n"


def texts(count: int, characters: int) -> Iterator[bytes]:
    """Yield a reply of `count` deltas."""
    for _ in range(count):
        yield chunk({"role": "assistant", "content": "A" * characters})
    yield END


def calls(count: int) -> Iterator[bytes]:
    """Yield a reply of `count` calls."""
    yield from map(chunk, map(call, range(count)))
    yield chunk({}, "tool_calls") + b"data: [DONE]\n\n"


def one_call(count: int, characters: int) -> Iterator[bytes]:
    """Yield a reply with one call, with long arguments."""
    yield chunk(call(0))
    for _ in range(count):
        yield chunk(arguments("A" * characters))
    yield chunk({}, "tool_calls") + b"data: [DONE]\n\n"


def comments(megabytes: int) -> Iterator[bytes]:
    """Yield what a reader of a stream is to ignore."""
    for _ in range(megabytes * 10):
        yield b": " + b"A" * 100_000 + b"\n\n"


def one_event(megabytes: int, end: bytes) -> Iterator[bytes]:
    """Yield one event, as one line or as many."""
    for _ in range(megabytes * 10):
        yield b"data: " + b"A" * 99_993 + end


def at(
    httpserver: HTTPServer, provider: str, body: Callable[[], Iterator[bytes]], **headers: str
) -> DirectModel:
    """Serve an answer, piece by piece, and open a model there."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    httpserver.expect_request(PATHS[provider]).respond_with_handler(
        lambda _: Response(body(), headers=named, content_type="text/event-stream")
    )
    return DirectModel(Endpoint(PROVIDERS[provider], "m", httpserver.url_for(""), "sk-secret-key"))


async def refusal(model: DirectModel) -> ModelError:
    with pytest.raises(ModelError) as raised:
        async for heard in model.stream(ASK):
            assert not isinstance(heard, Reply)
    return raised.value


@pytest.mark.parametrize("status", [200, 400])
async def test_an_answer_that_is_packed_is_not_read(
    httpserver: HTTPServer, provider: str, status: int
) -> None:
    packed = gzip.compress(b" " * 20 * MB)
    httpserver.expect_request(PATHS[provider]).respond_with_data(
        packed, status, {"content-encoding": "GZip"}, content_type="text/event-stream"
    )
    model = DirectModel(Endpoint(PROVIDERS[provider], "m", httpserver.url_for(""), "sk-secret-key"))
    error = await refusal(model)
    assert (error.kind, str(error)) == (
        "provider",
        f"{provider}/m: the answer is packed ('gzip'), which it was asked not to be: "
        "it is not read",
    )
    assert httpserver.log[0][0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
async def test_an_event_without_end_is_an_error(
    httpserver: HTTPServer, provider: str, end: bytes
) -> None:
    error = await refusal(at(httpserver, provider, lambda: one_event(20, end)))
    assert (error.kind, str(error)) == (
        "provider",
        f"{provider}/m: one event of the answer is longer than 16000000 bytes",
    )


async def test_an_answer_without_end_is_an_error(httpserver: HTTPServer) -> None:
    error = await refusal(at(httpserver, "openai", lambda: comments(66)))
    assert (error.kind, str(error)) == (
        "provider",
        "openai/m: the answer is longer than 64000000 bytes",
    )


@pytest.mark.parametrize(
    "body",
    [
        lambda: texts(130, 100_000),
        lambda: one_call(130, 100_000),
        lambda: calls(1_100),
    ],
)
async def test_a_reply_beyond_what_any_model_writes_is_an_error(
    httpserver: HTTPServer, body: Callable[[], Iterator[bytes]]
) -> None:
    error = await refusal(at(httpserver, "openai", body))
    assert (error.kind, str(error)) == (
        "provider",
        "openai/m: the reply is longer than 12000000 characters",
    )


@pytest.mark.parametrize(
    ("body", "characters", "made"),
    [
        (lambda: texts(8_000, 5), 40_000, 0),
        (lambda: texts(4, 2_900_000), 11_600_000, 0),
        (lambda: calls(300), 0, 300),
        # What is ignored counts for the answer, not for the reply.
        (lambda: iter([*comments(20), *texts(1, 7 * MB // 2)]), 7 * MB // 2, 0),
    ],
)
async def test_a_long_reply_is_a_reply(
    httpserver: HTTPServer, body: Callable[[], Iterator[bytes]], characters: int, made: int
) -> None:
    model = at(httpserver, "openai", body, content_encoding="identity")
    reply = [heard async for heard in model.stream(ASK)][-1]
    assert isinstance(reply, Reply)
    assert (len(reply.message.text), len(reply.message.tool_calls)) == (characters, made)
