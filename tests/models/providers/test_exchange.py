"""Servers that answer 200 and then something that is not a whole reply."""

from __future__ import annotations

import json

import pytest
from pytest_httpserver import HTTPServer

from capbox.messages import AssistantMessage, Usage, UserMessage
from capbox.models.catalog.table import PROVIDERS
from capbox.models.direct import DirectModel
from capbox.models.model import ErrorKind, ModelError, ModelRequest, Reply, Stop
from capbox.models.providers.endpoint import Endpoint

ASK = ModelRequest("", (UserMessage("Go."),))
PATHS: dict[str, str] = {
    "anthropic": "/v1/messages",
    "openai": "/chat/completions",
    "openai-responses": "/responses",
    "google": "/v1beta/models/m:streamGenerateContent",
}


def chunk(delta: object, finish_reason: object = None) -> str:
    """Return one chunk of OpenAI's stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps({**body, 'choices': [choice]})}\n\n"


def event(kind: str, **fields: object) -> str:
    """Return one event of Anthropic's stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"


SAYS_HI = chunk({"role": "assistant", "content": "Hi"})
DONE = "data: [DONE]\n\n"
START = event(
    "message_start",
    message={
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
)
BLOCK = (
    event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    + event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hi"})
    + event("content_block_stop", index=0)
)


def ends(reason: str) -> str:
    """Return the events that end Anthropic's stream."""
    delta = {"stop_reason": reason, "stop_sequence": None}
    return event("message_delta", delta=delta, usage={"output_tokens": 2}) + event("message_stop")


def served(httpserver: HTTPServer, provider: str, body: str, content_type: str) -> DirectModel:
    """Serve one answer to everything, and open a model there."""
    httpserver.expect_request(PATHS[provider]).respond_with_data(body, content_type=content_type)
    return DirectModel(Endpoint(PROVIDERS[provider], "m", httpserver.url_for(""), "sk-secret-key"))


@pytest.mark.parametrize(
    ("provider", "body", "kind"),
    [
        # A clean end of the stream, where the SDK sees nothing wrong.
        ("openai", SAYS_HI + DONE, "cut"),
        ("openai", SAYS_HI, "cut"),
        ("anthropic", START + BLOCK, "cut"),
        ("openai", "", "provider"),
        ("anthropic", "", "provider"),
        ("openai", DONE, "provider"),
        ("anthropic", START + BLOCK + ends("pause_turn"), "provider"),
        ("openai", SAYS_HI + chunk({}, "guardrail_intervened") + DONE, "provider"),
        ("openai", SAYS_HI + "data: {not json\n\n", "provider"),
        ("anthropic", START + "event: content_block_delta\ndata: {not json\n\n", "provider"),
        ("openai", 'data: {"choices": [{"delta": 7}]}\n\n', "provider"),
        ("openai", 'data: {"choices": 7}\n\n', "provider"),
        ("openai", "data: [1]\n\n", "provider"),
        ("anthropic", 'event: message_start\ndata: {"message": 7}\n\n', "provider"),
        ("anthropic", START + event("content_block_delta", index=9, delta=7), "cut"),
        ("openai", 'data: {"error": {"message": "no sk-secret-key here"}}\n\n', "provider"),
        ("openai", "<html>Welcome to the hotel network</html>", "provider"),
        ("anthropic", "<html>Welcome to the hotel network</html>", "provider"),
    ],
)
async def test_an_answer_that_is_no_whole_reply_is_an_error(
    httpserver: HTTPServer, provider: str, body: str, kind: ErrorKind
) -> None:
    content_type = "text/html" if body.startswith("<") else "text/event-stream"
    model = served(httpserver, provider, body, content_type)
    with pytest.raises(ModelError) as raised:
        async for heard in model.stream(ASK):
            assert not isinstance(heard, Reply)
    assert raised.value.kind == kind
    assert "sk-secret-key" not in str(raised.value)


@pytest.mark.parametrize(
    ("provider", "body", "text", "stop"),
    [
        ("openai", SAYS_HI + chunk({}, "stop") + DONE, "Hi", "end"),
        # Whole, since the provider said why it ended; some servers leave out the mark after it.
        ("openai", SAYS_HI + chunk({}, "stop"), "Hi", "end"),
        ("openai", SAYS_HI + chunk({}, "length") + DONE, "Hi", "length"),
        ("openai", SAYS_HI + chunk({}, "content_filter") + DONE, "Hi", "refused"),
        (
            "openai",
            chunk({"refusal": "I will not."}) + chunk({}, "stop") + DONE,
            "I will not.",
            "refused",
        ),
        ("anthropic", START + BLOCK + ends("end_turn"), "Hi", "end"),
        ("anthropic", START + BLOCK + ends("max_tokens"), "Hi", "length"),
        ("anthropic", START + BLOCK + ends("refusal"), "Hi", "refused"),
    ],
)
async def test_a_whole_reply_says_why_it_ended(
    httpserver: HTTPServer, provider: str, body: str, text: str, stop: Stop
) -> None:
    model = served(httpserver, provider, body, "text/event-stream")
    events = [heard async for heard in model.stream(ASK)]
    assert isinstance(events[-1], Reply)
    assert (events[-1].message, events[-1].stop) == (AssistantMessage(text), stop)


async def test_a_server_that_sends_the_key_back_does_not_put_it_into_the_message(
    httpserver: HTTPServer, provider: str
) -> None:
    httpserver.expect_request(PATHS[provider]).respond_with_json(
        {"error": {"type": "x", "message": "Incorrect key: sk-secret-key"}}, status=401
    )
    model = DirectModel(Endpoint(PROVIDERS[provider], "m", httpserver.url_for(""), "sk-secret-key"))
    with pytest.raises(ModelError) as raised:
        _ = [heard async for heard in model.stream(ASK)]
    assert str(raised.value) == (
        f"{provider}/m: 401: Incorrect key: [key]: {provider} does not take this key; another one:"
        f" capbox login {provider}"
    )


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 2}, Usage(7, 2)),
        (None, None),
        ({"prompt_tokens": 0, "completion_tokens": 2}, None),
        ({"prompt_tokens": 7, "completion_tokens": 0}, None),
        ({"prompt_tokens": 7, "completion_tokens": -2}, None),
        ({"prompt_tokens": -7, "completion_tokens": 2}, None),
        ({"prompt_tokens": 10**30, "completion_tokens": 2}, None),
        ({"prompt_tokens": 7.5, "completion_tokens": 2}, None),
    ],
)
async def test_usage_that_is_missing_or_makes_no_sense_is_none(
    httpserver: HTTPServer, said: object, usage: Usage | None
) -> None:
    last = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    body = SAYS_HI + chunk({}, "stop")
    if said is not None:
        body += f"data: {json.dumps({**last, 'choices': [], 'usage': said})}\n\n"
    model = served(httpserver, "openai", body + DONE, "text/event-stream")
    reply = [heard async for heard in model.stream(ASK)][-1]
    assert isinstance(reply, Reply) and (reply.usage, reply.usd) == (usage, None)


@pytest.mark.parametrize("status", [429, 500, 503, 529])
@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({"retry-after": "7"}, 7, 7),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25, 0.25),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0, 0),
        ({}, None, None),
        ({"retry-after": "-1"}, None, None),
        ({"retry-after": "inf"}, None, None),
        ({"retry-after": "soon"}, None, None),
        ({"retry-after": "99999999999"}, None, None),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, None, None),
    ],
)
async def test_the_time_that_a_server_names_is_in_the_error_if_it_makes_sense(
    httpserver: HTTPServer,
    provider: str,
    status: int,
    headers: dict[str, str],
    low: float | None,
    high: float | None,
) -> None:
    httpserver.expect_request(PATHS[provider]).respond_with_data(
        "{}", status=status, headers=headers, content_type="application/json"
    )
    model = DirectModel(Endpoint(PROVIDERS[provider], "m", httpserver.url_for(""), "sk-secret-key"))
    with pytest.raises(ModelError) as raised:
        _ = [heard async for heard in model.stream(ASK)]
    after = raised.value.retry_after
    assert after is None if low is None or high is None else low <= (after or 0.0) <= high


@pytest.mark.parametrize(
    ("provider", "status", "error", "kind", "told"),
    [
        (
            "anthropic",
            400,
            {"type": "invalid_request_error", "message": "Your credit balance is too low"},
            "quota",
            "there is no credit left at anthropic",
        ),
        (
            "openai",
            429,
            {"message": "You exceeded your current quota", "code": "insufficient_quota"},
            "quota",
            "there is no credit left at openai",
        ),
        (
            "google",
            400,
            {
                "code": 400,
                "message": "API key not valid.",
                "details": [{"reason": "API_KEY_INVALID"}],
            },
            "authentication",
            "google does not take this key; another one: capbox login google",
        ),
        (
            "openai",
            404,
            {"message": "The model `m` does not exist", "code": "model_not_found"},
            "invalid_request",
            "openai has no such model; some that it has: capbox models openai",
        ),
        (
            "anthropic",
            404,
            {"type": "not_found_error", "message": "model: m"},
            "invalid_request",
            "anthropic has no such model; some that it has: capbox models anthropic",
        ),
    ],
)
async def test_an_error_that_a_person_can_end_says_how(
    httpserver: HTTPServer,
    provider: str,
    status: int,
    error: dict[str, object],
    kind: ErrorKind,
    told: str,
) -> None:
    httpserver.expect_request(PATHS[provider]).respond_with_json({"error": error}, status=status)
    model = DirectModel(Endpoint(PROVIDERS[provider], "m", httpserver.url_for(""), "sk-secret-key"))
    with pytest.raises(ModelError) as raised:
        _ = [heard async for heard in model.stream(ASK)]
    assert raised.value.kind == kind
    assert str(error["message"]) in str(raised.value) and told in str(raised.value)
