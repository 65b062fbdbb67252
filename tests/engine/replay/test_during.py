"""What was decided in the middle of a call is decided again, and a difference is seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.replay.conftest import Replay
from tests.servers.http import HttpServer
from tests.servers.replies import reply

from capbox.box import Box
from capbox.engine.local import LocalEngine

TO_ALICE = """invoke send '{"to": "alice@a.example"}'"""


@pytest.mark.parametrize(
    ("holding", "found"),
    [
        (["tool:bash", "invoke:send"], None),
        (["tool:bash", "invoke:send uses=2"], None),
        (["tool:bash", "invoke:send uses=1"], "used up (uses=1): invoke:send uses=1"),
        (["tool:bash", "invoke:send arg.to=in(bob@a.example)"], "is not bob@a.example"),
        (["tool:bash", "invoke:other"], "no grant covers it"),
        (["tool:bash"], "no grant covers it"),
    ],
)
async def test_an_invocation(
    engine: LocalEngine, workspace: Path, replay: Replay, holding: list[str], found: str | None
) -> None:
    box = Box(workspace=workspace, grants=("invoke:send",), engine=engine)

    @box.tool(effect="send", sinks={"to": "email"})
    def send(to: str) -> str:
        """Send a mail."""
        return f"sent to {to}"

    async with box:
        result = await box.call("bash", script=f"{TO_ALICE}; echo; {TO_ALICE}")
        assert result.content.count("sent") == 2
    report = await replay(result.journal, holding=holding)
    if found is None:
        assert (report.difference, report.identical) == (None, True)
        return
    assert report.difference is not None
    assert report.difference.what == "the decision on an invocation"
    assert found in report.difference.lines[1]


@pytest.mark.parametrize("narrower", ["fetch:ORIGIN uses=1", "fetch:ORIGIN/other", "tool:fetch"])
async def test_a_request(
    engine: LocalEngine,
    workspace: Path,
    replay: Replay,
    http_server: Callable[..., HttpServer],
    narrower: str,
) -> None:
    server = http_server({"/": reply(b"hello")})
    origin = server.url("")
    async with Box(workspace=workspace, grants=(f"fetch:{origin}",), engine=engine) as box:
        result = await box.call("bash", script=f"curl -s {origin}/; curl -s {origin}/")
    holding = ["tool:bash", narrower.replace("ORIGIN", origin)]
    report = await replay(result.journal, holding=holding)
    assert report.difference is not None
    assert report.difference.what == "the decision on a request"
