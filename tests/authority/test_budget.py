"""A budget compares and narrows field by field; zero means zero."""

from dataclasses import replace

import pytest

from capbox.authority.budget import Budget


@pytest.mark.parametrize("name", Budget.__slots__)
def test_a_smaller_budget_is_within_and_a_larger_one_is_not(name: str) -> None:
    base = Budget()
    none = replace(base, **{name: 0})
    assert (none.within(base), base.within(none), base.within(base)) == (True, False, True)
    assert base.narrowed(none) == none.narrowed(base) == none


def test_what_a_run_may_spend_when_nobody_says() -> None:
    assert Budget() == Budget(
        turns=50, tool_calls=200, wall_seconds=1800.0, tokens=2_000_000, usd=10.0
    )
