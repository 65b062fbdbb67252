"""Limits: exactly the number, before it is spent, and raised by a person alone."""

from __future__ import annotations

import anyio
import pytest

from capbox.agent import events
from capbox.agent.limits.caps import Meter
from capbox.agent.limits.stopwatch import Stopwatch
from capbox.agent.outcome import (
    BudgetExceeded,
    Completed,
    Limit,
    TimeLimit,
    TokenLimit,
    ToolCallLimit,
    TurnLimit,
)
from capbox.authority.budget import Budget
from capbox.messages import ToolCall, ToolResult, Usage
from capbox.models.script import ScriptedReply

DONE = ScriptedReply(text="done")


@pytest.mark.parametrize("turns", [0, 1, 3])
async def test_exactly_so_many_turns_are_made(stage, calling, turns) -> None:
    finished = await stage.play((calling("read"),) * 9, budget=Budget(turns=turns))
    assert (finished.outcome, finished.spent.turns) == (TurnLimit(turns), turns)
    assert (len(stage.gate.calls), stage.kinds().count("model_reply")) == (turns, turns)


@pytest.mark.parametrize("allowed", [0, 1, 5])
@pytest.mark.parametrize("name", ["read", "write"])
async def test_exactly_so_many_tool_calls_are_made_in_the_middle_of_a_reply_too(
    stage, calling, allowed, name
) -> None:
    script = (calling(name, name, name),) * 9
    finished = await stage.play(script, budget=Budget(tool_calls=allowed))
    assert finished.outcome == ToolCallLimit(allowed)
    assert (finished.spent.tool_calls, len(stage.gate.calls)) == (allowed, allowed)
    assert stage.kinds().count("tool_started") == stage.kinds().count("tool_finished") == allowed


async def test_the_last_turn_and_the_last_call_that_are_allowed_may_complete_the_run(
    stage, calling
) -> None:
    finished = await stage.play((calling("read"), DONE), budget=Budget(turns=2, tool_calls=1))
    assert finished.outcome == Completed()


@pytest.mark.parametrize(
    ("tokens", "turns", "outcome"),
    [
        (0, 0, TokenLimit(0, 0)),
        (99, 1, TokenLimit(99, 50)),  # the next turn costs 50 at least
        (100, 2, TokenLimit(100, 100)),
        (149, 2, TokenLimit(149, 100)),
        (150, 3, Completed()),
    ],
)
async def test_a_turn_that_must_pass_the_token_limit_is_not_made(
    stage, calling, tokens, turns, outcome
) -> None:
    usage = Usage(10, 20, 15, 5)
    call = ScriptedReply(tool_calls=calling("read").tool_calls, usage=usage)
    script = (call, call, ScriptedReply(text="done", usage=usage))
    finished = await stage.play(script, budget=Budget(tokens=tokens))
    assert (finished.outcome, finished.spent.turns) == (outcome, turns)


async def test_the_time_ends_a_run_between_steps(stage, calling) -> None:
    async def slow(call: ToolCall) -> ToolResult:
        stage.clock.seconds += 40
        return ToolResult(True, "")

    script = (calling("read"),) * 9
    finished = await stage.play(script, budget=Budget(wall_seconds=100), call_tool=slow)
    assert (finished.outcome, finished.spent.tool_calls) == (TimeLimit(100), 3)
    assert finished.spent.wall_ms == 120_000


async def test_the_time_ends_a_run_in_the_middle_of_a_tool(stage, calling) -> None:
    ended = []

    async def endless(call: ToolCall) -> ToolResult:
        stage.clock.seconds += 100
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(call.name)

    finished = await stage.play(
        (calling("write"),), budget=Budget(wall_seconds=0.05), call_tool=endless
    )
    assert (finished.outcome, ended) == (TimeLimit(0.05), ["write"])


async def test_a_person_may_allow_as_much_again(stage, calling) -> None:
    asked: list[Limit] = []

    async def twice(limit: Limit) -> bool:
        asked.append(limit)
        return len(asked) < 3

    finished = await stage.play((calling("read"),) * 9, budget=Budget(turns=2), ask_more=twice)
    assert asked == [TurnLimit(2), TurnLimit(4), TurnLimit(6)]
    assert (finished.outcome, finished.spent.turns) == (TurnLimit(6), 6)
    assert [event for event in stage.told if isinstance(event, events.LimitAsked)] == [
        events.LimitAsked(TurnLimit(2), True),
        events.LimitAsked(TurnLimit(4), True),
        events.LimitAsked(TurnLimit(6), False),
    ]


async def test_waiting_for_a_person_counts_against_no_limit(stage, calling) -> None:
    async def after_lunch(limit: Limit) -> bool:
        stage.clock.seconds += 3_600
        return True

    budget = Budget(turns=1, wall_seconds=60)
    finished = await stage.play((calling("read"), DONE), budget=budget, ask_more=after_lunch)
    assert (finished.outcome, finished.spent.wall_ms) == (Completed(), 0)


async def test_two_waits_at_once_count_once_and_the_clock_goes_on_after_the_last(stage) -> None:
    stopwatch = Stopwatch(stage.clock)
    stage.clock.seconds += 1
    with stopwatch.paused():
        stage.clock.seconds += 10
        with stopwatch.paused():
            stage.clock.seconds += 10
        stage.clock.seconds += 10
        assert stopwatch.seconds == 1
    stage.clock.seconds += 2
    assert stopwatch.seconds == 3


def _meter(budget: Budget, *, at: float = 0.0) -> Meter:
    return Meter(budget, Stopwatch(lambda: at))


def test_money_ends_a_run_before_the_next_turn_and_not_before_its_tool_calls() -> None:
    meter = _meter(Budget(usd=1.0))
    meter.pay(Usage(1, 1), 0.6)
    assert meter.before_turn() is None
    meter.pay(Usage(1, 1), 0.4)
    assert (meter.before_turn(), meter.before_tool_call()) == (
        BudgetExceeded(1.0, 1.0, estimated=False),
        None,
    )


def test_a_reply_without_a_price_counts_at_a_dear_one_and_is_never_shown_as_a_sum() -> None:
    meter = _meter(Budget(usd=1.0))
    meter.pay(Usage(input_tokens=20_000, output_tokens=10_000), None)
    refusal = meter.before_turn()
    assert isinstance(refusal, BudgetExceeded)
    assert (round(refusal.spent_usd, 6), refusal.estimated) == (1.05, True)
    assert meter.spent.usd is None


def test_zero_means_zero_for_every_limit() -> None:
    refusals = [
        _meter(Budget(turns=0)).before_turn(),
        _meter(Budget(tokens=0)).before_turn(),
        _meter(Budget(usd=0.0)).before_turn(),
        _meter(Budget(wall_seconds=0.0)).before_turn(),
        _meter(Budget(tool_calls=0)).before_tool_call(),
        _meter(Budget(wall_seconds=0.0)).before_tool_call(),
    ]
    assert refusals == [
        TurnLimit(0),
        TokenLimit(0, 0),
        BudgetExceeded(0.0, 0.0, estimated=False),
        TimeLimit(0.0),
        ToolCallLimit(0),
        TimeLimit(0.0),
    ]


def test_every_limit_lets_at_least_one_more_step_through_once_it_is_raised() -> None:
    zero = Budget(turns=0, tool_calls=0, wall_seconds=0.0, tokens=0, usd=0.0)
    meter = _meter(zero)
    for _ in range(4):
        refusal = meter.before_turn()
        assert refusal is not None
        meter.extend(refusal)
    assert meter.before_turn() is None
    calls = meter.before_tool_call()
    assert calls == ToolCallLimit(0)
    meter.extend(calls)
    assert meter.before_tool_call() is None


async def test_a_tool_goes_on_while_a_person_is_asked_for_more_time(stage, calling) -> None:
    asked = anyio.Event()

    async def long(call: ToolCall) -> ToolResult:
        stage.clock.seconds += 100
        await asked.wait()
        return ToolResult(True, "finished after all")

    async def yes(limit: Limit) -> bool:
        asked.set()
        return True

    budget = Budget(wall_seconds=0.05)
    finished = await stage.play(
        (calling("write"), DONE), budget=budget, call_tool=long, ask_more=yes
    )
    assert finished.outcome == Completed()
    assert events.LimitAsked(TimeLimit(0.05), granted=True) in stage.told
