"""Taking authority back from outside: from the request on the socket to the end of the call."""

from __future__ import annotations

import time
from pathlib import Path

import anyio
import anyio.lowlevel
from anyio import to_thread

from bench.row import Row, Rows
from capbox.box import Box
from capbox.engine.control.client import ask_all, ask_one
from capbox.engine.local import LocalEngine
from capbox.messages import ToolResult

SPINS = ": > /tmp/started; while :; do :; done"


async def control(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """Measure how long a spinning tool goes on after a revocation was asked for."""
    taken = sorted([await _revoked(engine, workspace) for _ in range(max(3, rounds))])
    middle, longest = taken[len(taken) // 2], taken[-1]
    what = "from a request to revoke a run, by its socket, to the end of a spinning call"
    return {"revoke": Row(middle * 1e3, "ms", None, what, peers={"longest": longest * 1e3})}


async def _revoked(engine: LocalEngine, workspace: Path) -> float:
    results: list[tuple[ToolResult, float]] = []

    async def spin(box: Box) -> None:
        results.append((await box.call("bash", script=SPINS), time.perf_counter()))

    started = 0.0
    before = frozenset(_started(engine))
    async with Box(workspace=workspace, engine=engine) as box, anyio.create_task_group() as tasks:
        tasks.start_soon(spin, box)
        while not _started(engine) - before:
            await anyio.lowlevel.checkpoint()
        directory = engine.home.control
        (reply,) = await to_thread.run_sync(lambda: [*ask_all(directory, {"do": "runs"})])
        (run,) = (entry.seat.run for entry in engine.register if entry.calling)
        started = time.perf_counter()
        await to_thread.run_sync(ask_one, directory, reply.name, {"do": "revoke_run", "run": run})
    ((result, ended),) = results
    if result.error is None or result.error.code != "revoked":
        raise RuntimeError(f"the call that is measured was not revoked: {result}")
    return ended - started


def _started(engine: LocalEngine) -> frozenset[Path]:
    return frozenset((engine.home.cache / "scratch").glob("*/started"))
