"""The fake server itself: what it refuses as the real ones do, and what it never does."""

from __future__ import annotations

import socket

import httpx2
import pytest

from capbox.messages import Json
from capbox.models.fake_llm.server import FakeLlm

USER: Json = {"role": "user", "content": "Go."}
USES: Json = {
    "role": "assistant",
    "content": [{"type": "tool_use", "id": "t1", "name": "read", "input": {}}],
}
USED: Json = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1"}]}
CALLS: Json = {
    "role": "assistant",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "r", "arguments": "{}"}}],
}
CALLED: Json = {"role": "tool", "tool_call_id": "c1", "content": "x"}
KEY = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
BEARER = {"authorization": "Bearer k"}


def post(server: FakeLlm, path: str, headers: dict[str, str], body: Json) -> httpx2.Response:
    with httpx2.Client(trust_env=False) as client:
        return client.post(server.url + path, headers=headers, json=body)


@pytest.mark.parametrize(
    ("headers", "body", "answer"),
    [
        (KEY, {"model": "m", "max_tokens": 9, "messages": [USER]}, None),
        (KEY, {"model": "m", "max_tokens": 9, "messages": [USER, USES, USED]}, None),
        (
            {"anthropic-version": "2023-06-01"},
            {"model": "m", "max_tokens": 9, "messages": [USER]},
            (401, "authentication_error", "x-api-key header is required"),
        ),
        (
            {"x-api-key": "k"},
            {"model": "m", "max_tokens": 9, "messages": [USER]},
            (400, "invalid_request_error", "anthropic-version: header is required"),
        ),
        (
            KEY,
            {"model": "m", "messages": [USER]},
            (400, "invalid_request_error", "max_tokens: Field required"),
        ),
        (
            KEY,
            {"max_tokens": 9, "messages": [USER]},
            (400, "invalid_request_error", "model: Field required"),
        ),
        (
            KEY,
            {"model": "m", "max_tokens": 9, "messages": []},
            (400, "invalid_request_error", "messages: at least one message is required"),
        ),
        (
            KEY,
            {"model": "m", "max_tokens": 9, "messages": [USES, USED]},
            (400, "invalid_request_error", 'messages: first message must use the "user" role'),
        ),
        (
            KEY,
            {"model": "m", "max_tokens": 9, "messages": [USER, USES, USER]},
            (
                400,
                "invalid_request_error",
                "messages: `tool_use` ids were found without `tool_result` blocks immediately"
                " after: t1",
            ),
        ),
        (KEY, [], (400, "invalid_request_error", "the body is not a JSON object")),
    ],
)
def test_anthropics_rules_are_kept(
    serve, headers: dict[str, str], body: Json, answer: tuple[int, str, str] | None
) -> None:
    server = serve([{"text": "a"}, {"text": "b"}])
    response = post(server, "/v1/messages", headers, body)
    if answer is None:
        assert response.status_code == 200
        return
    status, kind, message = answer
    assert response.status_code == status
    assert response.json() == {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": "req_fake",
    }


@pytest.mark.parametrize(
    ("headers", "body", "answer"),
    [
        (BEARER, {"model": "m", "messages": [USER]}, None),
        (BEARER, {"model": "m", "messages": [USER, CALLS, CALLED]}, None),
        ({}, {"model": "m", "messages": [USER]}, (401, "You didn't provide an API key.")),
        (BEARER, {"messages": [USER]}, (400, "you must provide a model parameter")),
        (BEARER, {"model": "m"}, (400, "Missing required parameter: 'messages'.")),
        (BEARER, {"model": "m", "messages": []}, (400, "Invalid 'messages': empty array.")),
        (
            BEARER,
            {"model": "m", "messages": [USER, CALLS, USER]},
            (
                400,
                "An assistant message with 'tool_calls' must be followed by tool messages"
                " responding to each 'tool_call_id'. The following tool_call_ids did not have"
                " response messages: c1",
            ),
        ),
    ],
)
def test_openais_rules_are_kept(
    serve, headers: dict[str, str], body: Json, answer: tuple[int, str] | None
) -> None:
    server = serve([{"text": "a"}, {"text": "b"}])
    response = post(server, "/v1/chat/completions", headers, body)
    if answer is None:
        assert response.status_code == 200
        return
    assert (response.status_code, response.json()["error"]["message"]) == answer


def test_an_exhausted_script_is_refused_with_its_length(serve) -> None:
    server = serve([{"text": "a"}])
    response = post(
        server, "/v1/chat/completions", BEARER, {"model": "m", "messages": [USER, USES]}
    )
    assert response.status_code == 400
    assert response.json()["error"]["message"] == (
        "the script holds 1 replies, and this asks for one more"
    )


def test_a_request_that_was_refused_does_not_spend_a_fault(serve) -> None:
    server = serve([{"text": "a", "fault": {"status": 429}}])
    body: Json = {"model": "m", "messages": [USER]}
    statuses = [
        post(server, "/v1/chat/completions", headers, body).status_code
        for headers in ({}, BEARER, BEARER)
    ]
    assert statuses == [401, 429, 200]


def test_other_paths_and_methods_are_not_found(serve) -> None:
    server = serve([])
    assert post(server, "/v1/embeddings", BEARER, {}).status_code == 404
    with httpx2.Client(trust_env=False) as client:
        assert client.get(server.url + "/v1/messages").status_code == 404


def test_it_listens_on_loopback_only_and_frees_its_port(serve) -> None:
    server = serve([])
    host, port = server.url.removeprefix("http://").split(":")
    assert host == "127.0.0.1"
    with pytest.raises(OSError, match="in use"):
        FakeLlm((), port=int(port))
    with pytest.raises(ConnectionRefusedError):
        # The whole of 127/8 is this machine; listening on every address would answer here too.
        socket.create_connection(("127.0.0.2", int(port)), timeout=5)
    server.__exit__(None, None, None)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)
