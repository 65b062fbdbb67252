"""`python -m bench [--suite quick|runs|full] [--rounds N] [--json] [--write FILE]`.

Guarantees: a temporary CAPBOX_HOME and workspace, gone afterwards; with --json one JSON object on
standard output and nothing else. `quick` takes well under a minute, `runs` (those with a
model, which `full` has too) a few, `full` less than ten. Only `full` looks for peers, and installs
those it misses below `bench/.peers`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import anyio

from bench.report import Found, as_full_json, as_json, as_page, as_text
from bench.suites import full, quick, runs

ROUNDS = {"quick": 60, "runs": 100, "full": 200}


def main() -> int:
    """Run a suite and print it."""
    options = _options()
    rounds = options.rounds or ROUNDS[options.suite]
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="capbox-bench-") as place:
        if options.suite == "quick":
            found = Found(_command(options), load, anyio.run(quick, Path(place), rounds))
        elif options.suite == "runs":
            rows = anyio.run(runs, Path(place), rounds, options.scale)
            found = Found(_command(options), load, rows)
        else:
            everyone = options.peers == "all"
            all_rows = anyio.run(full, Path(place), rounds, options.scale, everyone)
            found = Found(_command(options), load, all_rows.rows, all_rows.peers, all_rows.reasons)
    if options.write is not None:
        options.write.write_text(as_page(found), encoding="utf-8")
    if options.json:
        print(as_json(found) if options.suite == "quick" else as_full_json(found))
    else:
        print(as_text(found))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What capbox costs.")
    parser.add_argument("--suite", choices=sorted(ROUNDS), default="quick")
    parser.add_argument("--rounds", type=int, help="samples of each row, instead of the suite's")
    parser.add_argument("--peers", choices=("all", "native"), default="all", help="of `full`")
    parser.add_argument("--scale", type=float, default=1.0, help="size of large rows, to try")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page for people")
    return parser.parse_args()


def _command(options: argparse.Namespace) -> str:
    words = ["python -m bench", f"--suite {options.suite}"]
    words += [f"--rounds {options.rounds}"] if options.rounds else []
    words += [f"--peers {options.peers}"] if options.peers != "all" else []
    words += [f"--scale {options.scale:g}"] if options.scale != 1 else []
    return " ".join([*words, "--write docs/benchmarks.md"])


if __name__ == "__main__":
    sys.exit(main())
