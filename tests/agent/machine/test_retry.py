"""Retries: finitely often, after a while that nobody can foresee, and never where it is useless."""

from __future__ import annotations

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.agent.machine.retry import (
    RETRIED,
    RETRIES_MAX,
    STALLS_MAX,
    Tries,
    asked_to_wait,
    seconds_to_wait,
)
from capbox.models.model import ErrorKind

KINDS = st.sampled_from(get_args(ErrorKind))
CHANCE = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("kind", "again"),
    [
        ("rate_limit", 5),
        ("overloaded", 5),
        ("provider", 5),
        ("connection", 5),
        ("cut", 5),
        ("stalled", 2),
        ("authentication", 0),
        ("quota", 0),
        ("invalid_request", 0),
        ("context_length", 0),
        ("script", 0),
    ],
)
def test_how_often_a_kind_of_error_is_tried_again(kind: ErrorKind, again: int) -> None:
    tries, made = Tries(), 0
    while (tries_now := tries.after(kind)) is not None:
        tries, made = tries_now, made + 1
    assert made == again
    assert (again > 0) == (kind in RETRIED)


@given(st.lists(KINDS, max_size=60))
def test_a_request_is_sent_again_finitely_often_whatever_goes_wrong(kinds: list[ErrorKind]) -> None:
    tries = Tries()
    for kind in kinds:
        after = tries.after(kind)
        if after is None:
            continue
        assert after.made == tries.made + 1
        tries = after
    assert tries.made <= RETRIES_MAX + STALLS_MAX


@pytest.mark.parametrize(
    ("try_", "most"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 16.0), (7, 30.0)]
)
def test_a_wait_is_anywhere_below_a_bound_that_doubles(try_: int, most: float) -> None:
    tries = Tries(other=try_)
    assert [seconds_to_wait(tries, None, chance) for chance in (0.0, 0.5)] == [0.0, most / 2]
    assert seconds_to_wait(tries, None, 0.999) < most


@given(st.floats(0, 1e6), CHANCE)
def test_nobody_comes_back_before_the_time_that_was_named(named: float, chance: float) -> None:
    assert named <= seconds_to_wait(Tries(other=1), named, chance) <= named + 1


@pytest.mark.parametrize(
    ("said", "named"),
    [(None, None), (0.0, 0.0), (2.5, 2.5), (-1.0, None), (math.inf, None), (math.nan, None)],
)
def test_a_time_that_makes_no_sense_is_none(said: float | None, named: float | None) -> None:
    assert asked_to_wait(said) == named
