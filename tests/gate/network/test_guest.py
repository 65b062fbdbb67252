"""With a real guest in a real sandbox: what ends its call ends its transfer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from tests.servers.http import Exchange, HttpServer
from tests.servers.replies import head, reply, silence

from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.messages import ToolResult

pytestmark = pytest.mark.anyio
SCRIPT = "curl -s SERVER/whole > out.txt; curl -s SERVER/ >> out.txt; echo after >> out.txt"


async def test_revoking_a_box_ends_a_guest_that_waits_for_a_server(
    engine: LocalEngine, http_server: Callable[..., HttpServer], tmp_path: Path
) -> None:
    results = list[ToolResult]()
    server = http_server({"/": silence, "/whole": reply(b"whole")})
    script = SCRIPT.replace("SERVER", server.url(""))
    folder = tmp_path / "workspace"
    folder.mkdir()
    grants = (f"fetch:{server.url('')}", "write:/workspace")
    async with Box(workspace=folder, grants=grants, engine=engine) as box:

        async def called() -> None:
            results.append(await box.call("bash", script=script))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(called)
            await anyio.to_thread.run_sync(
                server.until, lambda seen: sum(len(one.requests) for one in seen) == 2
            )
            box.revoke()
        again = await box.call("bash", script=script)
    (result,) = results
    assert result.error is not None and result.error.code == "revoked"
    effects = [(e.path, e.request) for e in result.effects if e.action == "fetch"]
    assert [url for url, _ in effects] == [server.url("/whole"), server.url("/")]
    assert effects[0][1] is not None and effects[0][1].received_bytes == len(b"whole")
    server.until(lambda seen: all(one.over for one in seen))
    assert not again.ok and len(server.connections) == 2
    assert "after" not in (folder / "out.txt").read_text()


def stalled(exchange: Exchange) -> None:
    """Promise a body, and send none of it."""
    exchange.send(head(200, (("Content-Length", "9"),)))
    silence(exchange)


@pytest.mark.parametrize("path", ["/", "/head"])
async def test_a_grant_that_expires_ends_its_transfer_and_nothing_else(
    engine: LocalEngine, http_server: Callable[..., HttpServer], tmp_path: Path, path: str
) -> None:
    server = http_server({"/": silence, "/head": stalled})
    (tmp_path / "w").mkdir()
    grants = (f"fetch:{server.url('')} expires=2s", f"fetch:{server.url('/other')} expires=1s")
    async with Box(workspace=tmp_path / "w", grants=grants, engine=engine) as box:
        result = await box.call("bash", script=f"curl -sS {server.url(path)}; echo after")
    server.until(lambda seen: all(one.over for one in seen))
    assert result.ok and result.content.rstrip().endswith("after")
    assert f"{server.url('')} expires=" in result.content
    assert "has expired" in result.content
