"""`python -m bench [--suite quick|full] [--rounds N] [--json] [--write FILE]`.

Guarantees: a temporary CAPBOX_HOME and workspace, gone afterwards; with --json one JSON object on
standard output and nothing else. `quick` takes well under a minute.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import anyio

from bench import rows
from bench.memory import memory
from bench.report import as_json, as_page, as_text
from capbox import app
from capbox.box import Box

ROUNDS = {"quick": 60, "full": 500}


def main() -> int:
    """Run a suite and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="What capbox costs.")
    parser.add_argument("--suite", choices=sorted(ROUNDS), default="quick")
    parser.add_argument("--rounds", type=int, help="samples of each row, instead of the suite's")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page for people")
    options = parser.parse_args()
    rounds = options.rounds or ROUNDS[options.suite]
    with tempfile.TemporaryDirectory(prefix="capbox-bench-") as place:
        found = anyio.run(measure, Path(place), rounds, options.suite == "full")
    if options.write is not None:
        options.write.write_text(as_page(found, options.suite), encoding="utf-8")
    print(as_json(found) if options.json else as_text(found))
    return 0


async def measure(place: Path, rounds: int, full: bool) -> rows.Rows:
    """Measure every row below `place`; those on large folders only for the `full` suite."""
    few = max(3, rounds // 20)
    workspace, home = place / "workspace", place / "home"
    workspace.mkdir()
    rows.prepare(workspace, 10_000 if full else 0)
    directories = app.home_of({"CAPBOX_HOME": str(home)})
    seed(directories.cache)
    found: rows.Rows = {}
    async with app.local_engine(say, home=directories) as engine:
        await engine.compile_tools()
        async with Box(workspace=workspace, preset="read-only", engine=engine) as box:
            found |= await rows.after_idle(box, rounds)
            found |= await rows.back_to_back(box, rounds)
            if full:
                found |= await rows.large(box, few)
        found |= await rows.deadline(engine, workspace, few)
        found |= await rows.gate_alone(engine, workspace, rounds)
        found |= await memory(engine, workspace)
    environ = {**os.environ, "CAPBOX_HOME": str(home)}
    found |= await rows.command_line(workspace, environ, few)
    return found


def seed(cache: Path) -> None:
    """Begin with what `make setup` compiled, so that nothing waits for the compiler."""
    built = app.home_of(os.environ).cache / "compiled"
    if built.is_dir():
        shutil.copytree(built, cache / "compiled")
        cache.chmod(0o700)


def say(line: str) -> None:
    """Show progress where it is in nobody's way."""
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
