"""The tool `python` beside the machine's own interpreter, started anew for each program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.clock import IDLE_SECONDS, Act, in_turns
from bench.memory import MB, bytes_of, children, zygotes
from bench.row import Row, Rows, done
from capbox.box import Box
from capbox.engine.local import LocalEngine

LOOP = 3_000_000
LOOP_CODE = f"n = 0\nfor i in range({LOOP}): n += i & 3\nprint(n)"
NATIVE = "python3 -I -c"


async def python(engine: LocalEngine, workspace: Path, rounds: int, few: int) -> Rows:
    """Measure the start of a program, a loop of its own, and the memory of a worker."""
    before = workers()
    async with Box(workspace=workspace, preset="read-only", engine=engine) as box:
        acts: dict[str, Act] = {
            "native": native("print(1)"),
            "python_start": asked(box, "print(1)"),
        }
        started = await in_turns(acts, rounds, IDLE_SECONDS)
        fresh = await in_turns({**acts, "python_fresh": asked(box, "print(2)")}, rounds, 0)
        loop: dict[str, Act] = {"native": native(LOOP_CODE), "python_loop": asked(box, LOOP_CODE)}
        looped = await in_turns(loop, few, IDLE_SECONDS)
        here = sorted(map(bytes_of, workers() - before))
    return {
        "python_start": against(started, "python_start", "python `print(1)`, after an idle pause"),
        "python_fresh": against(fresh, "python_fresh", "python `print(2)`, back to back"),
        "python_loop": against(looped, "python_loop", f"python loop of {LOOP:,} steps"),
        "python_rss": Row(here[-1] / MB, "MB", None, "resident, a worker that runs python"),
    }


def asked(box: Box, code: str) -> Act:
    """Return what runs a program as the tool."""

    async def act(number: int) -> None:
        done(await box.call("python", code=f"{code}  # {number}"))

    return act


def native(code: str) -> Act:
    """Return what runs a program with this interpreter, in a process of its own."""

    async def act(_number: int) -> None:
        subprocess.run(  # noqa: ASYNC221 - nothing runs beside it
            [sys.executable, "-I", "-c", code], check=True, stdout=subprocess.DEVNULL
        )

    return act


def against(taken: dict[str, float], name: str, what: str) -> Row:
    """Return the row of one act beside the native one."""
    return Row(taken[name] * 1000, "ms", taken[name] / taken["native"], what, NATIVE)


def workers() -> set[int]:
    """Return the workers of this process."""
    return {pid for zygote in zygotes() for pid in children(zygote)}
