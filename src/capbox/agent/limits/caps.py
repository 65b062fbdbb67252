"""The limits of a run, checked in one place, before anything is spent.

Guarantees: counters only grow; at a limit of N exactly N turns or tool calls are made; zero means
zero; a limit is raised by `extend` alone, which the loop calls after a person said yes.
Does not: know the size of a reply in advance. A turn is refused when it must pass the token limit
(a conversation grows until it is summed up, so it costs at least what the last one held); one that
is let go may still pass it, or the budget in USD, by that one reply. A reply whose price nobody
knows is counted at a dear model's price; the sum then reported is None, and the loop says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from capbox.agent.events import RunSpent
from capbox.agent.limits.stopwatch import Stopwatch
from capbox.agent.outcome import (
    BudgetExceeded,
    Limit,
    TimeLimit,
    TokenLimit,
    ToolCallLimit,
    TurnLimit,
)
from capbox.authority.budget import Budget
from capbox.messages import Usage

# For a reply without a known price: the list price of Claude Opus 4.1, dearer than nearly every
# model in use, so that the budget is reached too early rather than too late.
USD_PER_INPUT_TOKEN = 15e-6
USD_PER_OUTPUT_TOKEN = 75e-6


class Meter:
    """What a run may spend, and what it has spent."""

    def __init__(self, budget: Budget, stopwatch: Stopwatch) -> None:
        """Start with nothing spent."""
        self.stopwatch = stopwatch
        self._base = budget
        self._allowed = budget
        self._turns = 0
        self._tool_calls = 0
        self._usage = Usage()
        self._last_turn_tokens = 1
        self._usd = 0.0
        self._usd_estimated = False

    @property
    def allowed(self) -> Budget:
        """Return the limits as they are now."""
        return self._allowed

    @property
    def allowed_at_first(self) -> Budget:
        """Return the limits as they were at the start."""
        return self._base

    @property
    def spent(self) -> RunSpent:
        """Return what the run used so far."""
        wall_ms = round(self.stopwatch.seconds * 1_000)
        usd = None if self._usd_estimated else self._usd
        return RunSpent(self._turns, self._tool_calls, wall_ms, self._usage, usd)

    @property
    def seconds_left(self) -> float:
        """Return the wall-clock seconds left; zero or less when the time is up."""
        return self._allowed.wall_seconds - self.stopwatch.seconds

    def out_of_time(self) -> TimeLimit | None:
        """Return the limit that the clock has passed, if it has."""
        return TimeLimit(self._allowed.wall_seconds) if self.seconds_left <= 0 else None

    def before_tool_call(self) -> Limit | None:
        """Return the limit that one more tool call would break."""
        if self._tool_calls >= self._allowed.tool_calls:
            return ToolCallLimit(self._allowed.tool_calls)
        return self.out_of_time()

    def before_turn(self, *, again: bool = False) -> Limit | None:
        """Return the limit that one more turn would break; `again`: one that is counted already."""
        if not again and self._turns >= self._allowed.turns:
            return TurnLimit(self._allowed.turns)
        if self._tokens + self._last_turn_tokens > self._allowed.tokens:
            return TokenLimit(self._allowed.tokens, self._tokens)
        if self._usd >= self._allowed.usd:
            return BudgetExceeded(self._allowed.usd, self._usd, self._usd_estimated)
        return self.out_of_time()

    def count_turn(self) -> None:
        """Count a turn; called before it is made, so that a failed one counts too."""
        self._turns += 1

    def count_tool_call(self) -> None:
        """Count a tool call; called before it is made."""
        self._tool_calls += 1

    def pay(self, usage: Usage, usd: float | None) -> None:
        """Add the cost of one reply; `usd` None (no known price) is estimated."""
        self._usage += usage
        self._last_turn_tokens = max(1, usage.total)
        if usd is None:
            self._usd_estimated = True
            usd = dear(usage)
        self._usd += usd

    def shrink(self) -> None:
        """Note that the conversation was summed up: the next turn may take less than the last."""
        self._last_turn_tokens = 1

    def extend(self, limit: Limit) -> None:
        """Allow as much again as at the start (at least one step), after a person said yes."""
        allowed, base = self._allowed, self._base
        match limit:
            case TurnLimit():
                self._allowed = replace(allowed, turns=self._turns + max(1, base.turns))
            case ToolCallLimit():
                more = self._tool_calls + max(1, base.tool_calls)
                self._allowed = replace(allowed, tool_calls=more)
            case TimeLimit():
                seconds = self.stopwatch.seconds + max(60.0, base.wall_seconds)
                self._allowed = replace(allowed, wall_seconds=seconds)
            case TokenLimit():
                tokens = self._tokens + self._last_turn_tokens + base.tokens
                self._allowed = replace(allowed, tokens=tokens)
            case BudgetExceeded():
                self._allowed = replace(allowed, usd=self._usd + max(0.01, base.usd))
            case _:
                assert_never(limit)

    @property
    def _tokens(self) -> int:
        return self._usage.total


def dear(usage: Usage) -> float:
    """Return what a reply costs that nobody knows the price of: rather too much."""
    output = usage.output_tokens
    return (usage.total - output) * USD_PER_INPUT_TOKEN + output * USD_PER_OUTPUT_TOKEN
