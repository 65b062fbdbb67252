"""A run that used the network, replayed: its answers come from the record, in order."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.replay.conftest import Replay
from tests.engine.replay.test_replaying import states
from tests.servers.http import HttpServer
from tests.servers.replies import echo, redirect, reply

from capbox.box import Box
from capbox.broker.network import Network
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine

VALUE = "s3cret-value-of-the-test"


@pytest.fixture
def server(http_server: Callable[..., HttpServer]) -> HttpServer:
    """A page, a way to it, and an echo of what was sent."""
    return http_server({"/page": reply(b"hello\n"), "/to": redirect("/page"), "/echo": echo})


def asked(engine: LocalEngine) -> list[str]:
    """Let the engine have one secret, and return the names that it is asked for."""
    names: list[str] = []

    def secret(name: str) -> str:
        names.append(name)
        return VALUE

    engine.gate._network = Network(secret=secret)
    return names


async def test_requests_are_answered_from_the_record_and_nothing_is_sent(
    engine: LocalEngine, server: HttpServer, workspace: Path, replay: Replay
) -> None:
    origin = f"http://localhost:{server.port}"
    script = f"curl -s {origin}/to -L; curl -s -d text={{1..3}} {origin}/echo; curl -s {origin}/no"
    box = Box(workspace=workspace, grants=(f"fetch:{origin} uses=7",), engine=engine)
    async with box:
        first = await box.call("bash", script=script)
        second = await box.call("fetch", url=f"{origin}/page")
        third = await box.call("fetch", url="https://elsewhere.example/")
        for _ in range(3):
            await box.call("fetch", url=f"{origin}/page")
    assert (first.ok, second.ok, third.ok) == (True, True, False)
    seen = len(server.requests)
    report = await replay(first.journal)
    assert (report.difference, report.left) == (None, ())
    assert states(report)[:3] == [("bash", "identical"), *[("fetch", "identical")] * 2]
    assert len(server.requests) == seen > 5


async def test_no_secret_is_opened_and_none_is_on_the_tape(
    engine: LocalEngine, server: HttpServer, workspace: Path, replay: Replay, home: Home
) -> None:
    origin = f"http://localhost:{server.port}"
    names = asked(engine)
    grants = (f"fetch:{origin}", f"secret:KEY@{origin}")
    async with Box(workspace=workspace, grants=grants, engine=engine) as box:
        result = await box.call("fetch", url=f"{origin}/echo")
        spelt = await box.call("bash", script=f"echo {VALUE}")
        deep = await box.call("bash", script=json.loads("[" * 600 + "]" * 600))
    assert "[secret:KEY]" in result.content and names == ["KEY"]
    report = await replay(result.journal)
    reason = "not replayable: its arguments held a secret, which is not kept"
    assert states(report) == [("fetch", "identical"), *[("bash", reason)] * 2]
    assert deep.error is not None and "nested deeper" in deep.error.message
    assert names == ["KEY"]
    assert spelt.ok
    assert VALUE.encode() not in b"".join(file.read_bytes() for file in home.replay.iterdir())
