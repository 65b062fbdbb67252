"""A budget compares and narrows field by field; zero means zero."""

from dataclasses import replace

import pytest

from capbox.authority.budget import DISTINCT, WORDS, Budget


@pytest.mark.parametrize("name", Budget.__slots__)
def test_a_smaller_budget_is_within_and_a_larger_one_is_not(name: str) -> None:
    base = Budget()
    none = replace(base, **{name: 0})
    assert (none.within(base), base.within(none), base.within(base)) == (True, False, True)
    assert base.narrowed(none) == none.narrowed(base) == none


def test_what_a_run_may_spend_when_nobody_says() -> None:
    assert Budget().bounds() == {
        "turns": 50,
        "calls": 200,
        "seconds": 1800.0,
        "tokens": 2_000_000,
        "usd": 10.0,
        "bytes_out": 1_000_000_000,
        "sinks": 1_000,
        "sink_calls": 10_000,
        "sink_bytes": 1_000_000_000,
        "files": 100_000,
        "asks": 10,
        "children": 10,
    }


def test_different_ones_are_counted_of_bounds_that_there_are() -> None:
    assert set(WORDS) > DISTINCT
