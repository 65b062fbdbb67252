"""The frames of a worker, the record before the effect, and how a call's transfers end."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from tests.gate.network.conftest import HERE, Online
from tests.servers.answers import at
from tests.servers.http import HttpServer
from tests.servers.loopback import Listener, closed_port
from tests.servers.replies import reply

pytestmark = pytest.mark.anyio
Start = Callable[..., HttpServer]
Connect = Callable[..., Online]
NAME = {"name.test": at("127.0.0.1")}


async def test_the_record_precedes_the_connection(online: Connect) -> None:
    line, known = online(NAME), []

    def accept(stream: socket.socket) -> None:
        known.append(line.kinds())
        stream.recv(65_536)
        stream.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with Listener(accept) as server:
        guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"))
        url = f"http://name.test:{server.port}/x?y"
        assert (await guest.request(url, "POST", body=b"abc")).status == 204
        assert known == [["lookup", "request"]]
        looked, record = line.desk.recorded()
        assert looked == {"kind": "lookup", "intent": 0, "host": "name.test", "grant": "root#3"}
        assert record == {
            "kind": "request",
            "intent": 0,
            "method": "POST",
            "url": url,
            "address": "127.0.0.1",
            "body_bytes": 3,
            "grants": ["root#3"],
        }


async def test_without_a_record_nothing_is_sent(online: Connect, http_server: Start) -> None:
    server = http_server({"/": reply(b"")})
    line = online(NAME)
    seat = line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}")
    guest = line.guest(seat)
    line.desk.journal.close()
    with pytest.raises(Exception, match=r"closed|journal"):
        await guest.request(server.url("/", host="name.test"))
    assert server.connections == ()


@pytest.mark.parametrize(
    "url",
    [
        "https://u:hunter2@a.test/",
        "https:/u:hunter2@a.test/",
        "ftp://hunter2@a.test/",
        r"https:\\u:hunter2@a.test",
    ],
)
async def test_a_password_in_a_url_is_neither_told_nor_kept(url: str, online: Connect) -> None:
    line = online(NAME)
    guest = line.guest(line.desk.seat("fetch:https://a.test"))
    answer = await guest.request(url)
    assert answer.error == "denied"
    said = (answer.message, guest.egress.reached.denied, line.desk.recorded())
    assert "***@a.test" in str(said) and "hunter2" not in str(said)


async def test_what_failed_is_an_effect_too(online: Connect, http_server: Start) -> None:
    server = http_server({"/": reply(b"hello", status=404)})
    line = online(NAME)
    with closed_port() as port:
        guest = line.guest(
            line.desk.seat(
                f"fetch:http://name.test:{server.port} {HERE}",
                f"fetch:http://name.test:{port} {HERE}",
            )
        )
        found = await guest.request(server.url("/", host="name.test"), "PUT", body=b"abc")
        assert await guest.body(found) == b"hello"
        assert (await guest.request(f"http://name.test:{port}/")).error == "connect"
    assert len(guest.egress.effects) == 1  # the first counts from its end on
    await guest.egress.aclose()
    said = [
        (e.path, r.method, r.status, r.sent_bytes, r.received_bytes, r.address)
        for e in guest.egress.effects
        if (r := e.request) is not None
    ]
    assert said == [
        (f"http://name.test:{port}/", "GET", None, 0, 0, f"127.0.0.1:{port}"),
        (server.url("/", host="name.test"), "PUT", 404, 3, 5, f"127.0.0.1:{server.port}"),
    ]


@pytest.mark.parametrize(
    "operation",
    [
        *([], ["request"], ["request", 1], ["request", "x", "y"], ["connect", "a"], ["read"]),
        *(["read", 1], ["read", "1", 1], ["read", 1, 0], ["read", 1, -1], ["read", 1, 1.5]),
        *(["read", None, 1], ["close"], ["close", "1"], ["close", [1]], ["answer"]),
        *(["read", 1, 1], ["read", -1, 1], ["read", 10**30, 10**30], ["request", "{}"]),
    ],
)
async def test_a_frame_that_is_none_is_invalid(operation: list[Any], online: Connect) -> None:
    line = online({})
    guest = line.guest(line.desk.seat())
    answer, content = await guest.serve(*operation)
    assert answer == {"http": [0, 0]}
    assert json.loads(content)["error"]["code"] == "invalid"


async def test_a_frame_without_an_operation_is_invalid(online: Connect) -> None:
    line = online({})
    guest = line.guest(line.desk.seat())
    for header in ({}, {"http": None}, {"http": "request"}, {"http": {"request": "x"}}):
        _, content = await guest.egress.serve(header, b"", None)  # type: ignore[arg-type]
        assert json.loads(content)["error"]["code"] == "invalid"
    assert await guest.serve("close", 5) == ({"http": [0, 0]}, b"")  # twice is once


def frame(draw: Random, depth: int = 0) -> Any:
    """Anything that a frame may hold."""
    if depth > 2 or draw.random() < 0.6:
        return draw.choice([None, True, False, -1, 0, 1, 2**40, 1.5, "", "x", "{}", "request"])
    items = [frame(draw, depth + 1) for _ in range(draw.randrange(4))]
    return items if draw.random() < 0.5 else {str(n): one for n, one in enumerate(items)}


async def test_no_frame_raises(online: Connect) -> None:
    draw, line = Random(7), online({})
    guest = line.guest(line.desk.seat())
    for _ in range(500):
        operation = draw.choice(["request", "read", "close", "x"])
        rest = [frame(draw) for _ in range(draw.randrange(4))]
        answer, content = await guest.serve(operation, *rest)
        assert answer == {"http": [0, 0]}, rest
        assert content == b"" or json.loads(content)["error"]["code"] == "invalid"
