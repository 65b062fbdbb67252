"""Timing in turns: each round measures the yardstick and every row once, so that noise hits all.

Guarantees: medians of seconds, of equally many samples each. Before a sample the machine idles as
an agent would that waits for its model (8 ms): what runs next then starts cold, which costs more
than back to back.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median

import anyio

IDLE_SECONDS = 0.008

Act = Callable[[int], Awaitable[None]]
"""Does once what a row measures; the number is that of the round."""


async def in_turns(acts: Mapping[str, Act], rounds: int, idle_seconds: float) -> dict[str, float]:
    """Return the median seconds of each act."""
    seconds: dict[str, list[float]] = {name: [] for name in acts}
    for number in range(rounds):
        for name, act in acts.items():
            if idle_seconds:
                await anyio.sleep(idle_seconds)
            started = time.perf_counter()
            await act(number)
            seconds[name].append(time.perf_counter() - started)
    return {name: median(taken) for name, taken in seconds.items()}


async def yardstick(_number: int) -> None:
    """Start a shell that does nothing: what a tool call costs an agent that has no box."""
    subprocess.run(["bash", "-c", "true"], check=True)  # noqa: ASYNC221 - nothing runs beside it
