"""A purse: taken from every account or from none, warned of at 80 and 95 %, never overrun."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from capbox.authority.values.draws import Draw, Overspent
from capbox.gate.budget.purse import Account, Purse, Reserved
from capbox.journal.tables.spending import Day

CALL = Draw("calls")


def purse(**bounds: float) -> Purse:
    return Purse((Account(dict(bounds)),))


def nothing(text: str) -> None:
    """Note nothing."""


async def test_a_hundred_that_race_for_three_get_exactly_three() -> None:
    one, got = purse(calls=3), []

    async def race() -> None:
        await anyio.lowlevel.checkpoint()
        reserved = one.reserve(CALL)
        await anyio.lowlevel.checkpoint()
        if isinstance(reserved, Reserved):
            got.append(reserved)
        await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(race)
    assert (len(got), one.left("calls")) == (3, 0)


def test_all_draws_are_taken_or_none() -> None:
    one = purse(calls=3, sinks=1)
    assert isinstance(one.reserve(CALL, Draw("sinks", 1, "a")), Reserved)
    refusal = one.reserve(CALL, Draw("sinks", 1, "b"))
    assert isinstance(refusal, Overspent) and refusal.resource == "sinks"
    assert one.left("calls") == 2


def test_a_reservation_counts_until_it_is_settled_and_then_what_it_came_to() -> None:
    one = purse(usd=1.0, tokens=10)
    reserved = one.reserve(Draw("usd", 0.75), Draw("tokens", 5))
    assert isinstance(reserved, Reserved) and one.left("usd") == 0.25
    reserved.settle(usd=0.25)
    assert (one.left("usd"), one.left("tokens")) == (0.75, 5)


def test_two_children_cannot_spend_what_is_left_of_their_parent_twice() -> None:
    parent = purse(calls=3, children=2)
    children = [parent.child({"calls": 3}, nothing) for _ in range(2)]
    one, other = (child for child in children if isinstance(child, Purse))
    assert [one.spend(CALL), other.spend(CALL), one.spend(CALL)] == [None] * 3
    for each in (one, other, parent):
        refusal = each.spend(CALL)
        assert isinstance(refusal, Overspent)
        assert refusal.whose == (
            "the budget of this run" if each is parent else "the budget of a run above this one"
        )


def test_a_child_has_its_own_bound_and_counts_as_a_child() -> None:
    parent = purse(calls=10, children=1)
    child = parent.child({"calls": 1}, nothing)
    assert isinstance(child, Purse) and isinstance(parent.child({}, nothing), Overspent)
    assert child.spend(CALL) is None and isinstance(child.spend(CALL), Overspent)
    assert parent.left("calls") == 9


@pytest.mark.parametrize(
    ("bound", "warned"),
    [
        (100, {80: "80 of 100 used (80 %)", 95: "95 of 100 used (95 %)"}),
        (3, {3: "3 of 3 used (100 %)"}),
        (0, {}),
    ],
)
def test_it_warns_once_at_80_and_once_at_95_percent(bound: int, warned: dict[int, str]) -> None:
    told: dict[int, str] = {}
    number = 0

    def note(text: str) -> None:
        assert number not in told
        told[number] = text

    one = Purse((Account({"calls": bound}),), note=note)
    for number in range(1, 150):  # noqa: B007 (what `note` sees)
        one.spend(CALL)
    expected = {n: f"the budget of this run: calls: {text}" for n, text in warned.items()}
    assert told == expected


def test_more_for_a_run_is_no_more_for_those_above_it() -> None:
    parent = purse(calls=1, children=1)
    child = parent.child({"calls": 0}, nothing)
    assert isinstance(child, Purse) and isinstance(child.spend(CALL), Overspent)
    child.raise_to({"calls": 9, "usd": 5})
    assert child.spend(CALL) is None
    assert isinstance(child.spend(CALL), Overspent)
    assert not child.bounds("usd")


def spending(tmp_path: Path, **bounds: float) -> Day:
    return Day(tmp_path / "spending.db", bounds, lambda: 0.0)


@pytest.mark.parametrize("own", [{"calls": 9}, {}], ids=["bounded", "not bounded"])
def test_the_day_is_taken_from_too(own: dict[str, float], tmp_path: Path) -> None:
    day = spending(tmp_path, calls=2)
    one, other = (Purse((Account(dict(own)),), day) for _ in range(2))
    assert (one.bounds("calls"), one.bounds("usd"), one.left("usd")) == (True, False, None)
    assert [one.spend(CALL), one.left("calls"), other.left("calls")] == [None, 1, 1]
    assert [other.spend(CALL), one.left("calls")] == [None, 0]
    refusal = one.spend(CALL)
    assert isinstance(refusal, Overspent) and refusal.whose == "the budget of the day 1970-01-01"
    # What the day refused is not taken from the run either.
    assert one.accounts[0].used_of(CALL) == 1


def test_the_day_leaves_no_more_than_the_run_and_the_run_no_more_than_the_day(
    tmp_path: Path,
) -> None:
    day = spending(tmp_path, tokens=10, usd=1)
    one = Purse((Account({"tokens": 5, "usd": 3}),), day)
    assert (one.left("tokens"), one.left("usd")) == (5, 1)


def test_what_was_reserved_of_the_day_is_given_back_to_it(tmp_path: Path) -> None:
    day = spending(tmp_path, seconds=60)
    one = Purse((Account({"tokens": 5}),), day)
    reserved = one.reserve(Draw("seconds", 30), Draw("tokens", 5))
    assert isinstance(reserved, Reserved) and one.left("seconds") == 30
    reserved.settle(seconds=10)
    assert (one.left("seconds"), one.left("tokens")) == (50, 0)
    reserved.settle(seconds=0, tokens=0)  # once
    assert (one.left("seconds"), one.left("tokens")) == (50, 0)


def test_files_count_once_each_also_beyond_their_bound(tmp_path: Path) -> None:
    lines: list[str] = []
    day = spending(tmp_path, files=10)
    parent = Account({"files": 9})
    one = Purse((Account({"files": 2}), parent), day, lines.append)
    one.note_changed(())
    assert (one.left("files"), lines, day.used_of(Draw("files"))) == (2, [], 0)
    one.note_changed(["/a", "/a"])
    one.note_changed(["/a"])
    assert (one.left("files"), lines) == (1, [])
    one.note_changed(["/b", "/c"])
    assert one.left("files") == 0
    used = [looked(Draw("files")) for looked in (*(a.used_of for a in one.accounts), day.used_of)]
    assert used == [3, 3, 3]
    assert lines == ["the budget of this run: files: 3 of 2 used (150 %)"]
    refusal = one.spend(Draw("files", 1, "/d"))
    assert isinstance(refusal, Overspent) and one.spend(Draw("files", 1, "/a")) is None


def test_a_sink_has_an_allowance_of_its_own() -> None:
    lines: list[str] = []
    one = Purse((Account({"sink_calls": 2, "sinks": 2}),), note=lines.append)
    first, second = Draw("sink_calls", 1, "email:a@b.test"), Draw("sink_calls", 1, "email:c@d.test")
    assert [one.spend(first), one.spend(second), one.spend(first)] == [None] * 3
    assert isinstance(one.spend(first), Overspent) and one.spend(second) is None
    assert lines == [
        f"the budget of this run: sink_calls: 2 of 2 used for email:{name} (100 %)"
        for name in ("a@b.test", "c@d.test")
    ]
    assert one.own() == {"sinks": (0, 2)}
    one.spend(Draw("sinks", 1, "email:a@b.test"), Draw("sinks", 1, "email:c@d.test"))
    assert lines[2:] == ["the budget of this run: sinks: 2 of 2 used (100 %)"]


def test_what_comes_after_a_known_sink_counts_all_the_same() -> None:
    one, sink = purse(sinks=1, calls=3), Draw("sinks", 1, "a")
    assert [one.spend(sink, CALL), one.spend(sink, CALL)] == [None, None]
    assert (one.left("sinks"), one.left("calls")) == (0, 1)


def test_what_is_used_is_told_bound_by_bound() -> None:
    parent = purse(calls=10, children=1, tokens=1)
    child = parent.child({"calls": 4, "usd": 1}, nothing)
    assert isinstance(child, Purse)
    child.spend(CALL, Draw("usd", 0.25), Draw("tokens", 1))
    assert child.own() == {"calls": (1, 4), "usd": (0.25, 1)}
    assert parent.own() == {"calls": (1, 10), "children": (1, 1), "tokens": (1, 1)}


@pytest.mark.parametrize(
    ("amount", "warned"),
    [(799, []), (800, ["80 %"]), (949, ["94 %"]), (950, ["95 %"]), (1_000, ["100 %"])],
)
def test_it_warns_from_just_that_much_on(amount: float, warned: list[str]) -> None:
    lines: list[str] = []
    one = Purse((Account({"tokens": 1_000, "usd": 0}),), note=lines.append)
    # Of what is not bounded, or of nothing, no share can be used; what comes after it is looked at.
    one.spend(CALL, Draw("usd", 0), Draw("tokens", amount), Draw("bytes_out", 1))
    assert [line.rpartition(" (")[2] for line in lines] == [f"{share})" for share in warned]
    one.spend(Draw("tokens", 0))
    assert len(lines) == len(warned)


def test_it_warns_of_every_bound_that_is_passed(tmp_path: Path) -> None:
    lines: list[str] = []
    accounts = (Account({"tokens": 5}), Account({"tokens": 10, "calls": 1}))
    one = Purse(accounts, spending(tmp_path, calls=1, tokens=100), lines.append)
    one.spend(Draw("tokens", 4), CALL)
    assert lines == [
        "the budget of this run: tokens: 4 of 5 used (80 %)",
        "the budget of a run above this one: calls: 1 of 1 used (100 %)",
        "the budget of the day: calls: 1 of 1 used (100 %)",
    ]
    one.spend(Draw("tokens", 1))
    one.raise_to({"tokens": 20})
    one.spend(Draw("tokens", 5))
    assert lines[3:] == [
        "the budget of this run: tokens: 5 of 5 used (100 %)",
        "the budget of a run above this one: tokens: 10 of 10 used (100 %)",
    ]


def test_what_a_reservation_came_to_is_warned_of() -> None:
    lines: list[str] = []
    one = Purse((Account({"seconds": 10}),), note=lines.append)
    for came_to, warned in ((1.0, 0), (8.0, 1)):
        reserved = one.reserve(Draw("seconds", 9 if came_to == 1 else 5))
        assert isinstance(reserved, Reserved) and len(lines) == 0
        reserved.settle(seconds=came_to)
        assert len(lines) == warned


def test_a_purse_without_bounds_bounds_nothing() -> None:
    one = Purse()
    assert [one.spend(CALL), one.left("calls"), one.own()] == [None, None, {}]
    one.raise_to({"calls": 1})
    assert one.spend(CALL) is None


def test_what_a_person_raises_never_lowers() -> None:
    one = purse(calls=3, tokens=5)
    one.raise_to({"calls": 1})
    assert (one.left("calls"), one.left("tokens")) == (3, 5)


def test_many_files_are_counted_at_once_and_warned_of_once(tmp_path: Path) -> None:
    day = Day(tmp_path / "spending.db", {"files": 1_000_000}, lambda: 1_800_000_000.0)
    day.change(None, [Draw("files", 1, f"/before/{n}") for n in range(50_000)])
    told: list[str] = []
    one = Purse((Account({"files": 2_000}),), day, told.append)
    one.note_changed(f"/w/{n}" for n in range(2_000))
    assert one.spend(Draw("files", 1, "/w/1")) is None
    assert isinstance(one.spend(Draw("files", 1, "/w/2000")), Overspent)
    assert day.used_of(Draw("files")) == 52_000
    assert told == ["the budget of this run: files: 2000 of 2000 used (100 %)"]
