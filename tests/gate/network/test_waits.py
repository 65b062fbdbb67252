"""A guest may want to wait less long than the parent would, and never longer."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import anyio
import pytest
from tests.gate.conftest import ScriptedApprover
from tests.gate.network.conftest import HERE, Online
from tests.servers.answers import at
from tests.servers.http import HttpServer, Tap
from tests.servers.replies import held, in_turn, redirect, reply, silence, tapped

from capbox.authority.limits import Limits
from capbox.gate.approver import Answer, Once

pytestmark = pytest.mark.anyio
Start = Callable[..., HttpServer]
Connect = Callable[..., Online]
NAME = {"name.test": at("127.0.0.1")}
SHORT, LONG = {"timeout_ms": 1_000}, {"timeout_ms": 60_000, "connect_timeout_ms": 60_000}


@pytest.mark.parametrize("path", ["/silent", "/to"])
async def test_a_wait_ends_when_the_guest_wants_it(
    path: str, online: Connect, http_server: Start
) -> None:
    server = http_server({"/silent": silence, "/to": redirect("/silent"), "/": reply(b"ok")})
    line = online(NAME)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"))
    found = await guest.request(server.url(path, host="name.test"), waits=SHORT)
    assert (found.error, "within 1 s" in found.message) == ("timeout", True)
    # Each request is on record, and its connection is cut: nothing goes on behind the guest.
    server.until(lambda seen: all(one.over for one in seen))
    assert len(guest.egress.effects) == (1 if path == "/silent" else 2)
    assert (await guest.request(server.url("/", host="name.test"), waits=LONG)).status == 200


async def test_no_wait_is_longer_than_the_parents(online: Connect, http_server: Start) -> None:
    server = http_server({"/": silence})
    line = online(NAME)
    seat = line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}")
    guest = line.guest(seat, limits=Limits(wall_seconds=0.15))
    found = await guest.request(server.url("/", host="name.test"), waits=LONG)
    assert (found.error, found.message) == ("timeout", "the server did not answer in time")


async def test_silence_within_a_body_ends_it_too(online: Connect, http_server: Start) -> None:
    tap = Tap()
    server = http_server({"/": tapped(tap)})
    line = online(NAME)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"))
    found = await guest.request(server.url("/", host="name.test"), waits={"timeout_ms": 1_000})
    tap.give(b"one")
    assert await guest.read(found) == b"one"
    assert await guest.read(found) == "timeout"
    tap.end()


class Slow(ScriptedApprover):
    """Answers only when the guest's own patience would long be over."""

    async def ask(self, request: object) -> Answer:
        with anyio.move_on_after(0.5):
            await anyio.Event().wait()
        return await super().ask(request)  # type: ignore[arg-type]


@pytest.mark.parametrize(("then", "error"), [(reply(b"ok"), ""), (silence, "timeout")])
async def test_what_a_person_takes_to_answer_does_not_count(
    then: Callable[..., None], error: str, online: Connect, http_server: Start
) -> None:
    server = http_server({"/": then})
    line = online(NAME)
    ceiling = [f"fetch:http://name.test:{server.port} {HERE}"]
    guest = line.guest(line.desk.seat(ceiling=ceiling, approver=Slow(Once())))
    url = server.url("/", host="name.test")
    found = await guest.request(url, waits={"timeout_ms": 400})
    assert found.error == error
    assert guest.pauses == ["begin", "end"]
    assert len(server.requests) == 1


async def test_an_answer_that_comes_later_is_had_by_who_waits(
    online: Connect, http_server: Start
) -> None:
    event = Event()
    server = http_server({"/": in_turn(held(event, reply(b"late")), reply(b"again"))})
    line = online(NAME)
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}"))
    url = server.url("/", host="name.test")
    assert (await guest.request(url, waits=SHORT)).error == "timeout"
    event.set()
    assert await guest.body(await guest.request(url, waits=LONG)) == b"again"
