"""The line below the prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.agent.events import ModelReply, RunFinished, RunSpent
from capbox.agent.outcome import Completed
from capbox.messages import AssistantMessage, Usage
from capbox.surfaces.cli.talk.showing.status import Status, money, tokens, walls_told

FULL = "anthropic/m  planning  context 1.2k of 200k  0.5000 USD  2 grants, 1 lease  2 walls"


def full() -> Status:
    return Status(
        model="anthropic/m", context=1_200, window=200_000, usd=0.5, grants=2, leases=1,
        walls="2 walls", plans=True,
    )  # fmt: skip


def test_it_says_model_context_cost_leases_and_walls() -> None:
    assert full().line(100) == FULL
    assert Status("m").line(80) == "m  context 0  0.0000 USD  0 grants"


@given(st.integers(0, 120))
def test_it_fits(columns: int) -> None:
    line = full().line(columns)
    assert len(line) <= columns
    assert FULL.startswith(line)


def test_a_long_name_of_a_model_leaves_room_for_the_rest() -> None:
    status = full()
    status.model, status.plans = "openrouter/somebody/a-model-with-a-long-name", False
    assert status.line(80).startswith("openrouter/some...  context ")
    assert status.line(80).endswith("  2 walls")
    assert status.line(10) == "openroute."


@pytest.mark.parametrize(
    ("landlock", "seccomp", "told"),
    [
        (True, True, "2 walls"),
        (False, True, "no landlock"),
        (False, False, "no landlock, no seccomp"),
    ],
)
def test_a_wall_that_is_missing_is_named(landlock: bool, seccomp: bool, told: str) -> None:
    assert walls_told(landlock, seccomp) == told


def test_a_name_that_hides_something_is_spelt_out() -> None:
    assert Status("a\u202eb\x1b[2J").line(80).startswith("a\\u202eb\\x1b[2J  ")


def test_it_adds_up_what_turns_take() -> None:
    status = full()
    usage = Usage(1_000, 200, 300)
    reply = AssistantMessage("x")
    status.add(ModelReply(reply, usage, 0.25, "end"))
    status.add(RunFinished(Completed(), "x", RunSpent(2, 3, 1_500)))
    assert status.told() == (
        "0.7500 USD, 1.5 s at work",
        "2 replies, 3 tool calls",
        "1.3k tokens read, 300 of it cached, 200 written",
        "context 1.5k of 200k tokens",
    )
    status.add(ModelReply(reply, usage, None, "end"))
    assert status.told()[0] == "price unknown, 1.5 s at work"


def test_numbers_for_people() -> None:
    assert [tokens(n) for n in (0, 999, 1_000, 123_456)] == ["0", "999", "1.0k", "123k"]
    assert [money(n) for n in (None, 0.00012, 12.345)] == [
        "price unknown",
        "0.0001 USD",
        "12.35 USD",
    ]
