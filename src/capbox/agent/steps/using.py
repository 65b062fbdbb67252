"""Running the tool calls of one reply, batch by batch.

Guarantees: a call past a limit, or while the run is held, does not begin; every result is told
whole, and joins the transcript bounded, before the next batch. Does not: decide what a call may do
(`call_tool` leads to the gate), or what follows from its result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from anyio import to_thread

from capbox.agent import events
from capbox.agent.calls import Batch, run_in_order
from capbox.agent.context import tool_message
from capbox.agent.machine.state import Called, Over
from capbox.agent.machine.transition import MALFORMED
from capbox.agent.outcome import BudgetUsedUp, Limit, Outcome, StoppedByPerson
from capbox.agent.plan import CallTool
from capbox.agent.steps.guard import Guard
from capbox.agent.steps.pausing import Pausing
from capbox.agent.steps.voice import Voice
from capbox.messages import ToolCall, ToolResult

Stow = Callable[[ToolCall, str], str | None]

# The code of a result by which the gate says that a person answered "no, and stop".
STOPPED_BY_PERSON = "stopped_by_person"
# And by which it says that something of a budget does not suffice.
BUDGET_EXCEEDED = "budget_exceeded"


@dataclass(frozen=True, slots=True)
class Hands:
    """What a run acts with.

    `held` returns the grants held now, `stow` puts a text that is too long where tools can read it,
    and returns its path there (None: there is no such place), `end` ends the run at once.
    """

    call_tool: CallTool
    held: Callable[[], Sequence[str]]
    stow: Stow | None
    characters_max: int
    end: Callable[[Outcome], None]


async def use(
    batch: Batch, hands: Hands, guard: Guard, voice: Voice, pausing: Pausing
) -> Called | Over:
    """Run the calls and give their results to the model."""
    codes: list[str] = []

    async def call_tool(call: ToolCall) -> ToolResult:
        await pausing.passed()
        return await hands.call_tool(call)

    async def take(call: ToolCall, result: ToolResult) -> None:
        await give(call, result, hands, guard, voice)
        code = result.error.code if result.error is not None else ""
        codes.append(code if call.malformed is None else MALFORMED)
        _end_if(code, hands, guard)

    allowed, limit = await _admit(batch, guard, voice, pausing)
    await run_in_order(allowed, call_tool, take)
    return Called(tuple(codes)) if limit is None else Over(limit)


async def give(
    call: ToolCall, result: ToolResult, hands: Hands, guard: Guard, voice: Voice
) -> None:
    """Tell the result of a call, and give it to the model."""
    stowed = await _stowed(call, result, hands)
    most = hands.characters_max
    said = tool_message(call, result, hands.held(), characters_max=most, stowed=stowed)
    await voice.tell(events.ToolFinished(call, result, said))
    await voice.say(said)
    for warning in guard.spending.drain():
        await voice.tell(events.Warned(warning))


async def _admit(
    batch: Batch, guard: Guard, voice: Voice, pausing: Pausing
) -> tuple[Batch, Limit | None]:
    """Count calls up to the limit; return those that may run, and the limit if one is met."""
    allowed: list[ToolCall] = []
    for call in batch:
        await pausing.passed()
        limit = await guard.reached(guard.meter.before_tool_call)
        if limit is not None:
            return tuple(allowed), limit
        guard.meter.count_tool_call()
        await voice.tell(events.ToolStarted(call))
        allowed.append(call)
    return tuple(allowed), None


async def _stowed(call: ToolCall, result: ToolResult, hands: Hands) -> str | None:
    if hands.stow is None or len(result.content) <= hands.characters_max:
        return None
    return await to_thread.run_sync(hands.stow, call, result.content)


def _end_if(code: str, hands: Hands, guard: Guard) -> None:
    over = guard.spending.over if code == BUDGET_EXCEEDED else None
    if code == STOPPED_BY_PERSON:
        hands.end(StoppedByPerson())
    elif over is not None:
        hands.end(BudgetUsedUp(over))
