"""What a grant bounds is bounded at each request, and a bound that is reached says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.gate.network.conftest import HERE, Online
from tests.servers.answers import at
from tests.servers.http import HttpServer, Tap
from tests.servers.replies import echo, in_turn, redirect, reply, tapped

from capbox.authority.limits import Limits

pytestmark = pytest.mark.anyio
Start = Callable[..., HttpServer]
Connect = Callable[..., Online]
NAME = {"name.test": at("127.0.0.1")}


async def test_uses_are_counted_by_request_and_redirect(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"ok"), "/on": redirect("/")})
    line = online(NAME)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} uses=3 {HERE}"))
    url = server.url("", host="name.test")
    first = await guest.request(f"{url}/on")
    assert (first.status, len(server.requests)) == (200, 2)
    assert (await guest.request(f"{url}/on")).error == "denied"  # its redirect was the fourth
    assert len(server.requests) == 3
    assert (await guest.request(f"{url}/")).error == "denied"
    # They are counted for the run, not for the call.
    again = line.guest(guest.egress.permission.seat)
    refused = await again.request(f"{url}/")
    assert refused.error == "denied" and "used up (uses=3)" in refused.message


@pytest.mark.parametrize(("sent", "error"), [(10, ""), (11, "denied"), (0, "")])
async def test_bytes_are_counted_before_they_are_sent(
    sent: int, error: str, online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online(NAME)
    url = server.url("/", host="name.test")
    most = len(url) + len("x-a") + len("data") + 10  # a URL and headers can carry data as well
    guest = line.guest(line.desk.seat(f"fetch:{url[:-1]} bytes={most}B {HERE}"))
    found = await guest.request(url, "POST", headers={"x-a": "data"}, body=bytes(sent))
    assert found.error == error
    assert len(server.connections) == (0 if error else 1)
    told = [one.reason for one in guest.egress.permission.denied]
    reason = f"used up (bytes={most}B): fetch:{url[:-1]} bytes={most}B {HERE}"
    assert told == [reason] * bool(error)
    assert line.kinds().count("denial") == bool(error)


async def test_bytes_that_come_are_counted_too(online: Connect, http_server: Start) -> None:
    server = http_server({"/": reply(bytes(600))})
    line = online(NAME)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} bytes=1kB {HERE}"))
    url = server.url("/", host="name.test")
    assert len(await guest.body(await guest.request(url))) == 600
    assert await guest.read(await guest.request(url)) == "denied"
    assert [one.access for one in guest.egress.permission.denied] == [f"fetch GET {url}"]
    refused = await guest.request(url)
    assert refused.error == "denied" and "used up (bytes=1kB)" in refused.message


async def test_a_rate_is_kept_and_time_gives_it_back(online: Connect, http_server: Start) -> None:
    server = http_server({"/": reply(b"")})
    line = online(NAME)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} rate=2/min {HERE}"))
    url, errors = server.url("/", host="name.test"), []
    for seconds in (0, 30, 29, 1, 29, 1):
        line.desk.now += seconds
        errors.append((await guest.request(url)).error)
    assert errors == ["", "", "denied", "", "denied", ""]
    assert len(server.requests) == 4


async def test_a_grant_that_has_expired_ends_its_transfers(
    online: Connect, http_server: Start
) -> None:
    tap = Tap()
    server = http_server({"/": tapped(tap)})
    line = online(NAME)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} expires=60s {HERE}"))
    url = server.url("/", host="name.test")
    reply_ = await guest.request(url)
    tap.give(b"one")
    assert await guest.read(reply_) == b"one"
    line.desk.now += 59.9
    tap.give(b"two")
    assert await guest.read(reply_) == b"two"
    line.desk.now += 0.1
    tap.give(b"three")
    assert await guest.read(reply_) == "denied"
    assert await guest.read(reply_) == "invalid"
    assert (await guest.request(url)).error == "denied"
    tap.end()


async def test_a_call_makes_so_many_requests_refused_ones_included(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b""), "/on": redirect("/")})
    line = online(NAME)
    seat = line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}")
    url = server.url("", host="name.test")
    guest = line.guest(seat, limits=Limits(requests=3))
    errors = [
        (await guest.request(one)).error
        for one in (f"{url}/", "http://other.test/", f"{url}/", f"{url}/")
    ]
    assert errors == ["", "denied", "", "limit"]
    # In the result and on record once, however often a guest tries.
    assert {(await guest.request(f"{url}/")).error for _ in range(5)} == {"limit"}
    told = [(one.access, one.reason) for one in guest.egress.permission.denied]
    most = "more requests than a call may make: 3 (--limit requests=)"
    assert told[1:] == [(f"fetch GET {url}/", most)]
    assert line.kinds().count("denial") == 2
    guest = line.guest(seat, limits=Limits(requests=1))
    assert (await guest.request(f"{url}/on")).error == "limit"
    assert (await line.guest(seat, limits=Limits(requests=0)).request(url)).error == "limit"
    assert [r.target for r in server.requests] == ["/", "/", "/on"]


async def test_a_body_is_bounded_both_ways(online: Connect, http_server: Start) -> None:
    server = http_server({"/": in_turn(reply(bytes(10)), reply(bytes(11)), echo)})
    line = online(NAME)
    guest = line.guest(
        line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"), limits=Limits(body_bytes=10)
    )
    url = server.url("/", host="name.test")
    assert await guest.body(await guest.request(url)) == bytes(10)
    assert await guest.read(await guest.request(url)) == "too_large"
    assert (await guest.request(url, "POST", body=bytes(11))).error == "too_large"
    assert (await guest.request(url, "POST", body=bytes(10))).error == ""
    assert [len(r.body) for r in server.requests] == [0, 0, 10]


async def test_so_many_bodies_are_open(online: Connect, http_server: Start) -> None:
    server = http_server({"/": reply(b"x")})
    line = online(NAME)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"))
    url = server.url("/", host="name.test")
    found = [await guest.request(url) for _ in range(17)]
    assert [reply.error for reply in found] == [""] * 16 + ["invalid"]
    await guest.serve("close", found[3].handle)
    assert (await guest.request(url)).error == ""
    assert await guest.read(found[3]) == "invalid"
    await guest.egress.aclose()
    server.until(lambda seen: all(one.over for one in seen))
    assert len(guest.egress.effects) == 17


async def test_bytes_of_a_broken_answer_count(online: Connect, http_server: Start) -> None:
    said = [("Content-Encoding", "gzip")]
    server = http_server({"/": reply(b"\xff" * 600, headers=said)})
    line = online(NAME)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} bytes=1kB {HERE}"))
    url = server.url("/", host="name.test")
    assert await guest.read(await guest.request(url)) == "encoding"
    assert await guest.read(await guest.request(url)) in ("encoding", "denied")
    assert (await guest.request(url)).error == "denied"
