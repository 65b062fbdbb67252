"""The frames of a worker, the record before the effect, and how a call's transfers end."""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Callable
from random import Random
from typing import Any, ClassVar

import anyio
import pytest
from tests.gate.conftest import grants
from tests.gate.network.conftest import HERE, Online
from tests.servers.answers import at
from tests.servers.http import HttpServer
from tests.servers.loopback import Listener, closed_port
from tests.servers.replies import redirect, reply, silence

from capbox.authority.authority import Authority
from capbox.authority.decision import AuthorityId
from capbox.authority.limits import Limits
from capbox.broker.network import Network

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


async def test_a_handle_is_one_transfers_and_never_anothers(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"abc")})
    line = online(NAME)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"))
    url = server.url("/", host="name.test")
    first, second = [await guest.request(url) for _ in range(2)]
    assert await guest.serve("close", first.handle) == ({"http": [0, 0]}, b"")
    third = await guest.request(url)
    assert [one.handle for one in (first, second, third)] == [1, 2, 3]
    for count in (0, -1):
        _, content = await guest.serve("read", 2, count)
        assert json.loads(content)["error"]["message"] == "no such operation"
    answers = [await guest.serve("read", 2, count) for count in (1, 10**30, 1)]
    expected: list[tuple[object, bytes]] = [({"http": [1, 0]}, b"a"), ({"http": [2, 0]}, b"bc")]
    assert answers == [*expected, ({"http": [0, 0]}, b"")]
    assert await guest.read(first) == "invalid" and await guest.body(third) == b"abc"
    asked = {"method": "GET", "url": url, "headers": [], "redirects": 0, "decode": True}
    header, _ = await guest.serve("request", json.dumps(asked))
    assert header == {"http": [4, 0]}


@pytest.mark.parametrize("opened", [16, 17])
async def test_so_many_responses_are_open_at_a_time(
    opened: int, online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online({})
    guest = line.guest(line.desk.seat(f"fetch:{server.url('')}"), limits=Limits(requests=16))
    errors = [(await guest.request(server.url("/"))).error for _ in range(opened)]
    assert errors == [""] * 16 + ["invalid"] * (opened - 16)
    # Of those 16 requests that a call may make here, none is left; it is on record once.
    await guest.serve("close", 1)
    assert guest.egress.permission.denied == []
    for _ in range(2):
        assert (await guest.request(server.url("/"))).error == "limit"
        assert len(guest.egress.permission.denied) == 1
    assert len(server.requests) == 16


@pytest.mark.parametrize("more", [0, 1])
async def test_of_a_url_that_leads_nowhere_so_much_is_shown(more: int, online: Connect) -> None:
    line = online({})
    guest = line.guest(line.desk.seat())
    url = "ftp://a.test/".ljust(500 - len("fetch GET ") + more, "x")
    assert (await guest.request(url)).error == "denied"
    (denial,) = guest.egress.permission.denied
    assert denial.access == f"fetch GET {url}"[:500]
    assert denial.access.startswith("fetch GET ftp://a.test/xx") and len(denial.access) == 500


async def test_what_a_server_says_is_a_source_and_so_is_the_secret_it_was_told(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online({"localhost": at("127.0.0.1")}, {"KEY": "hunter2-hunter2"})
    origin = f"http://localhost:{server.port}"
    for secrets, said in (
        ((), [f"web:{origin}"]),
        ((f"secret:KEY@{origin}",), [f"secret:KEY@{origin}", f"web:{origin}"]),
    ):
        seat = line.desk.seat(f"fetch:{origin} {HERE}", *secrets, run=f"run-{len(secrets)}")
        guest = line.guest(seat)
        assert (await guest.request(f"{origin}/")).status == 200
        reading = guest.egress.permission.reading
        assert sorted(map(str, reading.reached)) == said
        # What it was told may go back to it, and nowhere else.
        back = [s.confidential_for(s.origin) for s in reading.reached if s.kind == "secret"]
        assert back == [False] * len(secrets)


async def test_what_a_request_drew_on_is_on_record(online: Connect, http_server: Start) -> None:
    server = http_server({"/": reply(b"")})
    line = online(NAME)
    grant = f"fetch:http://name.test:{server.port}"
    for run, caveat, draws in (("run-1", "uses=5", ["root#3"]), ("run-2", "", None)):
        guest = line.guest(line.desk.seat(f"{grant} {caveat} {HERE}", run=run))
        assert (await guest.request(server.url("/", host="name.test"))).status == 200
        (record,) = [r for r in line.desk.recorded(run) if r["kind"] == "request"]
        at_ = None if draws is None else line.desk.now
        assert (record.get("draws"), record.get("at")) == (draws, at_)


async def test_a_wait_is_over_when_its_grant_expires(online: Connect, http_server: Start) -> None:
    server = http_server({"/": silence})
    line = online(NAME)
    grant = f"fetch:http://name.test:{server.port} expires=60s {HERE}"
    guest = line.guest(line.desk.seat(grant))
    line.desk.now += 59.9
    url = server.url("/", host="name.test")
    found = await guest.request(url, waits={"timeout_ms": 5_000})
    assert (found.error, "has expired" in found.message) == ("denied", True)
    assert len(guest.egress.effects) == 1


async def test_a_refusal_for_bytes_names_the_bound_that_was_reached(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online(NAME)
    url = server.url("/", host="name.test")
    guest = line.guest(line.desk.seat(f"fetch:{url[:-1]} uses=1 bytes=10B {HERE}"))
    refused = await guest.request(url)
    assert refused.error == "denied" and "used up (bytes=10B): " in refused.message
    assert server.connections == ()


async def test_bytes_of_a_grant_that_others_share_are_refused_by_that_bound(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online(NAME)
    url = server.url("/", host="name.test")
    seat = line.desk.seat(f"fetch:{url[:-1]} bytes=200B {HERE}")
    shared = seat.authority.grants[-1]
    child = seat.authority.attenuate(
        grants(f"fetch:{url[:-1]} bytes=150B {HERE}"), id=AuthorityId("child"), now=line.desk.now
    )
    assert isinstance(child, Authority), child
    line.desk.holdings.spend(shared, 195)
    seat.authority = child
    refused = await line.guest(seat).request(url)
    assert refused.error == "denied" and "used up (bytes=200B): " in refused.message


@pytest.mark.parametrize(
    ("location", "error"),
    [
        # Read as a URL it is spelt otherwise than in the header, and either may show it.
        ("http://Swordfish-SWORDFISH.localhost/", "redirects"),
        ("/swordfish-\tswordfish", "redirects"),
        ("http://sword\xadfish-swordfish.localhost/", "redirects"),
        ("http://[::1", "redirects"),
        ("/swordfish", ""),
    ],
)
async def test_a_redirect_shows_no_secret_however_its_url_is_read(
    location: str, error: str, online: Connect, http_server: Start
) -> None:
    value = "Swordfish-SWORDFISH" if "SWORD" in location else "swordfish-swordfish"
    server = http_server({"/on": redirect(location), "*": reply(b"")})
    line = online({"localhost": at("127.0.0.1")}, {"KEY": value})
    origin = f"http://localhost:{server.port}"
    seat = line.desk.seat(f"fetch:{origin} {HERE}", f"secret:KEY@{origin}")
    guest = line.guest(seat)
    found = await guest.request(f"{origin}/on")
    assert (found.error, len(server.requests)) == (error, 1 if error else 2)
    followed = [] if error else [{"status": 302, "url": f"{origin}{location}"}]
    assert found.answer.get("redirects", []) == followed
    # Who follows none has it as an answer, and is told nothing either.
    stays = await guest.request(f"{origin}/on", redirects=0)
    assert stays.status == 302 and value not in json.dumps(stays.answer)
    assert len(guest.egress.effects) == 1


async def test_what_was_revoked_is_read_no_further(online: Connect, http_server: Start) -> None:
    server = http_server({"/": reply(b"abc")})
    line = online({})
    guest = line.guest(line.desk.seat(f"fetch:{server.url('')}"))
    found = await guest.request(server.url("/"))
    assert await guest.read(found, 1) == b"a"
    line.desk.holdings.revoke(AuthorityId("root"))
    _, content = await guest.serve("read", found.handle, 1)
    assert "has ended" in json.loads(content)["error"]["message"]
    assert await guest.read(found, 1) == "invalid"


class Looking(Network):
    """Notes until when a connection may take."""

    deadlines: ClassVar[list[float]] = []

    async def connect(self, *given: Any) -> Any:
        self.deadlines.append(anyio.current_effective_deadline() - anyio.current_time())
        return await super().connect(*given)


@pytest.mark.parametrize(
    ("caveat", "waits", "seconds"),
    [
        ("", {}, math.inf),
        ("expires=60s", {}, 60),
        ("", {"timeout_ms": 40_000}, 40),
        ("expires=60s", {"timeout_ms": 40_000}, 40),
    ],
)
async def test_a_request_lasts_as_long_as_its_grant_and_its_guest_want(
    caveat: str, waits: dict[str, int], seconds: float, online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online({})
    line.network = Looking()
    guest = line.guest(line.desk.seat(f"fetch:{server.url('')} {caveat}".strip()))
    assert (await guest.request(server.url("/"), waits=waits)).status == 200
    assert Looking.deadlines.pop() == pytest.approx(seconds, abs=15)


async def test_who_wants_to_wait_no_longer_is_told_so(online: Connect, http_server: Start) -> None:
    server = http_server({"/": silence})
    line = online({})
    guest = line.guest(line.desk.seat(f"fetch:{server.url('')}"))
    found = await guest.request(server.url("/"), waits={"timeout_ms": 50})
    assert (found.error, found.message) == ("timeout", "there was no response within 0.05 s")
