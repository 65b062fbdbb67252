"""The life of one box: opened with a random authority, called, disturbed, closed, and audited.

Guarantees: everything random comes from the life's own seed, so a life can be lived again; every
answer is judged, and afterwards the disk and the journal. Does not: know other lives.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio

from bench.soaking.acts import FILE_ACTS, Act, Stage, read
from bench.soaking.bounds import BOUNDS, SECONDS, WITHIN, Bound
from bench.soaking.harm import Harmer
from bench.soaking.judge import complaint, leaked, unrecorded
from bench.soaking.records import compare
from bench.soaking.rights import Right, Rights, drawn
from bench.soaking.scripts import HARMLESS, SCRIPTS, slow
from bench.soaking.watch import Watch
from bench.soaking.world import Workspace
from bench.soaking.wrong import Wrong, found_in
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.journal.event import RunId
from capbox.messages import ToolResult

_SHOWN = 12
ENDS = ("plain", "plain", "plain", "plain", "revoke", "revoke", "close", "close")


@dataclass(slots=True)
class Around:
    """What a life shares with all others."""

    engine: LocalEngine
    harmer: Harmer
    watch: Watch
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, what: str) -> None:
        """Count one thing for the report."""
        self.counts[what] = self.counts.get(what, 0) + 1


class Life:
    """One box. `where` is EPOCH.SEAT.ROUND."""

    def __init__(self, around: Around, files: Workspace, area: str, where: str, seed: int) -> None:
        self.where = where
        self._around = around
        self._files = files
        self._area = area
        self._rng = random.Random(f"{seed}.{where}")
        self._bound: Bound | None = None
        self._answers: dict[int, ToolResult | None] = {}
        self._begun: dict[int, Act] = {}
        self._run: RunId | None = None
        self._recent: deque[str] = deque(maxlen=_SHOWN)
        self._closing = False
        self._several = False

    async def live(self) -> None:
        """Open, call, close, audit. Raises Wrong, naming this life."""
        try:
            self._files.fill(self._area, self._rng)
            try:
                await self._in_box()
            except BaseException as error:
                if found_in(error) is None:
                    self._audit()  # it was cancelled, and what it left must be right all the same
                raise
            self._audit()
        except BaseException as error:
            wrong = found_in(error)
            if wrong is not None and not wrong.where:
                wrong.where, wrong.calls = self.where, tuple(self._recent)
            raise
        self._around.count("boxes")

    async def _in_box(self) -> None:
        rng = self._rng
        rights = drawn(rng, self._area)
        if rng.random() < 0.2:
            self._bound = rng.choice(BOUNDS)
            rights = Rights((Right(True, self._area),))
        self._stage = Stage(rng, self._files, self._area, rights, {})
        limits = WITHIN if self._bound is None else self._bound.limits
        self._note(f"Box(grants={list(rights.grants)}, limits={limits})")
        end = "plain" if self._bound else rng.choice(ENDS)
        async with anyio.create_task_group() as tasks:
            box = Box(
                workspace=self._files.root,
                grants=rights.grants,
                limits=limits,
                engine=self._around.engine,
            )
            with self._around.watch.over(self.where, "opening a box", SECONDS):
                await box.__aenter__()
            try:
                await self._calls(box)
                if end == "revoke":
                    await self._revoked(box)
                elif end == "close":
                    tasks.start_soon(self._call, box, slow(self._stage))
                    await anyio.sleep(rng.uniform(0, 0.15))
            finally:
                self._closing = True
                self._note(f"closed ({end})")
                with self._around.watch.over(self.where, "closing a box", SECONDS):
                    await box.__aexit__(None, None, None)

    async def _calls(self, box: Box) -> None:
        if self._bound is not None:
            for act in self._bound.acts(self._stage):
                await self._call(box, act)
            return
        for _ in range(self._rng.randint(2, 30)):
            draw = self._rng.random()
            if draw < 0.10:
                await self._beside(box)
            elif draw < 0.16:
                await self._cut(box)
            else:
                await self._call(box, self._draw())

    def _draw(self) -> Act:
        acts = FILE_ACTS if self._rng.random() < 0.6 else SCRIPTS
        draw: Callable[[Stage], Act] = self._rng.choice(acts)
        return draw(self._stage)

    async def _beside(self, box: Box) -> None:
        """Several calls of one box at once."""
        acts = [self._rng.choice((read, *HARMLESS))(self._stage) for _ in range(3)]
        self._several = True
        async with anyio.create_task_group() as tasks:
            for act in acts:
                tasks.start_soon(self._call, box, act)
        self._several = False

    async def _cut(self, box: Box) -> None:
        """Cancel a call in the middle; the box must go on."""
        act = self._draw() if self._rng.random() < 0.5 else slow(self._stage)
        with anyio.move_on_after(self._rng.uniform(0, 0.1)) as scope:
            await self._call(box, act)
        if scope.cancelled_caught:
            self._around.count("cancelled")
            self._take_stock()

    async def _revoked(self, box: Box) -> None:
        """Revoke in the middle of a call; nothing may be allowed from then on."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._call, box, slow(self._stage))
            await anyio.sleep(self._rng.uniform(0, 0.15))
            ids = box.authorities
            box.revoke(self._rng.choice(ids) if ids and self._rng.random() < 0.5 else None)
            self._stage.rights.revoked = True
            self._note("revoked")
        self._stage.kept.clear()
        for _ in range(3):
            await self._call(box, read(self._stage))

    async def _call(self, box: Box, act: Act) -> None:
        """Make one call and judge its answer."""
        rights, revoked = self._stage.rights, self._stage.rights.revoked
        number = len(self._answers) + 1
        self._answers[number] = None
        self._begun[number] = act
        self._note(f"{number}: {act}")
        begun = time.monotonic()
        rights.started = begun if rights.started is None else rights.started
        if self._lasting(begun, begun) is False and (self._several or not rights.over):
            # What was drawn before the end of the grants has another answer after it.
            rights.over = True
            self._begun.pop(number)
            act = read(self._stage)
            self._begun[number] = act
        self._files.begin(act.steps)
        bound = WITHIN if self._bound is None else self._bound.limits
        with self._around.watch.over(self.where, f"call {number}: {act}", bound.wall_seconds):
            result = await box.call(act.tool, **act.arguments)
        self._answers[number] = result
        self._run = RunId(result.journal) if result.journal else self._run
        self._note(f"{number}= {_shown(result)}")
        leaked(result, rights, self._files, self._area)
        excuse = self._excuse(act, result, begun, revoked)
        self._around.count("calls" if excuse is None else f"calls {excuse}")
        self._settle(number, act, result, excuse)

    def _settle(self, number: int, act: Act, result: ToolResult, excuse: str | None) -> None:
        self._begun.pop(number)
        if excuse == "closed":
            self._answers[number] = None  # its effects are in the journal alone, and it says so
        if excuse is not None:
            self._doubt(act)
            return
        wrong = complaint(act, result) or unrecorded(act, result)
        if wrong is not None:
            raise Wrong(*wrong)
        on_disk = self._files.settle(act.steps)
        if on_disk is not None:
            raise Wrong("content", on_disk)
        self._stage.kept.update(act.keeps)

    def _excuse(self, act: Act, result: ToolResult, begun: float, revoked: bool) -> str | None:
        """Return why another answer than the right one is right here; None if it is not."""
        code = None if result.error is None else result.error.code
        lasting = self._lasting(begun, time.monotonic())
        if code == act.code and lasting is not None:
            return None
        if code == "revoked" and (self._closing or self._stage.rights.revoked) and not revoked:
            return "revoked"
        if code == "interrupted" and self._closing:
            return "closed"
        if lasting is None and code in ("denied", "time", None):
            return "expired"
        if code in ("sandbox_failed", "time") and self._around.harmer.explains(code, begun):
            return "killed"
        return "stalled" if code == "time" and self._around.watch.stalled(begun) else None

    def _lasting(self, begun: float, ended: float) -> bool | None:
        """See `Rights.lasting`; on a machine that stood still nobody can tell."""
        rights = self._stage.rights
        if rights.lasting(ended, ended) is True and rights.lasting(begun, begun) is True:
            return True
        since = rights.started or begun
        return None if self._around.watch.stalled(since) else rights.lasting(begun, ended)

    def _take_stock(self) -> None:
        """Look at what calls that were cut short have left."""
        for act in self._begun.values():
            self._doubt(act)
        self._begun.clear()

    def _doubt(self, act: Act) -> None:
        wrong = self._files.reconcile(act.steps)
        if wrong is not None:
            raise Wrong("content", wrong)
        left = self._files.temporaries(self._area)
        if left:
            raise Wrong("content", f"a call that was cut short left {sorted(left)}")
        for name, _ in act.keeps:
            self._stage.kept.pop(name, None)
        self._stage.muddled = self._stage.muddled or bool(act.keeps)

    def _audit(self) -> None:
        # Cut off in its first call, a life does not know which run is its own.
        nameless = self._run is None and bool(self._begun)
        self._take_stock()
        if nameless:
            # What it made is nobody's for the life after it.
            self._files.sweep(self._area, None)
            return
        made: set[str] = set()
        if self._run is not None:
            made = compare(self._around.engine.home.state, self._run, self._answers)
        prefix = "/workspace/"
        self._files.sweep(
            self._area, {p.removeprefix(prefix) for p in made if p.startswith(prefix)}
        )
        wrong = self._files.audit(self._area)
        if wrong is not None:
            raise Wrong("content", wrong)

    def _note(self, line: str) -> None:
        self._recent.append(line[:2_000])


def _shown(result: ToolResult) -> str:
    if result.error is not None:
        return f"{result.error.code}: {result.error.message[:200]}"
    return f"ok {result.content[:200]!r}"
