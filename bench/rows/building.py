"""What `capbox tool build` takes for the template of a Python tool, as a whole process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench.row import Row, Rows


def python_build(place: Path, environ: Mapping[str, str], rounds: int) -> Rows:
    """Build it some times, each with another text in it: nothing of it is in any cache."""
    program = [sys.executable, "-c", "import sys; from capbox.app import main; sys.exit(main())"]
    folder = place / "building"
    folder.mkdir()

    def run(*words: str) -> float:
        began = time.perf_counter()
        command = [*program, "tool", *words]
        subprocess.run(command, cwd=folder, env=dict(environ), check=True, capture_output=True)
        return time.perf_counter() - began

    taken = []
    for number in range(rounds):
        run("new", name := f"hello{number}")
        taken.append(run("build", name))
    what = "`capbox tool build` of the Python template: packing, compiling, describing it"
    return {"python_build": Row(median(taken) * 1000, "ms", None, what)}
