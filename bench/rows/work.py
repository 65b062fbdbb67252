"""Work that others do as well: each task in turns by capbox, its peers and the yardstick.

Guarantees: every participant's answer is checked, each time. A peer that fails or answers something
else is left out of the row, with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.clock import Act, in_turns, yardstick
from bench.peers.answer import CannotError
from bench.peers.install import Doing
from bench.row import SPAWN, Row, Rows, done
from bench.tasks import Task
from capbox.box import Box

Reasons = dict[tuple[str, str], list[str]]
"""By peer and reason: the rows in which it has no number."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, after which pause, and how long one participant may take in all."""

    rounds: int
    idle_seconds: float
    budget_seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class Bench:
    """One workspace, and who works on it."""

    workspace: Path
    box: Box
    peers: Mapping[str, Doing]
    reasons: Reasons

    async def rows(self, tasks: Iterable[Task], pace: Pace) -> Rows:
        """Measure each task."""
        return {task.name: await self._row(task, pace) for task in tasks}

    async def _row(self, task: Task, pace: Pace) -> Row:
        task.prepare(self.workspace, ("capbox", *self.peers))
        capbox = self._by_capbox(task)
        await capbox(0)
        acts = {"bash": yardstick, "capbox": _next(capbox)}
        for name, peer in self.peers.items():
            act = self._by_peer(task, name, peer)
            # Not a number: it cannot. The first round is not measured.
            if not math.isnan(await act(0) or 0):
                acts[name] = _next(act)
        taken = await in_turns(
            acts, pace.rounds, pace.idle_seconds, pace.budget_seconds, shuffled=True
        )
        against = "bash" if task.against == "spawn" else "native"
        others = {n: taken[n] * 1000 for n in self.peers if not math.isnan(taken.get(n, math.nan))}
        return Row(
            value=taken["capbox"] * 1000,
            unit="ms",
            ratio=taken["capbox"] / taken[against] if against in taken else None,
            what=task.what,
            against=SPAWN if against == "bash" else "native",
            peers=others,
        )

    def _by_capbox(self, task: Task) -> Act:
        async def act(number: int) -> None:
            filled = task.filled(number, "capbox")
            content = done(await self.box.call(filled.tool, **filled.arguments))
            if filled.answer not in content:
                raise RuntimeError(f"{task.name}: another answer: {content[:200]}")
            if number == 0:
                self._see(filled)

        return act

    def _by_peer(self, task: Task, name: str, peer: Doing) -> Act:
        failed = False

        async def act(number: int) -> float | None:
            nonlocal failed
            if failed:
                return math.nan
            filled = task.filled(number, name)
            try:
                seconds = peer.run(filled)
                if number == 0:
                    self._see(filled)
            except CannotError as error:
                failed = True
                self.reasons.setdefault((name, str(error)), []).append(task.name)
                return math.nan
            return seconds

        return act

    def _see(self, task: Task) -> None:
        """Check the file that a task has changed."""
        if task.edited is not None:
            file, holds = task.edited
            content = (self.workspace / file).read_text()
            if holds not in content:
                raise CannotError(f"{file} does not hold what it should")


def _next(act: Act) -> Act:
    """Count on from the round that is not measured."""
    return lambda number: act(number + 1)
