"""Bounds compare and narrow field by field, and are always finite."""

from dataclasses import replace
from math import inf, nan

import pytest

from capbox.authority.budget import Budget
from capbox.authority.limits import Limits


@pytest.mark.parametrize("name", [n for n in Limits.__slots__ if n != "fuel"])
def test_a_lower_limit_is_within_and_a_higher_one_is_not(name: str) -> None:
    base = Limits()
    lower = replace(base, **{name: 0})
    assert (lower.within(base), base.within(lower)) == (True, False)
    assert base.narrowed(lower) == lower.narrowed(base) == lower


@pytest.mark.parametrize(
    ("ours", "theirs", "within", "narrowed"),
    [
        (None, None, True, None),
        (5, None, True, 5),
        (None, 5, False, 5),
        (5, 5, True, 5),
        (6, 5, False, 5),
        (0, 5, True, 0),
    ],
)
def test_unmetered_fuel_is_the_loosest(
    ours: int | None, theirs: int | None, within: bool, narrowed: int | None
) -> None:
    mine, parent = Limits(fuel=ours), Limits(fuel=theirs)
    assert (mine.within(parent), mine.narrowed(parent).fuel) == (within, narrowed)


@pytest.mark.parametrize("name", [n for n in Limits.__slots__ if n != "wall_seconds"])
def test_a_count_that_no_mechanism_could_take_is_a_bug(name: str) -> None:
    assert Limits(**{name: 1 << 53}) == replace(Limits(), **{name: 1 << 53})
    with pytest.raises(ValueError, match=f"{name} is not a bound"):
        Limits(**{name: (1 << 53) + 1})


def test_a_time_that_no_clock_could_take_is_a_bug() -> None:
    assert Limits(wall_seconds=1e8).wall_seconds == 1e8
    with pytest.raises(ValueError, match="wall_seconds is not a bound"):
        Limits(wall_seconds=1e8 + 1)


@pytest.mark.parametrize("bound", [inf, nan, -1.0, 1e9])
def test_a_bound_that_bounds_nothing_is_a_bug(bound: float) -> None:
    with pytest.raises(ValueError, match="wall_seconds"):
        Limits(wall_seconds=bound)


@pytest.mark.parametrize("bound", [inf, nan, -1.0])
def test_a_budget_that_bounds_nothing_is_a_bug(bound: float) -> None:
    with pytest.raises(ValueError, match="usd"):
        Budget(usd=bound)


def test_what_a_call_may_take_when_nobody_says() -> None:
    assert Limits() == Limits(
        wall_seconds=30.0,
        fuel=None,
        memory_bytes=268_435_456,
        stack_bytes=1_048_576,
        output_bytes=1_000_000,
        written_bytes=64_000_000,
        files_created=1_000,
        open_files=256,
        tmp_bytes=64_000_000,
        requests=100,
        body_bytes=10_000_000,
    )
