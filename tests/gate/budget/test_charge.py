"""A call takes its share before it is recorded as intended, and what it may have used is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import anyio
import pytest
from tests.gate.conftest import Desk, ScriptedApprover

from capbox.gate.approver import No, Once
from capbox.gate.budget.purse import Account, Purse
from capbox.gate.seat import Seat
from capbox.journal.tables.spending import Day
from capbox.messages import Spent
from capbox.sandbox.spec import Broken, Job, Outcome, stopped
from capbox.tools.scripted import reply


def with_budget(seat: Seat, day: Day | None = None, **bounds: float) -> Seat:
    seat.purse = Purse((Account(dict(bounds)),), day)
    return seat


def kinds(desk: Desk) -> list[str]:
    return [str(content["kind"]) for content in desk.recorded()]


async def test_a_hundred_calls_that_race_for_three_run_exactly_three(desk: Desk) -> None:
    seat, codes = with_budget(desk.seat(), calls=3), []

    async def answer(job: Job) -> Outcome:
        await anyio.lowlevel.checkpoint()
        return Outcome(reply("done"))

    desk.answer = answer

    async def race() -> None:
        result = await desk.call(seat, "bash")
        codes.append(None if result.error is None else result.error.code)

    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(race)
    assert (codes.count(None), codes.count("budget_exceeded")) == (3, 97)
    assert kinds(desk).count("intent") == 3


async def test_a_hundred_calls_that_race_for_three_uses_of_a_grant_run_exactly_three(
    desk: Desk,
) -> None:
    seat, oks = desk.seat("tool:bash uses=3", tools=()), []

    async def race() -> None:
        oks.append((await desk.call(seat, "bash")).ok)

    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(race)
    assert oks.count(True) == 3


async def test_a_call_that_does_not_fit_says_which_budget_and_how_to_raise_it(desk: Desk) -> None:
    seat = with_budget(desk.seat(), calls=0)
    result = await desk.call(seat, "bash")
    assert result.error is not None and result.error.code == "budget_exceeded"
    assert result.error.message == (
        "the budget of this run is used up: calls: 0 of 0 used; "
        "only a person can raise it: --budget calls="
    )
    assert (kinds(desk), seat.purse.left("calls")) == (["decision"], 0)


async def test_a_refused_call_takes_nothing(desk: Desk) -> None:
    seat = with_budget(desk.seat(tools=()), calls=1)
    assert not (await desk.call(seat, "bash")).ok
    assert seat.purse.left("calls") == 1


@pytest.mark.parametrize(
    ("end", "left"),
    [
        (lambda: Outcome(reply("done"), spent=Spent(wall_ms=4_000)), 96),
        (lambda: Outcome(stopped("time"), spent=Spent(wall_ms=30_000)), 70),
        # Nobody knows how long it worked: as long as it took here.
        (lambda: Outcome(Broken("its worker died")), pytest.approx(99.9, abs=0.1)),
    ],
)
async def test_time_is_taken_in_advance_and_given_back_where_it_is_known(
    desk: Desk, end: Callable[[], Outcome], left: float
) -> None:
    seat = with_budget(desk.seat(), seconds=100)
    during: list[float | None] = []

    async def answer(job: Job) -> Outcome:
        during.append(seat.purse.left("seconds"))
        return end()

    desk.answer = answer
    await desk.call(seat, "bash")
    assert (during, seat.purse.left("seconds")) == ([70], left)


async def test_a_call_has_no_more_time_than_is_left(desk: Desk) -> None:
    seat = with_budget(desk.seat(), seconds=12)
    limits: list[float] = []

    async def answer(job: Job) -> Outcome:
        limits.append(job.limits.wall_seconds)
        return Outcome(reply("done"), spent=Spent(wall_ms=12_000))

    desk.answer = answer
    assert (await desk.call(seat, "bash")).ok
    assert not (await desk.call(seat, "bash")).ok
    assert limits == [12]


async def test_a_cancelled_call_gives_nothing_back_that_it_may_have_used(desk: Desk) -> None:
    seat = with_budget(desk.seat(), calls=2, seconds=100)

    async def answer(job: Job) -> Outcome:
        await anyio.sleep_forever()
        raise AssertionError

    desk.answer = answer
    with anyio.move_on_after(0.05):
        await desk.call(seat, "bash")
    seconds = seat.purse.left("seconds")
    assert seat.purse.left("calls") == 1
    assert seconds is not None and 70 <= seconds <= 99.95
    assert kinds(desk) == ["intent", "outcome"]


async def test_questions_that_people_answer_count_and_those_of_a_rule_do_not(desk: Desk) -> None:
    for answer, left in ((Once(), 0), (No("a rule says so", "rule"), 1)):
        approver = ScriptedApprover(answer, answer)
        run = f"run-{left}"
        seat = desk.seat(ceiling=["read:/workspace"], approver=approver, run=run)
        with_budget(seat, asks=1)
        await desk.call(seat, "read", path="a")
        second = await desk.call(seat, "read", path="b")
        assert seat.purse.left("asks") == left
        assert len(approver.questions) == 2 - (1 - left)
        assert ("asks: 1 of 1 used" in str(second.denied)) is (left == 0)


async def test_a_day_that_cannot_be_read_lets_no_call_run(desk: Desk) -> None:
    path = desk.directory / "spending.db"
    path.write_bytes(b"garbage" * 1_000)
    day = Day(path, {"calls": 5}, lambda: desk.now)
    seat = with_budget(desk.seat(), day)
    result = await desk.call(seat, "bash")
    assert result.error is not None and result.error.code == "budget_unreadable"
    assert str(path) in result.error.message and kinds(desk) == ["decision"]
    assert path.read_bytes() == b"garbage" * 1_000


async def test_a_warning_is_on_record(desk: Desk) -> None:
    seat = desk.seat()
    lines: list[str] = []
    seat.purse = Purse((Account({"calls": 5}),), note=lines.append)
    for number in range(5):
        await desk.call(seat, "bash", text=str(number))
    assert [line.rpartition(" (")[2] for line in lines] == ["80 %)", "100 %)"]


async def test_the_sixth_identical_call_is_refused_and_the_third_warned(desk: Desk) -> None:
    seat = desk.seat()
    results = [await desk.call(seat, "bash", text="same") for _ in range(7)]
    warned = ["this same call" in result.content for result in results]
    assert warned == [False, False, True, True, True, False, False]
    assert [r.error.code if r.error else None for r in results] == [None] * 5 + ["repeated"] * 2
    other = await desk.call(seat, "bash", text="another")
    assert other.ok and replace(other, journal=None).content == "done"
