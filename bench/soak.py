"""`python -m bench.soak --minutes 120 [--seed N] [--report FILE] [--life EPOCH.SEAT.ROUND]`.

Guarantees: a temporary CAPBOX_HOME and workspaces, gone afterwards; exit code 0 when nothing was
wrong until the end (or SIGTERM, or Ctrl-C), 1 when something was, with what to see it again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import anyio
from anyio.abc import TaskStatus

from bench.soaking.soak import MARGIN_SECONDS, Plan, Soak, Wrap
from bench.soaking.watch import Watch
from bench.suites import seed as seed_cache
from capbox import app


def main(arguments: list[str] | None = None, wrap: Wrap | None = None) -> int:
    """Soak, and print the report."""
    options = _parser().parse_args(arguments)
    number = int.from_bytes(os.urandom(3), "big") if options.seed is None else options.seed
    plan = Plan(
        seconds=options.minutes * 60,
        seed=number,
        seats=options.seats,
        margin_seconds=options.margin,
        harm=not options.no_harm,
        only=options.life,
        epoch_seconds=min(60.0, max(4.0, options.minutes * 60 / 4)),
    )
    with tempfile.TemporaryDirectory(prefix="capbox-soak-") as place:
        soak = Soak(plan, Path(place), say, wrap)
        directories = app.home_of({"CAPBOX_HOME": f"{place}/own"})
        seed_cache(directories.cache)

        def give_up(where: str, what: str) -> None:
            soak.report.blame("stuck", what, where, ())
            finish(soak, options.report)
            shutil.rmtree(place, ignore_errors=True)

        with Watch(plan.margin_seconds, give_up) as watch:
            anyio.run(_run, soak, watch)
        finish(soak, options.report)
    return 0 if soak.report.wrong is None else 1


async def _run(soak: Soak, watch: Watch) -> None:
    async with anyio.create_task_group() as tasks:
        await tasks.start(_stop_on_signal, soak)
        plan = soak.plan
        say(f"seed {plan.seed}, {plan.seconds / 60:g} minutes, {plan.seats} seats")
        await soak.run(watch)
        tasks.cancel_scope.cancel()


async def _stop_on_signal(soak: Soak, *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for number in signals:
            say(f"{number.name}: ending")
            soak.stop()


def finish(soak: Soak, report: Path | None) -> None:
    """Print the last line and what was wrong; write the report."""
    found = soak.report.as_json()
    say(soak.line())
    if soak.report.wrong is not None:
        say(json.dumps(soak.report.wrong, indent=1, ensure_ascii=False))
    else:
        say(f"nothing was wrong: {found['epochs']} epochs, {found['runs_verified']} runs verified")
    if report is not None:
        report.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def say(line: str) -> None:
    """Print at once, also into a file."""
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--seed", type=int, help="what makes a soak the same again")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--life", metavar="EPOCH.SEAT.ROUND", help="live only this life, once")
    parser.add_argument("--seats", type=int, default=8, help="boxes at once")
    parser.add_argument(
        "--margin", type=float, default=MARGIN_SECONDS, help="seconds beyond a bound"
    )
    parser.add_argument("--no-harm", action="store_true", help="kill and stop no process")
    return parser


if __name__ == "__main__":
    sys.exit(main())
