"""Single calls of a box, and the gate without a guest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.clock import IDLE_SECONDS, Act, bare_yardstick, in_turns, yardstick
from bench.row import Rows, done, timed
from bench.workspace import FILES
from capbox.authority.limits import Limits
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.gate.gate import Gate
from capbox.gate.holdings import Holdings
from capbox.sandbox.spec import Job, Outcome, Serve
from capbox.tools.scripted import reply

DEADLINE_SECONDS = 0.5


async def yardsticks(rounds: int) -> Rows:
    """The yardstick itself, and what of it is Python's."""
    acts = {"bash": yardstick, "bare": bare_yardstick}
    taken = await in_turns(acts, rounds, IDLE_SECONDS)
    return {
        "spawn": timed(taken, "bash", "the yardstick: `subprocess.run` of `bash -c true`"),
        "spawn_bare": timed(taken, "bare", "the same with `posix_spawn` and `waitpid` alone"),
    }


async def after_idle(box: Box, rounds: int) -> Rows:
    """Single calls, as an agent makes them: the model thinks in between."""

    async def read(number: int) -> None:
        done(await box.call("read", path=f"{number % FILES}.txt", limit=100 + number))

    async def echo(number: int) -> None:
        done(await box.call("bash", script=f"echo hi {number}"))

    acts: dict[str, Act] = {"bash": yardstick, "read_1k": read, "echo": echo}
    taken = await in_turns(acts, rounds, IDLE_SECONDS)
    return {
        "read_1k": timed(taken, "read_1k", "read of a 1 KB file, after an idle pause"),
        "echo": timed(taken, "echo", "bash `echo hi`, after an idle pause"),
    }


async def back_to_back(box: Box, rounds: int) -> Rows:
    """Calls without a pause, each on a fresh instance of the guest."""

    async def fresh(number: int) -> None:
        done(await box.call("bash", script=f"echo again {number}"))

    taken = await in_turns({"bash": yardstick, "fresh_calls": fresh}, rounds, 0)
    return {"fresh_calls": timed(taken, "fresh_calls", "bash `echo hi`, back to back")}


async def deadline(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """How long after its deadline an endless loop has ended and is reported."""
    late: list[float] = []
    limits = Limits(wall_seconds=DEADLINE_SECONDS)
    async with Box(workspace=workspace, limits=limits, engine=engine) as box:
        for number in range(rounds):
            started = time.perf_counter()
            result = await box.call("bash", script=f": {number}; while :; do :; done")
            late.append(time.perf_counter() - started - DEADLINE_SECONDS)
            if result.error is None or result.error.code != "time":
                raise RuntimeError(f"an endless loop was not stopped by its deadline: {result}")
    taken = await in_turns({"bash": yardstick}, rounds * 5, IDLE_SECONDS)
    taken["deadline"] = median(late)
    return {"deadline": timed(taken, "deadline", "endless loop, time beyond its 0.5 s deadline")}


async def gate_journal(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """Decision, two sealed journal entries, with a tool that returns at once."""
    real = engine.tools, engine.gate
    without_guest(engine)
    async with Box(workspace=workspace, preset="read-only", engine=engine) as box:

        async def call(number: int) -> None:
            done(await box.call("read", path=f"{number % FILES}.txt", limit=1 + number))

        taken = await in_turns({"bash": yardstick, "gate_journal": call}, rounds, IDLE_SECONDS)
    engine.tools, engine.gate = real
    return {
        "gate_journal": timed(
            taken, "gate_journal", "gate and journal, without a guest, after an idle pause"
        )
    }


class AtOnce:
    """A runner without a guest: what is timed around it is the gate's and the journal's."""

    outcome = Outcome(reply("done"))

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        """Return what a guest would have."""
        return self.outcome

    def stop_run(self, run: str) -> None:
        """Nothing is ever under way."""


def without_guest(engine: LocalEngine) -> None:
    """Give the engine's gate a runner that returns at once."""
    tools = engine.registry.with_runner(AtOnce())
    engine.tools = tools
    engine.gate = Gate(tools, holdings=Holdings(), clock_ns=time.time_ns, entropy=os.urandom)
