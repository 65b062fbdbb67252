"""What is measured. Each function returns rows by name, all against its own yardstick.

Does not: measure a call that failed; that ends the benchmark with an error.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.clock import IDLE_SECONDS, Act, in_turns, yardstick
from capbox.authority.limits import Limits
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.gate.gate import Gate
from capbox.gate.holdings import Holdings
from capbox.messages import Json, ToolResult
from capbox.sandbox.spec import Job, Outcome
from capbox.tools.scripted import ScriptedRunner, reply

FILES = 64
DEADLINE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: its value in `unit`, and how often the yardstick fits in (None: no time)."""

    value: float
    unit: str
    ratio: float | None
    what: str


Rows = dict[str, Row]


def prepare(workspace: Path, glob_files: int) -> None:
    """Fill a workspace with small files, and below `many` with `glob_files` more."""
    for number in range(FILES):
        line = f"line of file {number}, to be read\n"
        (workspace / f"{number}.txt").write_text((line * 64)[:1024], encoding="utf-8")
    for number in range(glob_files):
        folder = workspace / "many" / str(number // 100)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.md").touch()


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


async def gate_alone(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """Decision, two journal entries and their signatures, with a tool that returns at once."""
    real = engine.tools, engine.gate
    without_guest(engine)
    async with Box(workspace=workspace, preset="read-only", engine=engine) as box:

        async def call(number: int) -> None:
            done(await box.call("read", path=f"{number % FILES}.txt", limit=1 + number))

        taken = await in_turns({"bash": yardstick, "gate_journal": call}, rounds, IDLE_SECONDS)
    engine.tools, engine.gate = real
    return {"gate_journal": timed(taken, "gate_journal", "gate and journal alone, without a guest")}


def without_guest(engine: LocalEngine) -> None:
    """Give the engine's gate a runner that returns at once."""

    async def at_once(_job: Job) -> Outcome:
        return Outcome(reply("done"))

    tools = engine.registry.with_runner(ScriptedRunner(at_once))
    engine.tools = tools
    engine.gate = Gate(tools, holdings=Holdings(), clock_ns=time.time_ns, entropy=os.urandom)


async def command_line(workspace: Path, environ: Mapping[str, str], rounds: int) -> Rows:
    """Whole processes: what a script pays that uses the command line."""
    program = [sys.executable, "-c", "import sys; from capbox.app import main; sys.exit(main())"]

    def running(*arguments: str) -> Act:
        async def run(_number: int) -> None:
            subprocess.run(  # noqa: ASYNC221 - nothing runs beside it
                [*program, *arguments],
                cwd=workspace,
                env=dict(environ),
                check=True,
                stdout=subprocess.DEVNULL,
            )

        return run

    acts = {
        "bash": yardstick,
        "cli_call": running("call", "read", "path=1.txt", "--read", ".", "--json"),
        "cli_help": running("--help"),
    }
    taken = await in_turns(acts, rounds, IDLE_SECONDS)
    return {
        "cli_call": timed(taken, "cli_call", "`capbox call read`, the whole process"),
        "cli_help": timed(taken, "cli_help", "`capbox --help`, the whole process"),
    }


async def large(box: Box, rounds: int) -> Rows:
    """Work of the guest itself, on many files."""

    async def glob(number: int) -> None:
        done(await box.call("glob", pattern=f"**/*{number}.md", path="many"))

    async def grep(number: int) -> None:
        done(await box.call("grep", pattern=f"file {number},"))

    taken = await in_turns({"bash": yardstick, "glob": glob, "grep": grep}, rounds, IDLE_SECONDS)
    return {
        "glob": timed(taken, "glob", "glob over 10,000 files"),
        "grep": timed(taken, "grep", "grep over 10,064 files"),
    }


def timed(taken: Mapping[str, float], name: str, what: str) -> Row:
    """Return the row of one act that was timed together with the yardstick."""
    return Row(taken[name] * 1000, "ms", taken[name] / taken["bash"], what)


def done(result: ToolResult) -> None:
    """Refuse to measure a failure."""
    if not result.ok:
        error: Json = None if result.error is None else result.error.message
        raise RuntimeError(f"a benchmarked call failed: {error}")
