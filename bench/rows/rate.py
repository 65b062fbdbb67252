"""Fresh isolated calls a second, with both cores busy: several calls of one box at once.

Beside the rate the time of a processor that a call takes, in the parent and in its workers: it
bounds the rate, and noise of the machine does not reach it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import anyio

from bench.memory import children, zygotes
from bench.peers.answer import CannotError
from bench.peers.install import Doing
from bench.row import Row, Rows, done
from bench.rows.work import Reasons
from bench.tasks import ECHO
from capbox.box import Box

AT_ONCE = 4
BURSTS = 5
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


async def rate(box: Box, peers: Mapping[str, Doing], reasons: Reasons, calls: int) -> Rows:
    """Calls of bash `echo hi`, each on a fresh instance of the guest."""
    rates, others = [], dict[str, list[float]]()
    await _burst(box, calls // 2)
    parent, workers = time.process_time(), _workers_seconds()
    for _ in range(BURSTS):
        rates.append(calls / await _burst(box, calls))
    parent, workers = time.process_time() - parent, _workers_seconds() - workers
    for name, peer in peers.items():
        try:
            for _ in range(BURSTS):
                seconds = peer.repeat(ECHO.filled(0, name), calls // 2, AT_ONCE)
                others.setdefault(name, []).append(calls // 2 / seconds)
        except CannotError as error:
            reasons.setdefault((name, str(error)), []).append("fresh_rate")
    each = BURSTS * calls / 1000
    return {
        "fresh_rate": Row(
            value=median(rates),
            unit="/s",
            ratio=None,
            what=f"bash `echo hi`, {AT_ONCE} calls at once, on {os.cpu_count()} cores",
            peers={name: median(some) for name, some in others.items()},
        ),
        "cpu_parent": Row(parent / each, "ms", None, "processor time a call, in the parent"),
        "cpu_worker": Row(workers / each, "ms", None, "processor time a call, in its worker"),
    }


async def _burst(box: Box, calls: int) -> float:
    numbers = iter(range(calls))

    async def one_after_another() -> None:
        for number in numbers:
            done(await box.call("bash", script=f"echo hi {number}"))

    started = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(one_after_another)
    return time.perf_counter() - started


def _workers_seconds() -> float:
    """Return the processor time of every worker and zygote, those that are gone included."""
    parents = zygotes()
    pids = [*parents, *(pid for zygote in parents for pid in children(zygote))]
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # utime, stime, and those of children that were waited for (proc_pid_stat(5)).
        ticks += sum(map(int, fields[11:15]))
    return ticks * _TICK_SECONDS
