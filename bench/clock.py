"""Timing in turns: each round measures the yardstick and every row once, so that noise hits all.

Guarantees: medians of seconds, of equally many samples each; only what is slow beyond its budget
gets fewer, at least three. Before a sample the machine idles as an agent would that waits for its
model (8 ms): what runs next then starts cold, which costs more than back to back.
"""

from __future__ import annotations

import math
import os
import random
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median

import anyio

IDLE_SECONDS = 0.008
_SAMPLES_MIN = 3

Act = Callable[[int], Awaitable[float | None]]
"""Does once what a row measures; the number is that of the round.

Returns None, or the seconds where they were taken elsewhere, in another process.
"""


async def in_turns(
    acts: Mapping[str, Act],
    rounds: int,
    idle_seconds: float,
    budget_seconds: float = math.inf,
    *,
    shuffled: bool = False,
) -> dict[str, float]:
    """Return the median seconds of each act.

    `shuffled` takes them in another order each round: what ran before leaves its caches behind, and
    with many participants nobody may always follow the same one.
    """
    order, dice = list(acts.items()), random.Random(1)
    seconds: dict[str, list[float]] = {name: [] for name in acts}
    for number in range(rounds):
        if shuffled:
            dice.shuffle(order)
        for name, act in order:
            taken = seconds[name]
            if len(taken) >= _SAMPLES_MIN and sum(taken) > budget_seconds:
                continue
            if idle_seconds:
                await anyio.sleep(idle_seconds)
            started = time.perf_counter()
            elsewhere = await act(number)
            ended = time.perf_counter()
            taken.append(ended - started if elsewhere is None else elsewhere)
    return {name: median(taken) for name, taken in seconds.items()}


async def yardstick(_number: int) -> None:
    """Start a shell that does nothing: what a tool call costs an agent that has no box."""
    subprocess.run(["bash", "-c", "true"], check=True)  # noqa: ASYNC221 - nothing runs beside it


async def bare_yardstick(_number: int) -> None:
    """Start the same shell with nothing of Python around it but the two system calls."""
    pid = os.posix_spawnp("bash", ["bash", "-c", "true"], os.environ)  # noqa: ASYNC221
    os.waitpid(pid, 0)  # noqa: ASYNC222
