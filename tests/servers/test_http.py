"""The HTTP server records everything it is sent, and answers as it was told."""

from __future__ import annotations

import http.client
import json

import pytest
from tests.servers.client import connected, get, head_of, talk
from tests.servers.http import HttpServer
from tests.servers.replies import echo, in_turn, reply, silence


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_ordinary_client_is_served_and_recorded(host: str) -> None:
    with HttpServer({"/a": reply(b"hello")}, host=host) as server:
        client = http.client.HTTPConnection(server.host, server.port, timeout=20)
        client.request("POST", "/a?q=1", b"body", {"X-Two": "Yes"})
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, b"hello")
        client.request("GET", "/b")
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (404, b"")
        client.close()
        server.until(lambda seen: seen[0].over)
        first, second = server.requests
        assert (first.method, first.target, first.path, first.body) == (
            "POST", "/a?q=1", "/a", b"body",
        )  # fmt: skip
        assert first.values("x-two") == ["Yes"] and ("X-Two", "Yes") in first.headers
        (seen,) = server.connections
        assert bytes(seen.received) == first.raw + second.raw
        assert seen.sent == len(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") + len(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        )


def test_no_connection_and_a_connection_without_a_request_are_told_apart() -> None:
    with HttpServer({}) as server:
        assert (server.connections, server.requests) == ((), ())
        connected(server).close()
        server.until(lambda seen: len(seen) == 1 and seen[0].over)
        assert (len(server.connections), server.requests) == (1, ())


def test_what_never_happens_is_reported() -> None:
    with HttpServer({}) as server, pytest.raises(TimeoutError):
        server.until(lambda seen: len(seen) == 1, seconds=0.01)


@pytest.mark.parametrize(
    ("sent", "requests"),
    [
        (get("/"), [("GET", "/", b"")]),
        (get("/1") + get("/2"), [("GET", "/1", b""), ("GET", "/2", b"")]),
        (
            b"PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3;x=1\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
            [("PUT", "/c", b"abcd")],
        ),
        (b"GET http://other.test/ HTTP/1.1\r\n\r\n", [("GET", "http://other.test/", b"")]),
        (b"CONNECT other.test:443 HTTP/1.1\r\n\r\n", [("CONNECT", "other.test:443", b"")]),
        (b"GET / HTTP/1.0\r\n\r\n", [("GET", "/", b"")]),
        (b"GET /half HTTP/1.1\r\nHos", []),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf", []),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", []),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", []),
        (b"\x16\x03\x01\x02\x00 nonsense\r\n\r\n", []),
    ],
)
def test_every_byte_is_kept_and_only_whole_requests_count(
    sent: bytes, requests: list[tuple[str, str, bytes]]
) -> None:
    with HttpServer({}) as server:
        with connected(server) as stream:
            stream.sendall(sent)
            server.until(lambda seen: bool(seen) and bytes(seen[0].received) == sent)
            server.until(lambda seen: len(seen[0].requests) == len(requests))
        server.until(lambda seen: seen[0].over)
        assert [(one.method, one.target, one.body) for one in server.requests] == requests
        assert bytes(server.connections[0].received) == sent


def test_the_client_that_asks_first_whether_to_send_is_told_to() -> None:
    with HttpServer({"/": echo}) as server, connected(server) as stream:
        stream.sendall(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert head_of(stream) == b"HTTP/1.1 100 Continue\r\n\r\n"
        stream.sendall(b"ok")
        assert head_of(stream).startswith(b"HTTP/1.1 200 OK\r\n")
        assert server.requests[0].body == b"ok"


def test_echo_tells_headers_in_their_order_and_spelling() -> None:
    with HttpServer({"/e": echo}) as server:
        sent = b"GET /e?x HTTP/1.1\r\nB: 2\r\na: 1\r\nB: 3\r\nConnection: close\r\n\r\n"
        body = talk(server, sent).partition(b"\r\n\r\n")[2]
        assert json.loads(body) == {
            "method": "GET",
            "target": "/e?x",
            "headers": [["B", "2"], ["a", "1"], ["B", "3"], ["Connection", "close"]],
            "body": "",
        }


def test_a_path_behaves_differently_each_time_and_star_is_for_the_rest() -> None:
    routes = {"/": in_turn(reply(b"1"), reply(b"2")), "*": reply(b"rest")}
    with HttpServer(routes) as server:
        sent = [get("/"), get("/"), get("/"), b"GET /x HTTP/1.0\r\n\r\n"]
        came = talk(server, b"".join(sent))
        assert [part.rpartition(b"\r\n")[2] for part in came.split(b"HTTP/1.1 200 OK")[1:]] == [
            b"1", b"2", b"2", b"rest",
        ]  # fmt: skip


def test_the_server_ends_while_clients_wait() -> None:
    with HttpServer({"/": silence}) as server:
        stream = connected(server)
        stream.sendall(get("/"))
        server.until(lambda seen: len(seen) == 1 and len(seen[0].requests) == 1)
        assert not server.connections[0].over
    assert stream.recv(1) == b""
    stream.close()
