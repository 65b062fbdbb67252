"""With a real guest in a real sandbox: what ends its call ends its transfer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from tests.servers.http import HttpServer
from tests.servers.replies import reply, silence

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
