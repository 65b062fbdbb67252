"""Whole processes of the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.clock import IDLE_SECONDS, Act, in_turns, yardstick
from bench.row import Rows, timed


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
