"""The adapter over the real SDKs, against the fake server: requests, faults and refusals."""

from __future__ import annotations

import pytest

from capbox.messages import (
    AssistantMessage,
    Json,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from capbox.models.direct import DirectModel
from capbox.models.model import (
    ErrorKind,
    ModelError,
    ModelRequest,
    Reply,
    Stop,
    TextDelta,
    ToolSpec,
)

ASK = ModelRequest("", (UserMessage("Go."),))
TEXT = "a text that is long enough to come in several pieces"


async def reply_of(model: DirectModel, request: ModelRequest = ASK) -> Reply:
    """Return the reply, which must come last."""
    events = [event async for event in model.stream(request)]
    assert isinstance(events[-1], Reply)
    return events[-1]


async def error_of(model: DirectModel, request: ModelRequest = ASK) -> ModelError:
    """Return the error a stream ends with; a reply before it fails the test."""
    with pytest.raises(ModelError) as raised:
        async for event in model.stream(request):
            assert not isinstance(event, Reply)
    return raised.value


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 401}, "authentication"),
        ({"status": 403}, "authentication"),
        ({"status": 400}, "invalid_request"),
        ({"status": 404}, "invalid_request"),
        ({"status": 429, "retry_after": 3}, "rate_limit"),
        ({"status": 500}, "provider"),
        ({"status": 503}, "overloaded"),
        ({"status": 529, "retry_after": 0.5}, "overloaded"),
        ("cut", "cut"),
        ("overflow", "context_length"),
        ("malformed_event", "provider"),
    ],
)
async def test_a_fault_is_an_error_of_its_kind_and_the_next_request_succeeds(
    serve, connect, fault: Json, kind: ErrorKind
) -> None:
    server = serve([{"text": TEXT, "fault": fault}])
    assert (await error_of(connect(server))).kind == kind
    assert len(server.received) == 1
    assert (await reply_of(connect(server))).message.text == TEXT


@pytest.mark.parametrize(
    "fault", [{"status": 429, "retry_after": 0}, {"status": 529, "retry_after": 0}, {"status": 500}]
)
async def test_nothing_is_sent_again_behind_the_loops_back(serve, connect, fault: Json) -> None:
    server = serve([{"text": TEXT, "fault": fault}])
    await error_of(connect(server))
    assert len(server.received) == 1


async def test_an_error_event_inside_the_stream_is_an_error_and_not_a_short_reply(
    serve, connect, provider: str
) -> None:
    server = serve([{"text": TEXT, "fault": "error_event"}])
    error = await error_of(connect(server))
    assert (error.kind, error.message) == {
        "anthropic": ("overloaded", "anthropic/some-model: 529: Overloaded"),
        "openai": (
            "provider",
            "openai/some-model: 500: The server had an error while processing your request.",
        ),
        "openai-responses": (
            "provider",
            "openai-responses/some-model: 500: The server had an error while processing your"
            " request.",
        ),
        "google": (
            "overloaded",
            "google/some-model: 503: The model is overloaded. Please try again later.",
        ),
    }[provider]


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [({"status": 429, "retry_after": 3}, 3.0), ({"status": 429}, None), ({"status": 500}, None)],
)
async def test_how_long_to_wait_is_what_the_provider_says_and_else_unknown(
    serve, connect, fault: Json, seconds: float | None
) -> None:
    server = serve([{"text": TEXT, "fault": fault}])
    assert (await error_of(connect(server))).retry_after == seconds


CALLS: Json = [{"name": "read", "arguments": {"path": one}} for one in "ab"]


@pytest.mark.parametrize(
    ("fault", "text", "names", "stop"),
    [
        ("unknown_tool", TEXT, ["no_such_tool", "no_such_tool"], "tool_calls"),
        ("huge_tool_call", TEXT, ["read", "read"], "tool_calls"),
        ("duplicate_ids", TEXT, ["read", "read"], "tool_calls"),
        ("refusal", "I will not.", [], "refused"),
        ("length", TEXT[: len(TEXT) // 2], [], "length"),
        ("empty", "", [], "end"),
    ],
)
async def test_a_reply_of_no_use_is_a_whole_reply_and_says_why_it_ended(
    serve, connect, fault: str, text: str, names: list[str], stop: Stop
) -> None:
    server = serve([{"text": TEXT, "tool_calls": CALLS, "fault": fault}])
    reply = await reply_of(connect(server))
    calls = reply.message.tool_calls
    assert (reply.message.text, [call.name for call in calls], reply.stop) == (text, names, stop)
    ids = {call.id for call in calls}
    assert len(ids) == (1 if fault == "duplicate_ids" else len(calls))
    huge = [len(str(call.arguments)) > 4_000_000 for call in calls]
    assert huge == [fault == "huge_tool_call"] * len(calls)


@pytest.mark.parametrize("fault", ["stall", "slow"])
async def test_silence_before_or_within_a_reply_is_given_up(serve, connect, fault: str) -> None:
    server = serve([{"text": TEXT, "fault": fault, "seconds": 600}])
    assert (await error_of(connect(server, 0.2))).kind == "stalled"


@pytest.mark.parametrize("fault", ["stall", "slow"])
async def test_a_short_pause_is_waited_for(serve, connect, fault: str) -> None:
    server = serve([{"text": TEXT, "fault": fault, "seconds": 0.01}])
    assert (await reply_of(connect(server))).message.text == TEXT


MALFORMED_SENT: dict[str, Json] = {
    "anthropic": [
        {
            "role": "assistant",
            "content": [
                {
                    "type": "tool_use",
                    "id": "toolu_0_0",
                    "name": "read",
                    "input": {"INVALID_JSON": '{"path": "a"'},
                }
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_0_0",
                    "content": [{"type": "text", "text": "not JSON"}],
                    "is_error": True,
                }
            ],
        },
    ],
    "openai": [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_0_0",
                    "type": "function",
                    "function": {
                        "name": "read",
                        "arguments": '{"INVALID_JSON":"{\\"path\\": \\"a\\""}',
                    },
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_0_0", "content": '{"error":"not JSON"}'},
    ],
    "openai-responses": [
        {
            "type": "function_call",
            "call_id": "call_0_0",
            "name": "read",
            "arguments": '{"INVALID_JSON":"{\\"path\\": \\"a\\""}',
        },
        {
            "type": "function_call_output",
            "call_id": "call_0_0",
            "output": '{"error":"not JSON"}',
        },
    ],
}


async def test_malformed_arguments_go_back_to_the_provider_as_an_object_that_shows_them(
    serve, connect, provider: str
) -> None:
    calls: Json = [{"name": "read", "arguments": {"path": "a"}}]
    spoiled: Json = {"tool_calls": calls, "fault": "malformed_tool_json"}
    server = serve([spoiled, {"text": "Sorry."}])
    if provider == "google":
        # They are an object on this wire; the provider says that the model wrote none.
        error = await error_of(connect(server))
        assert (error.kind, "MALFORMED_FUNCTION_CALL" in str(error)) == ("provider", True)
        return
    said = (await reply_of(connect(server))).message
    call = said.tool_calls[0]
    assert said == AssistantMessage("", (ToolCall(call.id, "read", {}, malformed='{"path": "a"'),))
    answer = ToolMessage(call.id, "read", "not JSON", is_error=True)
    await reply_of(connect(server), ModelRequest("", (UserMessage("Go."), said, answer)))
    body = server.received[-1].body
    assert body.get("messages", body.get("input"))[1:] == MALFORMED_SENT[provider]


async def test_system_prompt_tools_and_bound_are_sent_as_they_are(
    serve, connect, provider: str
) -> None:
    server = serve([{"text": "x"}])
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {"path": {"type": "string", "minLength": 1}, "n": {"type": "integer"}},
        "required": ["path"],
        "additionalProperties": False,
    }
    request = ModelRequest("Be brief.", ASK.messages, (ToolSpec("read", "Reads.", schema),), 99)
    await reply_of(connect(server), request)
    body = server.received[0].body
    named = {"name": "read", "description": "Reads."}
    system, bound, tools = {
        "anthropic": lambda: (body["system"], body["max_tokens"], body["tools"]),
        "openai": lambda: (body["messages"][0], body["max_tokens"], body["tools"]),
        "openai-responses": lambda: (
            body["instructions"],
            body["max_output_tokens"],
            body["tools"],
        ),
        "google": lambda: (
            body["systemInstruction"]["parts"],
            body["generationConfig"]["maxOutputTokens"],
            body["tools"][0]["functionDeclarations"],
        ),
    }[provider]()
    assert bound == 99
    assert (system, tools) == {
        "anthropic": (
            [{"type": "text", "text": "Be brief."}],
            [{**named, "input_schema": schema}],
        ),
        "openai": (
            {"role": "system", "content": "Be brief."},
            [{"type": "function", "function": {**named, "parameters": schema}}],
        ),
        "openai-responses": (
            "Be brief.",
            [{"type": "function", **named, "parameters": schema, "strict": False}],
        ),
        "google": ([{"text": "Be brief."}], [{**named, "parameters_json_schema": schema}]),
    }[provider]


async def test_only_the_headers_the_protocol_needs_leave_the_machine(
    serve, connect, provider: str
) -> None:
    server = serve([{"text": "x"}])
    await reply_of(connect(server))
    headers = dict(server.received[0].headers)
    common = {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "user-agent",
    }
    own = {
        "anthropic": {"anthropic-version", "x-api-key"},
        "openai": {"authorization"},
        "openai-responses": {"authorization"},
        "google": {"x-goog-api-key"},
    }[provider]
    assert set(headers) == common | own
    assert headers["user-agent"] == "capbox"


async def test_no_answer_at_all_is_a_connection_error(serve, connect) -> None:
    server = serve([])
    gone = connect(server)
    server.__exit__(None, None, None)
    assert (await error_of(gone)).kind == "connection"


async def test_text_that_cannot_be_encoded_is_mended(serve, connect) -> None:
    server = serve([{"text": "half \ud800 a pair"}])
    model = connect(server)
    events = [event async for event in model.stream(ASK)]
    assert isinstance(events[-1], Reply)
    assert events[-1].message == AssistantMessage("half ? a pair")
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "half ? a pair"
