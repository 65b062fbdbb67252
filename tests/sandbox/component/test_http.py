"""wasi:http below a component: what reaches the parent, and what comes back from it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from capbox.messages import Json, JsonObject
from capbox.sandbox.component.side import Misuse
from capbox.sandbox.component.wasi import http
from capbox.sandbox.component.wasi.below import Below
from capbox.sandbox.component.wasi.http import Body, Fields, Future, Http, Request, Response
from capbox.sandbox.component.wasi.streams import InputStream, OutputStream, Streams
from capbox.sandbox.wasi.call import CallBounds
from capbox.sandbox.wasi.host import Host

NONE = ("none", None)
OK = ("ok", None)


class Parent:
    """The parent's end: answers from a script, and keeps what it was asked."""

    def __init__(self, answer: Json, body: bytes = b"") -> None:
        self.asked: list[tuple[Json, bytes]] = []
        self._answer, self._body = answer, body
        host = Host(lambda: b"", self._exchange)
        host.begin(CallBounds(time.monotonic_ns() + 10**10, 10**6, 0, 0, 8, 0, 0, bytes(32)))
        below = Below(host)
        below.attach()
        self.http, self.streams = Http(below), Streams(below)

    def _exchange(self, header: JsonObject, content: bytes) -> tuple[JsonObject, bytes]:
        operation = header["http"]
        self.asked.append((operation, content))
        match operation:
            case ["request", str()]:
                return {"http": [7, 0]}, json.dumps(self._answer).encode()
            case ["read", 7, int(count)]:
                piece, self._body = self._body[:count], self._body[count:]
                return {"http": [len(piece), 0]}, piece
            case _:
                return {"http": [0, 0]}, b""


HEAD: Json = {"status": 200, "headers": [["content-type", "text/plain"]]}


def made(parent: Parent, **parts: object) -> Request:
    """A request with some of its parts set, as a component does it."""
    request = parent.http.new_outgoing_request(Fields([("x-a", b"1")]))
    for name, value in parts.items():
        setter: Callable[[Request, object], object] = getattr(
            parent.http, f"outgoing_request_set_{name}"
        )
        assert setter(request, value) == OK
    return request


def handled(parent: Parent, request: Request) -> Future:
    """Hand it over."""
    tag, future = parent.http.outgoing_handler_handle(request, NONE)
    assert tag == "ok" and isinstance(future, Future)
    return future


def test_a_request_reaches_the_parent_whole() -> None:
    parent = Parent(HEAD)
    request = made(
        parent,
        method=("other", "PURGE"),
        scheme=("some", ("HTTP", None)),
        authority=("some", "a.example:81"),
        path_with_query=("some", "/x?y"),
    )
    handled(parent, request)
    ((operation, content),) = parent.asked
    assert isinstance(operation, list) and content == b""
    assert json.loads(str(operation[1])) == {
        "method": "PURGE",
        "url": "http://a.example:81/x?y",
        "headers": [["x-a", "1"]],
        "redirects": 0,
        "decode": False,
    }


def test_a_request_waits_for_its_body() -> None:
    parent = Parent(HEAD)
    request = made(parent, method=("post", None))
    tag, body = parent.http.outgoing_request_body(request)
    assert tag == "ok" and isinstance(body, Body)
    assert parent.http.outgoing_request_body(request) == ("err", None)
    future = handled(parent, request)
    assert parent.http.future_incoming_response_get(future) == NONE
    stream = parent.http.outgoing_body_write(body)[1]
    assert isinstance(stream, OutputStream)
    assert parent.streams.output_stream_write(stream, b"some ") == OK
    assert parent.streams.output_stream_write(stream, b"body") == OK
    assert parent.asked == []
    assert parent.http.outgoing_body_finish(body, NONE) == OK
    assert [content for _, content in parent.asked] == [b"some body"]
    assert parent.http.future_incoming_response_get(future)[0] == "some"


def test_a_response_is_read_to_its_end_and_given_once() -> None:
    parent = Parent(HEAD, b"hello")
    future = handled(parent, made(parent))
    _, answer = parent.http.future_incoming_response_get(future)
    assert isinstance(answer, tuple)
    (outer, (inner, response)) = answer
    assert (outer, inner) == ("ok", "ok") and isinstance(response, Response)
    assert parent.http.future_incoming_response_get(future) == ("some", ("err", None))
    assert response.headers.of("Content-Type") == [b"text/plain"]
    tag, body = parent.http.incoming_response_consume(response)
    assert tag == "ok" and isinstance(body, http.IncomingBody)
    assert parent.http.incoming_response_consume(response) == ("err", None)
    stream = parent.http.incoming_body_stream(body)[1]
    assert isinstance(stream, InputStream)
    assert parent.streams.input_stream_read(stream, 3) == ("ok", b"hel")
    assert parent.streams.input_stream_read(stream, 100) == ("ok", b"lo")
    assert parent.streams.input_stream_read(stream, 100) == ("err", ("closed", None))
    assert parent.asked[-1] == (["close", 7], b"")  # at its end it is let go
    parent.http.incoming_body_finish(body)


def test_a_response_that_is_let_go_is_ended() -> None:
    parent = Parent(HEAD)
    for thing in (Response(200, Fields(), 7), http.IncomingBody(8)):
        parent.http.dropped(thing)
    for thing in (Response(200, Fields(), 9, consumed=True), Fields()):
        parent.http.dropped(thing)
    assert [operation for operation, _ in parent.asked] == [["close", 7], ["close", 8]]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("denied", ("HTTP-request-denied", None)),
        ("dns", ("DNS-error", (NONE, NONE))),
        ("timeout", ("connection-timeout", None)),
        ("too_large", ("internal-error", ("some", "why"))),
    ],
)
def test_what_goes_wrong_has_its_name(code: str, told: object) -> None:
    parent = Parent({"error": {"code": code, "message": "why", "missing": None}})
    future = handled(parent, made(parent))
    assert future.answer == ("err", told)


def test_headers_are_found_whatever_their_case() -> None:
    it = Parent(HEAD).http
    fields = Fields([("A", b"1"), ("b", b"2")])
    assert it.fields_append(fields, "a", b"3") == OK
    assert (it.fields_get(fields, "a"), it.fields_has(fields, "c")) == ([b"1", b"3"], False)
    assert it.fields_set(fields, "a", [b"4"]) == OK
    assert it.fields_entries(fields) == [("b", b"2"), ("a", b"4")]
    copy = it.fields_clone(fields)
    assert it.fields_delete(fields, "B") == OK
    assert (it.fields_entries(fields), len(copy.entries)) == ([("a", b"4")], 2)


def test_a_body_and_headers_are_bounded() -> None:
    parent = Parent(HEAD)
    body = parent.http.outgoing_request_body(made(parent))[1]
    assert isinstance(body, Body)
    stream = parent.http.outgoing_body_write(body)[1]
    assert isinstance(stream, OutputStream)
    with pytest.raises(Misuse, match="32 MB"):
        parent.streams.output_stream_write(stream, bytes(http.BODY_BYTES_MAX + 1))
    with pytest.raises(Misuse, match="1000 headers"):
        parent.http.fields_set(Fields(), "a", [b""] * 1001)
