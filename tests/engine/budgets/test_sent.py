"""What leaves is taken from the budgets before it leaves: in requests, and through functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.servers.http import HttpServer
from tests.servers.replies import reply

from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.messages import ToolResult

pytestmark = pytest.mark.anyio
HUNDRED = "x" * 100
Server = Callable[..., HttpServer]


def paths(server: HttpServer) -> list[str]:
    """The paths that the server was asked for, in order."""
    return [one.target for seen in server.connections for one in seen.requests]


@pytest.mark.parametrize(
    ("budget", "script", "came", "reason"),
    [
        ({"bytes_out": 1000}, "curl -sS -d {x} A/1; curl -sS -d {x} A/2", ["/1", "/2"], None),
        ({"bytes_out": 300}, "curl -sS -d {x} A/1; curl -sS -d {x} A/2", ["/1"], "bytes_out"),
        ({"bytes_out": 300}, "curl -sS A/{x}; curl -sS A/{x}1", ["/{x}"], "bytes_out"),
        ({"bytes_out": 300}, "curl -H 'X-A: {x}' A/1; curl -H 'X-A: {x}' A/2", ["/1"], "bytes_out"),
        ({"bytes_out": 50}, "curl -sS -H 'X-Note: {x}' A/1", [], "bytes_out"),
        ({"sinks": 1}, "curl -sS A/1; curl -sS B/2; curl -sS A/3", ["/1", "/3"], "sinks"),
        ({"sinks": 0}, "curl -sS A/1", [], "sinks"),
        # Ports of a host are one receiver.
        ({"sink_calls": 2}, "curl -sS A/1; curl -sS B/2; curl -sS A/3", ["/1", "/2"], "sink_calls"),
        ({"sink_bytes": 300}, "curl -sS -d {x} A/1; curl -sS -d {x} B/2", ["/1"], "sink_bytes"),
        # A redirect is a request.
        ({"sink_calls": 1}, "curl -sSL A/there", ["/there"], "sink_calls"),
        ({"sink_calls": 2}, "curl -sSL A/there", ["/there", "/here"], None),
    ],
)
async def test_a_request_that_does_not_fit_reaches_nobody(
    engine: LocalEngine,
    http_server: Server,
    workspace: Path,
    budget: Mapping[str, float],
    script: str,
    came: list[str],
    reason: str | None,
) -> None:
    served = {"/there": reply(status=302, headers=[("Location", "/here")])}
    servers = [http_server({**served, "/": reply(b"ok")}) for _ in "AB"]
    for name, server in zip("AB", servers, strict=True):
        script = script.replace(f"{name}/", f"{server.url('')}/")
    grants = [f"fetch:{server.url('')}" for server in servers]
    async with Box(workspace=workspace, grants=grants, engine=engine, budget=budget) as box:
        result = await box.call("bash", script=script.replace("{x}", HUNDRED))
    arrived = [path for server in servers for path in paths(server)]
    assert sorted(arrived) == sorted(path.replace("{x}", HUNDRED) for path in came)
    said = [denied.reason for denied in result.denied]
    assert [f"{reason}: " in one for one in said] == ([True] if reason else []), said


@pytest.mark.parametrize(
    ("budget", "calls", "codes"),
    [
        ({"sinks": 1}, ["alice", "alice", "bob"], ["", "", "budget_exceeded"]),
        ({"sink_calls": 1}, ["alice", "ALICE", "bob"], ["", "budget_exceeded", ""]),
        ({"bytes_out": 250}, ["alice", "bob", "carol"], ["", "budget_exceeded", "budget_exceeded"]),
        ({"sink_bytes": 250}, ["alice", "alice", "bob"], ["", "budget_exceeded", ""]),
    ],
)
async def test_a_function_that_may_not_send_any_more_is_not_called(
    engine: LocalEngine,
    workspace: Path,
    budget: Mapping[str, float],
    calls: list[str],
    codes: list[str],
) -> None:
    box, got = Box(workspace=workspace, grants=["tool:send"], engine=engine, budget=budget), []

    @box.tool(effect="send", sinks={"to": "email"})
    def send(to: str, text: str) -> None:
        """Send a mail."""
        got.append(f"{to} {text}")

    async with box:
        results = [await box.call("send", to=f"{who}@a.example", text=HUNDRED) for who in calls]
    assert [code(one) for one in results] == codes
    assert len(got) == codes.count("")


@pytest.mark.parametrize(
    ("budget", "calls", "codes"),
    [
        ({"sinks": 1}, [{}, {"to": "TEAM@a.example"}, {"to": "bob@a.example"}], [1, 1, 0]),
        ({"sink_calls": 1}, [{}, {"to": "team+1@a.example"}, {}], [1, 0, 0]),
        ({"sink_bytes": 200}, [{}, {}], [1, 0]),
        ({"sink_calls": 1}, [{"cc": ["bob@a.example"]}, {"to": "bob@a.example"}, {}], [1, 0, 0]),
    ],
)
async def test_whom_a_function_sends_to_by_default_counts_as_one_that_is_named(
    engine: LocalEngine,
    workspace: Path,
    budget: Mapping[str, float],
    calls: list[dict[str, object]],
    codes: list[int],
) -> None:
    box = Box(workspace=workspace, grants=["tool:send"], engine=engine, budget=budget)

    @box.tool(effect="send", sinks={"to": "email", "cc": "email"})
    def send(text: str, to: str = "TEAM@A.example", cc: list[str] | None = None) -> None:
        """Send a mail."""

    async with box:
        results = [await box.call("send", text=HUNDRED, **given) for given in calls]
    assert [one.ok for one in results] == [*map(bool, codes)]


async def test_a_function_that_sends_and_names_no_place_is_a_receiver_itself(
    engine: LocalEngine, workspace: Path
) -> None:
    grants, budget = ["tool:post", "tool:look"], {"sink_calls": 1}
    box = Box(workspace=workspace, grants=grants, engine=engine, budget=budget)

    @box.tool(effect="send")
    def post(text: str) -> None:
        """Post a text."""

    @box.tool(effect="read")
    def look(text: str) -> None:
        """Look it up."""

    async with box:
        results = [await box.call(name, text="x") for name in ("post", "post", "look", "look")]
    assert [one.ok for one in results] == [True, False, True, True]
    assert "for function:post" in str(results[1].error)


def code(result: ToolResult) -> str:
    return "" if result.error is None else result.error.code
