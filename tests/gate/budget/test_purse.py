"""A purse: taken from every account or from none, warned of at 80 and 95 %, never overrun."""

from __future__ import annotations

import time
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


def test_a_day_with_many_files_is_not_looked_through_for_each_of_them(tmp_path: Path) -> None:
    """Attack: a script that changes many files holds up every run of this user, and revocations."""
    day = Day(tmp_path / "spending.db", {"files": 1_000_000}, lambda: 1_800_000_000.0)
    day.change(None, [Draw("files", 1, f"/before/{n}") for n in range(50_000)])
    told: list[str] = []
    one, began = Purse((Account({"files": 2_000}),), day, told.append), time.monotonic()
    one.note_changed(f"/w/{n}" for n in range(2_000))
    assert one.spend(Draw("files", 1, "/w/1")) is None
    assert isinstance(one.spend(Draw("files", 1, "/w/2000")), Overspent)
    assert time.monotonic() - began < 1.5
    assert day.used_of(Draw("files")) == 52_000
    assert told == ["the budget of this run: files: 2000 of 2000 used (100 %)"]
