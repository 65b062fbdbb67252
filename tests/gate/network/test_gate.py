"""A whole call of a guest that asks for the network: what it gets of it, and what is on record."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from ipaddress import ip_address

import pytest
from tests.gate.conftest import Desk, ScriptedApprover
from tests.gate.network.conftest import HERE
from tests.servers.http import HttpServer
from tests.servers.replies import reply as page

from capbox.authority.web.addresses import Address
from capbox.broker.network import Network
from capbox.gate.approver import Once
from capbox.gate.gate import Gate
from capbox.gate.manifest import Request
from capbox.gate.runner import Tool
from capbox.messages import Json, JsonObject, ToolCall
from capbox.sandbox.spec import Job, Outcome, Serve, UnderWay
from capbox.tools.scripted import reply


class Fetching:
    """A `Runner` whose guest sends one request, and ends without reading or closing it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answer: Json = None

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        more: JsonObject = {"headers": [], "redirects": 0, "decode": True}
        header = ["request", json.dumps({"method": "GET", "url": self.url, **more})]
        _, content = await serve({"http": header}, b"", UnderWay(lambda: (), nullcontext))
        self.answer = json.loads(content)
        return Outcome(reply("done"))

    def stop_run(self, run: str) -> None:
        raise AssertionError


async def here(host: str, port: int) -> tuple[Address, ...]:
    """Every name is of this machine."""
    return (ip_address("127.0.0.1"),)


def gate_of(desk: Desk, runner: Fetching, network: Network | None = None) -> Gate:
    """A gate with this guest as the tool `read`."""
    made = replace(desk.tools["read"].manifest, optional=(Request("fetch"),))
    tool = Tool(made, desk.tools["read"].module, "00", runner)
    return Gate(
        {"read": tool},
        holdings=desk.holdings,
        clock_ns=lambda: int(desk.now * 1e9),
        entropy=lambda size: b"s" * size,
        network=network,
    )


@pytest.mark.parametrize(
    ("network", "host"), [(None, "127.0.0.1"), (Network(resolve=here), "name.test")]
)
async def test_a_guest_asks_the_gates_own_network_or_the_systems(
    desk: Desk, http_server: Callable[..., HttpServer], network: Network | None, host: str
) -> None:
    server = http_server({"/": page(b"ok")})
    url = server.url("/", host=host)
    runner = Fetching(url)
    gate = gate_of(desk, runner, network)
    seat = desk.seat(f"fetch:http://{host}:{server.port} {HERE} uses=2")
    result = await gate.call(ToolCall("c1", "read", {"path": "/tmp/a"}), seat)
    assert isinstance(runner.answer, dict) and runner.answer["status"] == 200
    # What was left open ended with its call: it is among the effects, and on record.
    assert [(e.action, e.path) for e in result.effects] == [("fetch", url)]
    assert list(seat.seen) == [url]
    outcome = desk.recorded()[-1]
    assert (outcome["kind"], outcome["drawn"]) == ("outcome", [["root#3", 1, 0]])


async def test_what_was_lent_for_the_call_is_held_while_it_goes_on(desk: Desk) -> None:
    runner = Fetching("http://127.0.0.1:9/")
    seat = desk.seat(
        tools=("tool:read",), ceiling=("read:/workspace",), approver=ScriptedApprover(Once())
    )
    result = await gate_of(desk, runner).call(ToolCall("c1", "read", {"path": "a"}), seat)
    assert result.ok and len(result.denied) == 1
    assert isinstance(runner.answer, dict)
    assert "This run holds: tool:read, read:/workspace/a." in str(runner.answer["error"])
