"""Clocks that jump: grants go by the wall clock, bounds by one that only goes forward."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from capbox.authority.limits import Limits
from capbox.engine.local import LocalEngine
from capbox.gate.gate import Gate
from capbox.gate.holdings import Holdings

HOUR, DAY = 3600 * 10**9, 24 * 3600 * 10**9


class Clock:
    """Nanoseconds since 1970, as the test sets them."""

    def __init__(self) -> None:
        self.now = time.time_ns()

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock(engine: LocalEngine) -> Clock:
    """The clock of the engine's gate."""
    clock = Clock()
    engine.gate = Gate(engine.tools, holdings=Holdings(), clock_ns=clock, entropy=os.urandom)
    return clock


@pytest.mark.parametrize(
    ("jump", "lasting", "ending"),
    [(0, True, True), (HOUR // 2, True, True), (2 * HOUR, True, False), (400 * DAY, True, False)],
)
async def test_a_jump_forward_ends_what_expires_and_nothing_else(
    make_box: object, workspace: Path, clock: Clock, jump: int, lasting: bool, ending: bool
) -> None:
    for name in ("a", "b"):
        (workspace / name).write_text("here\n")
    grants = ["read:/workspace/a", "read:/workspace/b expires=1h"]
    async with make_box(grants=grants) as box:  # type: ignore[operator]
        before = await box.call("bash", script="cat a b")
        clock.now += jump
        a, b = await box.call("read", path="a"), await box.call("read", path="b")
    assert before.content == "here\nhere\n"
    assert (a.ok, b.ok) == (lasting, ending)


async def test_what_has_expired_stays_so_when_the_clock_is_set_back(
    make_box: object, workspace: Path, clock: Clock
) -> None:
    (workspace / "a").write_text("here\n")
    async with make_box(grants=["read:/workspace/a expires=1h"]) as box:  # type: ignore[operator]
        answers = []
        for jump in (0, 2 * HOUR, -2 * HOUR):
            clock.now += jump
            answers.append((await box.call("bash", script="cat a")).content.startswith("here"))
    assert answers == [True, False, False]


@pytest.mark.parametrize("jump", [-HOUR, -DAY, -10 * 365 * DAY, DAY, 10 * 365 * DAY])
async def test_bounds_do_not_move_when_the_clock_jumps(
    make_box: object, clock: Clock, jump: int
) -> None:
    async with make_box(limits=Limits(wall_seconds=1)) as box:  # type: ignore[operator]
        await box.call("bash", script="echo first")
        clock.now += jump
        begun = time.monotonic()
        endless = await box.call("bash", script="while :; do :; done")
        took = time.monotonic() - begun
        after = await box.call("bash", script="date +%s")
    assert endless.error is not None and endless.error.code == "time"
    assert took >= 0.9
    assert int(after.content) == clock.now // 10**9


@pytest.mark.parametrize("now", [-(10**18), -5, 2**63, 2**64, 2**70])
async def test_a_clock_that_is_out_of_its_mind_allows_nothing(
    make_box: object, workspace: Path, clock: Clock, now: int
) -> None:
    """Before 1970 and after 2262 no guest can tell the time: the call fails, without effect."""
    async with make_box() as box:  # type: ignore[operator]
        right, clock.now = clock.now, now
        result = await box.call("write", path="a.txt", content="x")
        clock.now = right
        after = await box.call("write", path="b.txt", content="x")
    assert result.error is not None and result.error.code == "sandbox_failed"
    assert after.ok and os.listdir(workspace) == ["b.txt"]
