"""Epochs of an engine's life: eight seats live one box after the other, while harm is done.

Guarantees: what the harness keeps, in memory and on disk, does not grow with time (each epoch ends
with a verified journal, which is then removed); the first thing that is wrong ends it, with what is
needed to see it again. Does not: judge an answer (`life`, `judge`) or the disk (`world`).
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import anyio

from bench.memory import bytes_of, children
from bench.soaking import leaks, records
from bench.soaking.harm import Harmer, zygotes_of
from bench.soaking.life import Around, Life
from bench.soaking.watch import Watch
from bench.soaking.world import Workspace, workspaces
from bench.soaking.wrong import Wrong, found_in
from capbox import app
from capbox.engine.control.register import Register
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.gate.gate import Gate
from capbox.gate.holdings import Holdings
from capbox.gate.runner import Runner

Wrap = Callable[[Runner], Runner]

EPOCH_SECONDS = 60.0
# A zygote that does not answer is given up after 20 s, a dead worker awaited for 2 s; both twice.
MARGIN_SECONDS = 110.0
PROGRESS_SECONDS = 60.0
VERIFY_SECONDS = 15.0
_WARM_EPOCHS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: `only` is the one life to live, without harm and beside no other."""

    seconds: float
    seed: int
    seats: int = 8
    margin_seconds: float = MARGIN_SECONDS
    harm: bool = True
    only: str | None = None
    epoch_seconds: float = EPOCH_SECONDS


@dataclass(slots=True)
class Report:
    """What was done and seen until now."""

    seed: int
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    epochs: int = 0
    runs_verified: int = 0
    rss_first: int = 0
    rss_last: int = 0
    stalled_seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, object] | None = None

    def as_json(self) -> dict[str, object]:
        """Return it for a file."""
        self.seconds = round(time.monotonic() - self.started, 1)
        return {name: value for name, value in asdict(self).items() if name != "started"}

    def blame(self, kind: str, what: str, where: str, calls: tuple[str, ...]) -> None:
        """Note what was wrong, and how to see it again."""
        if self.wrong is None:
            again = f"python -m bench.soak --seed {self.seed}"
            self.wrong = {
                "kind": kind,
                "what": what,
                "where": where,
                "calls": list(calls),
                "repeat": f"{again} --life {where}" if where else again,
            }


class Soak:
    """One soak below `place`, an empty directory."""

    def __init__(
        self, plan: Plan, place: Path, say: Callable[[str], None], wrap: Wrap | None = None
    ) -> None:
        """`say` gets progress lines; `wrap` puts another runner around the real one."""
        self.plan = plan
        self.report = Report(plan.seed)
        self._place = place
        self._say = say
        self._wrap = wrap
        self._home = place / "own"
        self._temporary = place / "temporary"
        self._stopping = anyio.Event()
        self._around: Around | None = None

    def stop(self) -> None:
        """End soon and cleanly, with the report."""
        self._stopping.set()

    async def run(self, watch: Watch) -> None:
        """Soak until the time is over, `stop`, or the first thing that is wrong (in the report)."""
        self._temporary.mkdir()
        tempfile.tempdir = str(self._temporary)
        files = workspaces(self._place / "work", self.plan.seats, random.Random(self.plan.seed))
        async with app.local_engine(self._say, home=self._own()) as engine:
            await engine.compile_tools()  # takes a while where nobody did it before
        self.report.started = time.monotonic()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(watch.turn)
                tasks.start_soon(self._progress)
                with anyio.move_on_after(self.plan.seconds) as scope:
                    tasks.start_soon(self._cancel_at_stop, scope)
                    await self._epochs(files, watch)
                tasks.cancel_scope.cancel()
        except* Wrong as group:
            wrong = found_in(group)
            assert wrong is not None
            self.report.blame(wrong.kind, str(wrong), wrong.where, wrong.calls)

    async def _cancel_at_stop(self, scope: anyio.CancelScope) -> None:
        await self._stopping.wait()
        scope.cancel()

    async def _epochs(self, files: list[Workspace], watch: Watch) -> None:
        number, base = 0, None
        while True:
            number += 1
            before = leaks.Held.now()
            if number <= _WARM_EPOCHS:
                base = max(base or 0, before.rss)
            try:
                await self._epoch(number, files, watch)
            finally:
                # Also when the time is over in the middle of everything.
                self._audit(before, base if number > _WARM_EPOCHS else None, watch)
            if self.plan.only is not None:
                return

    def _audit(self, before: leaks.Held, base: int | None, watch: Watch) -> None:
        after = leaks.Held.now()
        self.report.rss_first = self.report.rss_first or after.rss
        self.report.rss_last = after.rss
        self.report.epochs += 1
        self.report.stalled_seconds = round(watch.stalled_seconds, 1)
        if self._around is not None:
            self._add(self._around)
        leaks.files_left(self._home, self._temporary)
        state = self._home / "state"
        self.report.runs_verified += records.believed(state, all_closed=True)
        leaks.compare(before, after, base)
        shutil.rmtree(state / "journal", ignore_errors=True)

    async def _epoch(self, number: int, files: list[Workspace], watch: Watch) -> None:
        rng = random.Random(f"{self.plan.seed}.{number}")
        harmer = Harmer(rng)
        async with app.local_engine(home=self._own()) as engine:
            if self._wrap is not None:
                self._put_around(engine, self._wrap)
            await engine.compile_tools()
            around = self._around = Around(engine, harmer, watch)
            over = time.monotonic() + self.plan.epoch_seconds
            try:
                async with anyio.create_task_group() as tasks:
                    if self.plan.harm and self.plan.only is None:
                        tasks.start_soon(harmer.go_on)
                    tasks.start_soon(self._verify_now_and_then)
                    async with anyio.create_task_group() as seats:
                        for seat in range(self.plan.seats):
                            seats.start_soon(self._seat, around, files, (number, seat), over)
                        if rng.random() < 0.3 and self.plan.only is None:
                            # Sometimes all end in the middle of what they do.
                            seats.start_soon(partial(_cancel_after, seats, over))
                    tasks.cancel_scope.cancel()
            finally:
                harmer.relent()
            self._at_rest()

    async def _seat(
        self, around: Around, files: list[Workspace], place: tuple[int, int], over: float
    ) -> None:
        epoch, seat = place
        round_ = 0
        while time.monotonic() < over:
            round_ += 1
            where = f"{epoch}.{seat}.{round_}"
            if self.plan.only is not None:
                if int(self.plan.only.split(".")[1]) != seat:
                    return
                where, over = self.plan.only, 0.0
            life = Life(around, files[seat // 2], f"a{seat}", where, self.plan.seed)
            await life.live()

    async def _verify_now_and_then(self) -> None:
        while True:
            await anyio.sleep(VERIFY_SECONDS)
            await anyio.to_thread.run_sync(
                partial(records.believed, self._home / "state", all_closed=False)
            )

    def _at_rest(self) -> None:
        """Every box is closed: nothing but spares may be left below a zygote that answers."""
        scratch = [*(self._home / "cache" / "scratch").iterdir()]
        if scratch:
            raise Wrong("leak", f"{len(scratch)} scratch directories of closed boxes: {scratch[0]}")

    def _put_around(self, engine: LocalEngine, wrap: Wrap) -> None:
        real = next(iter(engine.tools.values())).runner
        engine.tools = engine.registry.with_runner(wrap(real))
        clock, entropy = time.time_ns, random.randbytes
        holdings = Holdings()
        engine.gate = Gate(engine.tools, holdings=holdings, clock_ns=clock, entropy=entropy)
        # What is revoked, is revoked at this gate.
        engine.register = Register(engine.gate, lambda: holdings.standing(time.time()))

    def _own(self) -> Home:
        return Home(self._home / "config", self._home / "state", self._home / "cache")

    def _add(self, around: Around) -> None:
        for counts in (around.counts, around.harmer.counts):
            for what, times in counts.items():
                self.report.counts[what] = self.report.counts.get(what, 0) + times
        self._around = None

    async def _progress(self) -> None:
        while True:
            await anyio.sleep(PROGRESS_SECONDS)
            self._say(self.line())

    def line(self) -> str:
        """Return one line on where it stands."""
        counts = dict(self.report.counts)
        if self._around is not None:
            for more in (self._around.counts, self._around.harmer.counts):
                for what, times in more.items():
                    counts[what] = counts.get(what, 0) + times
        zygotes = zygotes_of(os.getpid())
        workers = sum(len(children(z)) for z in zygotes)
        seconds = int(time.monotonic() - self.report.started)
        shown = ", ".join(f"{times} {what}" for what, times in sorted(counts.items()))
        return (
            f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02} epoch "
            f"{self.report.epochs + 1}: {shown}; rss {bytes_of(os.getpid()) // 1_000_000} MB, "
            f"{workers} workers, disk {leaks.disk_bytes(self._place) // 1_000_000} MB"
        )


async def _cancel_after(tasks: anyio.abc.TaskGroup, over: float) -> None:
    await anyio.sleep(max(over - time.monotonic(), 0))
    tasks.cancel_scope.cancel()
