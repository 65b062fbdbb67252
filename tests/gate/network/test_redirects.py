"""A redirect is a request like any other: decided, recorded, and bounded in number."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.gate.network.conftest import HERE, Online
from tests.servers.answers import at
from tests.servers.http import HttpServer
from tests.servers.replies import echo, redirect, reply

pytestmark = pytest.mark.anyio
Start = Callable[..., HttpServer]
Connect = Callable[..., Online]
NAMES = {"name.test": at("127.0.0.1"), "other.test": at("127.0.0.1"), "evil.test": at("127.0.0.1")}
CHAIN = {f"/{n}": redirect(f"/{n - 1}") for n in range(1, 10)}


@pytest.mark.parametrize("allowed", range(6))
async def test_so_many_are_followed_and_the_next_one_is_the_answer(
    allowed: int, online: Connect, http_server: Start
) -> None:
    server = http_server({"/0": reply(b"end"), **CHAIN})
    line = online(NAMES)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"))
    base = server.url("", host="name.test")
    for length in (allowed, allowed + 1):
        before = len(server.requests)
        found = await guest.request(f"{base}/{length}", redirects=allowed)
        assert found.status == (200 if length == allowed else 302), found
        passed = [{"status": 302, "url": f"{base}/{length - 1 - n}"} for n in range(allowed)]
        assert found.answer["redirects"] == passed
        assert found.answer["url"] == f"{base}/{length - allowed}"
        assert len(server.requests) == before + allowed + 1
    await guest.egress.aclose()
    assert line.kinds().count("request") == len(server.requests) == len(guest.egress.effects)


async def test_a_loop_ends(online: Connect, http_server: Start) -> None:
    server = http_server({"/": redirect("/")})
    line = online(NAMES)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"))
    assert (await guest.request(server.url("/", host="name.test"))).status == 302
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("status", "method", "then", "body"),
    [
        (301, "POST", "GET", b""),
        (303, "PUT", "GET", b""),
        (307, "POST", "POST", b"content"),
        (308, "PUT", "PUT", b"content"),
    ],
)
async def test_a_body_is_sent_again_only_where_the_status_says_so(
    status: int, method: str, then: str, body: bytes, online: Connect, http_server: Start
) -> None:
    server = http_server({"/on": redirect("/", status), "/": echo})
    line = online(NAMES)
    port = server.port
    url = server.url("/on", host="name.test")
    most = 2 * len(url) - len("on") + 13
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{port} bytes={most}B {HERE}"))
    found = await guest.request(url, method, body=b"content")
    if body:  # a second time seven bytes is more than the grant gives
        assert (found.error, len(server.requests)) == ("denied", 1)
        free = line.guest(line.desk.seat(f"fetch:http://name.test:{port} {HERE}", run="run-2"))
        found = await free.request(url, method, body=b"content")
    assert found.status == 200
    assert (server.requests[-1].method, server.requests[-1].body) == (then, body)


async def test_a_redirect_needs_a_grant_of_its_own(online: Connect, http_server: Start) -> None:
    other = http_server({"/": reply(b"theirs")})
    server = http_server({"/on": redirect(other.url("/", host="other.test"))})
    line = online(NAMES)
    first, second = (
        f"fetch:http://{name}:{port} {HERE}"
        for name, port in (("name.test", server.port), ("other.test", other.port))
    )
    url = server.url("/on", host="name.test")
    refused = await line.guest(line.desk.seat(first)).request(url)
    assert refused.error == "denied"
    assert refused.missing == f'fetch:"GET http://other.test:{other.port}/"'
    assert (other.connections, "other.test" in line.asked) == ((), False)
    both = line.guest(line.desk.seat(first, second, run="run-2"))
    assert (await both.request(url)).status == 200


@pytest.mark.parametrize(
    "location",
    [
        *("file:///etc/passwd", "javascript:alert(1)", "data:text/plain,x", "ftp://name.test/"),
        *("//evil.test/", "\\\\evil.test/", "/\\evil.test/", "https://name.test@evil.test/"),
        *("http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://[::1]/"),
        *("http://169.254.169.254/latest/", "http://[::ffff:a9fe:a9fe]/", "http://localhost/"),
        *("http://evil.test.:80/", "http://name.test./", "http://[::1", "http://name.test:0/"),
    ],
)
async def test_no_redirect_leads_elsewhere(
    location: str, online: Connect, http_server: Start
) -> None:
    server = http_server({"/on": redirect(location), "*": reply(b"own")})
    line = online(NAMES)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"))
    found = await guest.request(server.url("/on", host="name.test"))
    assert found.error in ("denied", "redirects"), found
    assert (len(server.connections), line.asked) == (1, ["name.test"])
    server.until(lambda seen: seen[0].over)
    assert [e.request and e.request.status for e in guest.egress.effects] == [302]
    # What one has followed by itself is an answer to look at.
    seen = await guest.request(server.url("/on", host="name.test"), redirects=0)
    assert (seen.status, len(server.connections)) == (302, 2)


async def test_a_guests_credentials_stay_with_their_origin(
    online: Connect, http_server: Start
) -> None:
    other = http_server({"/": reply(b"")})
    routes = {"/on": redirect("/"), "/off": redirect(other.url("/", host="other.test"))}
    server = http_server({**routes, "/": reply(b"")})
    line = online(NAMES)
    guest = line.guest(
        line.desk.seat(
            f"fetch:http://name.test:{server.port} {HERE}",
            f"fetch:http://other.test:{other.port} {HERE}",
        )
    )
    own = {"Authorization": "Bearer mine", "Cookie": "a=b", "Accept": "text/html"}
    for path in ("/on", "/off"):
        await guest.request(server.url(path, host="name.test"), headers=own)
    same, away = server.requests[1], other.requests[0]
    assert [same.values(name) for name in own] == [["Bearer mine"], ["a=b"], ["text/html"]]
    assert [away.values(name) for name in own] == [[], [], ["text/html"]]
