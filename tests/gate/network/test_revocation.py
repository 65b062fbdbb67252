"""Whatever ends a call ends its transfers, and what they did until then is on record."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext

import anyio
import pytest
from tests.gate.conftest import ScriptedApprover
from tests.gate.network.conftest import HERE, Guest, Online, manifest
from tests.servers.answers import at
from tests.servers.http import HttpServer, Tap
from tests.servers.replies import reply, silence, tapped

from capbox.authority.decision import AuthorityId
from capbox.gate.approver import ForRun
from capbox.gate.gate import Gate
from capbox.gate.runner import Tool
from capbox.gate.seat import Seat
from capbox.messages import JsonObject, ToolCall, ToolResult
from capbox.sandbox.spec import Answer, Job, Outcome, Serve, UnderWay
from capbox.tools.scripted import ScriptedRunner
from capbox.tools.scripted import reply as told

pytestmark = pytest.mark.anyio
Start = Callable[..., HttpServer]
Connect = Callable[..., Online]
NAME = {"name.test": at("127.0.0.1")}


class Served:
    """Stands where a guest expects its egress: frames go to the gate that runs it."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve

    async def serve(self, header: JsonObject, body: bytes, under_way: UnderWay) -> Answer:
        return await self._serve(header, body, UnderWay(lambda: (), nullcontext))


class GuestRunner(ScriptedRunner):
    """Runs a function as the guest, with what the gate serves."""

    def __init__(self, guest: Callable[[Guest], Awaitable[None]]) -> None:
        super().__init__(self._answered)
        self._guest = guest

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        self._serve = serve
        return await super().run(job, cut, serve)

    async def _answered(self, job: Job) -> Outcome:
        await self._guest(Guest(Served(self._serve)))  # type: ignore[arg-type]
        return Outcome(told("done"))


class Call:
    """One call through a whole gate, whose guest is a function."""

    def __init__(self, line: Online, guest: Callable[[Guest], Awaitable[None]]) -> None:
        module, desk = line.tool.module, line.desk
        tool = Tool(manifest("fetch:*", "secret:*"), module, "digest", GuestRunner(guest))
        self.gate = Gate(
            {"fetch": tool},
            holdings=desk.holdings,
            clock_ns=lambda: int(desk.now * 1e9),
            entropy=lambda size: b"s" * size,
            network=line.network,
        )
        self.result: ToolResult | None = None

    async def made(self, seat: Seat) -> None:
        self.result = await self.gate.call(ToolCall("c1", "fetch", {}), seat)


async def reading(guest: Guest, url: str, begun: anyio.Event) -> None:
    """Fetch for ever."""
    found = await guest.request(url)
    assert await guest.read(found) == b"first"
    begun.set()
    await guest.read(found)


@pytest.mark.parametrize("leased", [False, True])
async def test_a_revoked_authority_ends_a_slow_transfer(
    leased: bool, online: Connect, http_server: Start
) -> None:
    tap, begun = Tap(), anyio.Event()
    tap.give(b"first")
    server = http_server({"/": tapped(tap)})
    line, url = online(NAME), server.url("/", host="name.test")
    grant = f"fetch:http://name.test:{server.port} {HERE}"
    held = ("tool:fetch",) if leased else ("tool:fetch", grant)
    seat = line.desk.seat(
        tools=held, ceiling=[grant] if leased else None, approver=ScriptedApprover(ForRun())
    )
    call = Call(line, lambda guest: reading(guest, url, begun))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call.made, seat)
        with anyio.fail_after(20):
            await begun.wait()
            call.gate.revoke(AuthorityId(seat.leases[0].id if leased else "root"))
    result = call.result
    assert result is not None and result.error is not None
    assert result.error.code == "revoked"
    ((path, request),) = [(e.path, e.request) for e in result.effects]
    assert request is not None
    assert (path, request.status, request.received_bytes) == (url, 200, 5)
    tap.give(b"second")
    tap.give(b"third")
    server.until(lambda seen: seen[0].over)
    assert line.kinds()[-1] == "outcome"
    if not leased:  # the lease is gone, and with its ceiling there the next call would ask again
        assert (await call.gate.call(ToolCall("c2", "fetch", {}), seat)).error is not None
    assert len(server.connections) == 1


async def test_another_runs_authority_does_not(online: Connect, http_server: Start) -> None:
    tap, begun = Tap(), anyio.Event()
    tap.give(b"first")
    server = http_server({"/": tapped(tap)})
    line, url = online(NAME), server.url("/", host="name.test")
    seat = line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}", tools=("tool:fetch",))
    call = Call(line, lambda guest: reading(guest, url, begun))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call.made, seat)
        await begun.wait()
        call.gate.revoke(AuthorityId("another"))
        tap.end()
    assert call.result is not None and call.result.ok


async def test_a_call_that_is_cancelled_leaves_no_connection(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": silence})
    line, url = online(NAME), server.url("/", host="name.test")
    seat = line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}", tools=("tool:fetch",))

    async def waits(guest: Guest) -> None:
        await guest.request(url)

    call = Call(line, waits)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call.made, seat)
        await anyio.to_thread.run_sync(server.until, lambda seen: bool(seen and seen[0].requests))
        tasks.cancel_scope.cancel()
    server.until(lambda seen: seen[0].over)
    assert line.kinds() == ["intent", "lookup", "request", "outcome"]
    (effect,) = line.desk.recorded()[-1]["effects"]  # type: ignore[misc]
    assert effect["path"] == url  # type: ignore[index, call-overload]


async def test_what_a_guest_leaves_open_ends_with_its_call(
    online: Connect, http_server: Start
) -> None:
    tap = Tap()
    server = http_server({"/": tapped(tap), "/whole": reply(b"whole")})
    line = online(NAME)
    seat = line.desk.seat(f"fetch:http://name.test:{server.port} {HERE}", tools=("tool:fetch",))

    async def leaves(guest: Guest) -> None:
        for path in ("/", "/whole", "/"):
            assert (await guest.request(server.url(path, host="name.test"))).status == 200

    call = Call(line, leaves)
    await call.made(seat)
    assert call.result is not None and call.result.ok
    assert len(call.result.effects) == 3
    tap.end()
    tap.end()
    server.until(lambda seen: all(one.over for one in seen))
    assert "http://name.test" in next(iter(seat.seen))
