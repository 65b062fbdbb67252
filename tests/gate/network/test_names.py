"""A name is looked up once, only when something permits it, and all it leads to must be granted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.gate.network.conftest import HERE, Online
from tests.servers.answers import Alias, Answer, Failure, at, disguises
from tests.servers.http import HttpServer
from tests.servers.replies import reply

pytestmark = pytest.mark.anyio
Start = Callable[..., HttpServer]
Connect = Callable[..., Online]
PUBLIC = "93.184.216.34"


async def test_a_name_without_a_grant_is_never_looked_up(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online({"name.test": at("127.0.0.1"), "*.name.test": at("127.0.0.1")})
    guest = line.guest(
        line.desk.seat(
            f"fetch:http://name.test:{server.port} {HERE}",
            f"fetch:http://spent.test:{server.port} uses=0",
            f"fetch:http://path.test:{server.port}/v1/*",
            f'fetch:"GET http://get.test:{server.port}"',
            f"fetch:http://out.test:{server.port} except=http://out.test:{server.port}",
        )
    )
    for method, url in (
        ("GET", "http://hunter2.evil.test/"),
        ("GET", "http://hunter2.name.test/"),
        ("GET", server.url("/", host="sub.name.test")),
        ("GET", "http://name.test/"),
        ("GET", "https://name.test/"),
        ("GET", server.url("/", host="spent.test")),
        ("GET", server.url("/v2", host="path.test")),
        ("GET", server.url("/v1/..%2fv2", host="path.test")),
        ("POST", server.url("/", host="get.test")),
        ("GET", server.url("/", host="out.test")),
        ("GET", server.url("/", host="name.test.")),
        ("GET", server.url("/", host="NAME.test")),
    ):
        assert (await guest.request(url, method)).error == "denied", url
    assert (line.asked, server.connections) == ([], ())
    assert (await guest.request(server.url("/", host="name.test"))).status == 200
    assert line.asked == ["name.test"]


@pytest.mark.parametrize(
    ("grant", "good", "bad"),
    [
        ("", None, ("127.0.0.1",)),
        ("", None, (PUBLIC, "127.0.0.1")),
        ("", None, ("127.0.0.1", PUBLIC)),
        ("", None, ("10.0.0.1",)),
        ("", None, ("169.254.169.254",)),
        ("", None, ("::1",)),
        ("", None, ("0.0.0.0",)),
        (HERE, ("127.0.0.1",), ("127.0.0.1", "127.0.0.2")),
        (HERE, ("127.0.0.1",), ("127.0.0.1", "::1")),
        (HERE, ("127.0.0.1",), ("127.0.0.1", "10.0.0.1")),
        (HERE, ("::ffff:127.0.0.1",), ("::ffff:127.0.0.2",)),
        ("net=private", ("127.0.0.1",), ("127.0.0.1", "169.254.0.1")),
        ("net=private", ("127.0.0.1",), ("fd00:ec2::254",)),
        ("net=0.0.0.0/0", None, ("127.0.0.1",)),
        ("net=127.0.0.0/8", ("127.0.0.1",), ("::1",)),
        ("net=127.0.0.0/8 except=127.0.0.2/32", ("127.0.0.1",), ("127.0.0.1", "127.0.0.2")),
        ("net=127.0.0.0/8 except=127.0.0.2/32", ("127.0.0.1",), ("::ffff:127.0.0.2",)),
    ],
)
async def test_one_bad_address_is_enough(
    grant: str,
    good: tuple[str, ...] | None,
    bad: tuple[str, ...],
    online: Connect,
    http_server: Start,
) -> None:
    server = http_server({"/": reply(b"")})
    line = online({"good.test": at(*(good or ())), "bad.test": at(*bad)})
    texts = (f"fetch:http://{n}.test:{server.port} {grant}" for n in ("good", "bad"))
    guest = line.guest(line.desk.seat(*texts))
    found = await guest.request(server.url("/", host="bad.test"))
    assert (found.error, server.connections) == ("denied", ())
    # Which address it is stays here: the guest learns a block at most.
    assert "10.0.0.1" not in found.message
    if good is not None:
        assert (await guest.request(server.url("/", host="good.test"))).status == 200


@pytest.mark.parametrize("kind", disguises("127.0.0.2"))
async def test_a_disguised_address_is_refused(
    kind: str, online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online({"name.test": at(disguises("127.0.0.2")[kind])})
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"))
    assert (await guest.request(server.url("/", host="name.test"))).error == "denied"


async def test_what_was_checked_is_what_is_dialled(online: Connect, http_server: Start) -> None:
    server = http_server({"/": reply(b"good")})
    evil = http_server({"/": reply(b"evil")}, host="127.0.0.2", port=server.port)
    line = online({"name.test": [at("127.0.0.1"), at("127.0.0.2")]})
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"))
    url = server.url("/", host="name.test")
    found = await guest.request(url)
    assert await guest.body(found) == b"good"
    assert (found.answer["address"], line.asked) == (f"127.0.0.1:{server.port}", ["name.test"])
    # The next request is a new question, and a new decision.
    assert (await guest.request(url)).error == "denied"
    assert (evil.connections, line.asked) == ((), ["name.test", "name.test"])


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ({"name.test": Alias("other.test"), "other.test": at("127.0.0.1")}, ""),
        ({"name.test": Alias("other.test"), "other.test": at("127.0.0.2")}, "denied"),
        ({"name.test": Alias("other.test"), "other.test": at("127.0.0.1", "10.0.0.1")}, "denied"),
        ({"name.test": Alias("other.test")}, "dns"),
        ({"name.test": Failure()}, "dns"),
        ({}, "dns"),
    ],
)
async def test_an_alias_is_judged_by_where_it_ends(
    table: dict[str, Answer], error: str, online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online(table)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"))
    assert (await guest.request(server.url("/", host="name.test"))).error == error
    assert len(server.connections) == (0 if error else 1)


async def test_the_grant_that_reaches_is_the_one_that_counts(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online({"name.test": at("127.0.0.1")})
    url = server.url("", host="name.test")
    seat = line.desk.seat(f"fetch:{url}", f"fetch:{url} uses=1 {HERE}")
    guest = line.guest(seat)
    assert [(await guest.request(f"{url}/")).error for _ in range(2)] == ["", "denied"]


async def test_a_literal_address_is_reached_by_naming_it(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online({})
    port = server.port
    for number, (grant, error) in enumerate(
        (
            (f"fetch:http://127.0.0.1:{port}", ""),
            (f"fetch:http://[127.0.0.0/8]:{port}", ""),
            (f"fetch:http://[0.0.0.0/0]:{port}", "denied"),
            (f"fetch:http://127.0.0.2:{port}", "denied"),
            (f"fetch:http://name.test:{port} net=127.0.0.0/8", "denied"),
        )
    ):
        guest = line.guest(line.desk.seat(grant, run=f"run-{number}"))
        assert (await guest.request(server.url("/"))).error == error, grant
    assert line.asked == []


async def test_a_tool_gets_no_more_than_it_requests(online: Connect, http_server: Start) -> None:
    server = http_server({"*": reply(b"")})
    line = online({"name.test": at("127.0.0.1"), "other.test": at("127.0.0.1")})
    port = server.port
    seat = line.desk.seat(
        f"fetch:http://name.test:{port} {HERE}", f"fetch:http://other.test:{port} {HERE}"
    )
    for requests, errors in (
        (("fetch:*",), ["", ""]),
        ((f"fetch:http://name.test:{port}",), ["", "denied"]),
        (("read:*",), ["denied", "denied"]),
    ):
        guest = line.guest(seat, *requests)
        found = [
            (await guest.request(server.url("/", host=name))).error
            for name in ("name.test", "other.test")
        ]
        assert found == errors, requests
