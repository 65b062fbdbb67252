"""Many runs at once in one process: how many end in a second, and whether memory stays flat.

Each has a session, a record and a seat of its own, takes three turns and calls two tools, with
guests in locked workers. Runs come and go in rounds of 100 side by side; the first two rounds fill
caches, and what the process grows by after those is what runs leave behind.
"""

from __future__ import annotations

import gc
import json
import os
import time
from pathlib import Path
from statistics import median

import anyio

from bench.memory import MB, bytes_of
from bench.row import Row, Rows
from capbox.agent.events import Event, RunFinished
from capbox.agent.outcome import Completed
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.models.script import ScriptedCall, ScriptedReply
from capbox.models.scripted import ScriptedModel

TOGETHER = 100
_FIRST = 2


async def crowd(engine: LocalEngine, workspace: Path, rounds: int, scale: float) -> Rows:
    """Run a hundred side by side, a few times."""
    together = max(4, int(TOGETHER * scale))
    seconds: list[float] = []
    sizes: list[int] = []
    async with Box(workspace=workspace, preset="read-only", engine=engine) as box:
        for number in range(_FIRST + max(2, rounds)):
            began = time.perf_counter()
            async with anyio.create_task_group() as tasks:
                for one in range(together):
                    tasks.start_soon(_run, box, number * together + one)
            seconds.append(time.perf_counter() - began)
            gc.collect()
            sizes.append(bytes_of(os.getpid()))
    counted = len(sizes) - _FIRST
    growth = (sizes[-1] - sizes[_FIRST - 1]) / counted / MB
    what = f"scripted runs of three turns and two tool calls each, {together} at once"
    grown = f"what this process grows by in {together} of those runs, after the first rounds"
    return {
        "runs_together": Row(together / median(seconds[_FIRST:]), "/s", None, what),
        "runs_growth": Row(growth, "MB", None, grown, peers={"resident": sizes[-1] / MB}),
    }


async def _run(box: Box, number: int) -> None:
    calls = (ScriptedCall("read", json.dumps({"path": f"{number % 50}.txt"})),)
    listed = (ScriptedCall("glob", json.dumps({"pattern": "*.txt", "limit": 1 + number % 50})),)
    replies = ScriptedReply("One.", tool_calls=calls), ScriptedReply("Two.", tool_calls=listed)
    model = ScriptedModel("scripted", (*replies, ScriptedReply("Done.")))
    last: Event | None = None
    async for event in box.run(f"task {number}", model=model):
        last = event
    if not isinstance(last, RunFinished) or last.outcome != Completed():
        raise RuntimeError(f"one of the runs side by side failed: {last}")
