"""A call takes its share before it is recorded as intended, and what it may have used is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from tests.gate.conftest import Desk, ScriptedApprover, manifest

from capbox.authority.access import ToolAccess
from capbox.authority.limits import Limits
from capbox.authority.paths import GuestPath, HostPath
from capbox.authority.values.arguments import Argument, Given
from capbox.authority.values.draws import Draw
from capbox.gate.approver import No, Once
from capbox.gate.budget.charge import Charge, charged
from capbox.gate.budget.purse import Account, Purse
from capbox.gate.seat import Seat
from capbox.journal.tables.spending import Day
from capbox.messages import Spent, ToolFailure
from capbox.sandbox.spec import Broken, Finished, Job, Outcome, Touched, stopped
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

    scope = anyio.CancelScope()

    async def answer(job: Job) -> Outcome:
        await anyio.sleep(0.05)
        scope.cancel()
        await anyio.sleep_forever()
        raise AssertionError

    desk.answer = answer
    with scope:
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


# --- one call by itself ---------------------------------------------------------------------------

TO = Argument("to", "email", (Given("a@b.test"), Given("c@d.test")))
LIMITS = Limits(wall_seconds=30)


async def charge_of(
    purse: Purse, *arguments: Argument, module: str = "", access: str = "write"
) -> Charge | ToolFailure:
    """Charge for a call of a tool with a module, or of a function, whose arguments are 100 long."""
    made = replace(manifest("bash"), module=module, access=access)  # type: ignore[arg-type]
    return charged(purse, made, ToolAccess("bash", arguments), 100, LIMITS, nested=False)


SENT = {"bytes_out": 100, "sinks": 2, "sink_bytes": 100}
SUBJECTS = (("bytes_out", ""), ("sinks", ""), ("sink_bytes", "email:a@b.test"))


@pytest.mark.parametrize(
    ("module", "access", "arguments", "taken"),
    [
        # What a program does with the arguments of its function is not known: it all may leave.
        ("", "execute", (TO,), SENT),
        ("", "execute", (), {"bytes_out": 100, "sinks": 1}),
        ("", "write", (TO,), SENT),
        ("", "read", (), {}),
        # A guest sends by requests, and each takes for itself.
        ("toolbox.wasm", "execute", (TO,), {}),
        ("toolbox.wasm", "read", (TO,), {}),
    ],
)
async def test_a_function_takes_for_what_it_sends_and_to_whom(
    module: str, access: str, arguments: tuple[Argument, ...], taken: dict[str, float]
) -> None:
    account = Account({})
    charge = await charge_of(Purse((account,)), *arguments, module=module, access=access)
    assert isinstance(charge, Charge)
    assert account.used.pop(("calls", "")) == 1
    assert {
        name: account.used[name, of] for name, of in SUBJECTS if (name, of) in account.used
    } == taken
    assert bool(account.used) is bool(taken)


async def test_a_call_that_may_not_send_that_much_takes_nothing() -> None:
    account = Account({"calls": 5, "sink_bytes": 99})
    refused = await charge_of(Purse((account,)), TO)
    assert isinstance(refused, ToolFailure) and refused.code == "budget_exceeded"
    assert "sink_bytes: 0 of 99 used for email:a@b.test" in refused.message
    assert account.used_of(Draw("calls")) == 0


@pytest.mark.parametrize(("left", "within"), [(None, 30), (50, 30), (12, 12)])
async def test_a_call_may_last_as_long_as_its_limits_and_what_is_left(
    left: float | None, within: float
) -> None:
    bounds = {} if left is None else {"seconds": left}
    account = Account(dict(bounds))
    charge = await charge_of(Purse((account,)))
    assert isinstance(charge, Charge)
    assert charge.within(LIMITS) == Limits(wall_seconds=within)
    assert charge.within(Limits(wall_seconds=1)) == Limits(wall_seconds=1)
    assert account.used_of(Draw("seconds")) == (0 if left is None else within)


async def test_without_time_there_is_no_call_and_it_says_how_long_one_is() -> None:
    refused = await charge_of(Purse((Account({"seconds": 0}),)))
    assert isinstance(refused, ToolFailure)
    assert "seconds: 0 of 0 used" in refused.message


async def test_time_is_warned_of_when_it_was_used_and_the_rest_when_it_was_taken() -> None:
    lines: list[str] = []
    purse = Purse((Account({"seconds": 30, "calls": 1}),), note=lines.append)
    charge = await charge_of(purse)
    assert isinstance(charge, Charge) and lines == [
        "the budget of this run: calls: 1 of 1 used (100 %)"
    ]
    charge.ended(Outcome(Finished(b""), spent=Spent(wall_ms=1_000)))
    assert len(lines) == 1 and purse.left("seconds") == 29


async def test_a_file_is_taken_before_it_changes_where_files_are_bounded(tmp_path: Path) -> None:
    bounded, free = Purse((Account({"files": 1}),)), Purse()
    one, other = await charge_of(bounded), await charge_of(free)
    assert isinstance(one, Charge) and isinstance(other, Charge)
    assert [one.may_change("/a"), one.may_change("/a"), one.may_change("/b")] == [
        "",
        "",
        "the budget of this run is used up: files: 1 of 1 used; "
        "only a person can raise it: --budget files=",
    ]
    assert [other.may_change(name) for name in ("/a", "/b")] == ["", ""]
    assert free.accounts[0].used == {("calls", ""): 1}
    (tmp_path / "spending.db").write_bytes(b"garbage" * 1_000)
    day = Day(tmp_path / "spending.db", {"files": 5}, lambda: 0.0)
    assert str(tmp_path) in replace(other, purse=Purse(day=day)).may_change("/a")


def touched(action: str, name: str, *, host: bool = True) -> Touched:
    return Touched(action, GuestPath(name), HostPath(f"/host{name}") if host else None)


@pytest.mark.parametrize(
    ("did", "files"),
    [
        ([touched("write", "/a"), touched("create", "/b"), touched("write", "/a")], 2),
        ([touched("delete", "/a"), touched("chmod", "/b"), touched("mkdir", "/c")], 3),
        ([touched("read", "/a"), touched("list", "/b")], 0),
        ([touched("write", "/tmp/a", host=False), touched("call", "send()", host=False)], 0),
        # A replacement that came and went, and one that stayed.
        ([touched("create", "/.capbox-1-a.tmp"), touched("delete", "/.capbox-1-a.tmp")], 0),
        ([touched("create", "/.capbox-1-a.tmp"), touched("delete", "/a")], 2),
        ([touched("create", "/a"), touched("delete", "/a")], 1),
    ],
)
async def test_files_that_were_changed_count_at_the_end(did: list[Touched], files: int) -> None:
    bounded, free = Purse((Account({"files": 9}),)), Purse()
    for purse in (bounded, free):
        charge = await charge_of(purse)
        assert isinstance(charge, Charge)
        charge.ended(Outcome(Finished(b""), tuple(did)))
    assert bounded.left("files") == 9 - files
    assert free.accounts[0].used_of(Draw("files")) == 0


async def test_the_time_of_a_call_that_nobody_measured_is_all_that_has_passed() -> None:
    purse = Purse((Account({"seconds": 100}),))
    charge = await charge_of(purse)
    assert isinstance(charge, Charge)
    replace(charge, started=charge.started - 20).ended(Outcome(Broken("its worker died")))
    assert purse.left("seconds") == pytest.approx(80, abs=0.5)
