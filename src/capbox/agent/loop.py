"""The loop: ask the model, run the tools it calls, give the results back, until it is done.

    run = Run(plan, call_tool, stopwatch=Stopwatch(monotonic))
    finished = await run.run(emit)

Guarantees: limits are asked before every step (`limits/caps.py`); a model error, a cut reply or
an interruption never ends as `Completed`; `RunFinished` is the last event whatever ends the run, a
cancelled caller included (an exception, which is a bug, is none of these); `emit` is never awaited
twice at a time; when `run` returns or raises, no task of it is left, the model's stream is closed.
Does not: decide about a tool call (`call_tool` leads to the gate), retry the model, store events.

Why a coroutine that is given `emit`, and not an async generator: tools run in task groups and all
of it in a cancel scope, and a `yield` inside either leaves the scope open in whoever iterates, so
that an abandoned iterator would cancel the wrong task or leave tools running. For `async for` over
events there is `capbox.agent.stream`, whose task belongs to the caller's task group.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Literal, assert_never

from anyio import (
    CancelScope,
    Lock,
    create_task_group,
    get_cancelled_exc_class,
    move_on_after,
    sleep,
)

from capbox.agent import events
from capbox.agent.calls import Batch, batches, run_in_order
from capbox.agent.context import tool_message
from capbox.agent.limits.caps import Meter
from capbox.agent.limits.spending import Exceeded, Spending, Turn
from capbox.agent.limits.stopwatch import Stopwatch
from capbox.agent.outcome import (
    BudgetUsedUp,
    Cancelled,
    Completed,
    Limit,
    ModelFailed,
    Outcome,
    Revoked,
    SandboxFailed,
    StoppedByPerson,
)
from capbox.agent.plan import CallTool, RunPlan
from capbox.agent.transcript import in_context
from capbox.messages import Message, ToolCall, ToolResult, Usage, UserMessage
from capbox.models.model import ModelError, ModelRequest, Reply, TextDelta, ThinkingDelta

Emit = Callable[[events.Event], Awaitable[None]]
AskMore = Callable[[Limit], Awaitable[bool]]
Keep = Callable[[Message], Awaitable[None]]

# An answer that cannot be used is asked for again, with the reason; three times in a row is enough.
RECOVERIES_MAX = 3
SANDBOX_FAILURES_MAX = 3
# The code of a result by which the gate says that a person answered "no, and stop".
STOPPED_BY_PERSON = "stopped_by_person"
# And by which it says that something of a budget does not suffice.
BUDGET_EXCEEDED = "budget_exceeded"
# How long the last event of a cancelled run may take to be delivered to a slow reader.
FAREWELL_SECONDS = 1.0
_CLOCK_STEP_SECONDS = 0.05

_RECOVERY = {
    "empty": "Your last reply was empty. Go on with the task, or give your final answer.",
    "length": "Your last reply was cut at its length limit. Go on, in smaller steps.",
}


class Run:
    """One run of one plan; made once, run once."""

    def __init__(
        self,
        plan: RunPlan,
        call_tool: CallTool,
        *,
        stopwatch: Stopwatch,
        ask_more: AskMore | None = None,
        held: Callable[[], Sequence[str]] | None = None,
        spending: Spending | None = None,
        keep: Keep | None = None,
    ) -> None:
        """Prepare; `ask_more` asks a person at a limit (None: nobody to ask, so no).

        `held` returns the grants held now, where leases may add to those of the plan. `spending` is
        what its turns draw on besides its own limits (None: nothing). `keep` is awaited for each
        message that joins the transcript, before anything is done because of it.
        """
        self._plan = plan
        self._call_tool = call_tool
        self._ask_more = ask_more
        self._held = held or (lambda: plan.grants)
        self._meter = Meter(plan.budget, stopwatch)
        self._spending = spending or Spending()
        self._turn: Turn | str = ""  # the next one, or why there is none
        self._specs = tuple(tool.spec for tool in plan.tools)
        self._read_only = frozenset(tool.name for tool in plan.tools if tool.reads_only)
        self._transcript: list[Message] = list(plan.history)
        self._keep = keep
        self._text = ""
        self._recoveries = 0
        self._sandbox_failures = 0
        self._price_known = True
        self._usage_known = True
        self._ended: Outcome | None = None
        self._scope: CancelScope | None = None
        self._asking = Lock()
        self._telling = Lock()

    @property
    def transcript(self) -> tuple[Message, ...]:
        """Return all that was said until now, what came before this run included."""
        return tuple(self._transcript)

    def cancel(self) -> None:
        """Interrupt: model and tools are cancelled, and the run finishes as `Cancelled`."""
        self._end(Cancelled())

    def revoke(self) -> None:
        """End it like that, because what it held was taken back: it finishes as `Revoked`."""
        self._end(Revoked())

    async def run(self, emit: Emit) -> events.RunFinished:
        """Work until the run ends, and return its last event."""
        self._emit = emit
        try:
            await self._tell(self._started())
            await self._say(UserMessage(self._plan.task))
            await self._work()
        except get_cancelled_exc_class():
            # The caller itself is being cancelled. The record must still say how the run ended, but
            # a reader that is gone must not hold up the interruption.
            with move_on_after(FAREWELL_SECONDS, shield=True):
                await self._tell(self._finished())
            raise
        finished = self._finished()
        await self._tell(finished)
        return finished

    async def _work(self) -> None:
        with CancelScope() as self._scope:
            if self._ended is not None:
                return
            async with create_task_group() as tasks:
                tasks.start_soon(self._watch_the_clock)
                self._end(await self._turns())

    def _end(self, outcome: Outcome) -> None:
        """Stop everything; the first reason is the one that counts."""
        self._ended = self._ended or outcome
        if self._scope is not None:
            self._scope.cancel()

    async def _turns(self) -> Outcome:
        while True:
            await self._spending.ready()
            limit = await self._reached(self._before_turn)
            if limit is not None:
                return limit
            if isinstance(self._turn, str):
                return BudgetUsedUp(self._turn)
            reply = await self._reply(self._turn)
            if isinstance(reply, ModelFailed):
                return reply
            ended = await self._act_on(reply)
            if ended is not None:
                return ended

    async def _act_on(self, reply: Reply) -> Outcome | None:
        await self._say(reply.message)
        if reply.message.tool_calls:
            self._recoveries = 0
            return await self._use_tools(reply.message.tool_calls)
        match reply.stop:
            case "refused":
                return ModelFailed("refused", "the provider's filter ended the reply")
            case "length":
                return await self._recover("length")
            case "end" | "tool_calls":
                return Completed() if reply.message.text else await self._recover("empty")
            case _:
                assert_never(reply.stop)

    async def _recover(self, problem: Literal["empty", "length"]) -> ModelFailed | None:
        """Ask again, with the reason, unless that has been done often enough."""
        if self._recoveries >= RECOVERIES_MAX:
            return ModelFailed(problem, f"{RECOVERIES_MAX} requests to go on did not help")
        self._recoveries += 1
        await self._say(UserMessage(_RECOVERY[problem]))
        await self._tell(events.Warned(f"the model's reply was unusable ({problem}); asked again"))
        return None

    def _before_turn(self) -> Limit | None:
        """Return the limit that one more turn would break; else what it may take is reserved."""
        limit = self._meter.before_turn()
        if limit is not None:
            return limit
        plan = self._plan
        request = ModelRequest(
            plan.system, in_context(self._transcript), self._specs, plan.output_tokens_max
        )
        turn = self._spending.begin(request)
        limit = turn.limit(self._meter.spent) if isinstance(turn, Exceeded) else None
        self._turn = str(turn) if isinstance(turn, Exceeded) else turn
        return limit

    async def _reply(self, turn: Turn) -> Reply | ModelFailed:
        """Ask the model for one whole reply, telling its pieces as they come."""
        self._meter.count_turn()
        stream, begun = self._plan.model.stream(turn.request), False
        try:
            async for event in stream:
                begun = True
                match event:
                    case TextDelta(text):
                        await self._tell(events.TextDelta(text))
                    case ThinkingDelta(text):
                        await self._tell(events.ThinkingDelta(text))
                    case Reply():
                        await self._pay(event, *turn.replied(event.usage, event.usd))
                        return event
                    case _:
                        assert_never(event)
        except ModelError as error:
            turn.failed(error, begun=begun)
            return ModelFailed(error.kind, error.message)
        finally:
            # Left in the middle, a generator would close whenever it is collected, and with it the
            # connection to the provider.
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
        return ModelFailed("cut", "the stream ended without a whole reply")

    async def _pay(self, reply: Reply, usage: Usage, usd: float | None) -> None:
        self._meter.pay(usage, usd)
        self._text = reply.message.text or self._text
        await self._tell(events.ModelReply(reply.message, usage, usd, reply.stop))
        if reply.usage is None and self._usage_known:
            self._usage_known = False
            await self._tell(
                events.Warned(
                    f"{self._plan.model.name} did not say how many tokens its reply took: "
                    "it counts as the most that it may have taken, a byte of text as a token"
                )
            )
        if usd is None and self._price_known:
            self._price_known = False
            await self._tell(
                events.Warned(
                    f"no price is known for {self._plan.model.name}: against the budget of "
                    f"{self._plan.budget.usd:g} USD its tokens count at a dear model's price"
                )
            )

    async def _use_tools(self, calls: Batch) -> Outcome | None:
        for batch in batches(calls, self._read_only):
            allowed, limit = await self._admit(batch)
            await run_in_order(allowed, self._call_tool, self._take)
            if self._sandbox_failures >= SANDBOX_FAILURES_MAX:
                return SandboxFailed(f"{self._sandbox_failures} tool calls in a row")
            if limit is not None:
                return limit
        return None

    async def _admit(self, batch: Batch) -> tuple[Batch, Limit | None]:
        """Count calls up to the limit; return those that may run, and the limit if one is met."""
        allowed: list[ToolCall] = []
        for call in batch:
            limit = await self._reached(self._meter.before_tool_call)
            if limit is not None:
                return tuple(allowed), limit
            self._meter.count_tool_call()
            await self._tell(events.ToolStarted(call))
            allowed.append(call)
        return tuple(allowed), None

    async def _take(self, call: ToolCall, result: ToolResult) -> None:
        """Tell a result and give it to the model."""
        await self._tell(events.ToolFinished(call, result))
        most = self._plan.result_characters_max
        await self._say(tool_message(call, result, self._held(), characters_max=most))
        for warning in self._spending.drain():
            await self._tell(events.Warned(warning))
        code = result.error.code if result.error is not None else ""
        self._sandbox_failures = self._sandbox_failures + 1 if code == "sandbox_failed" else 0
        over = self._spending.over if code == BUDGET_EXCEEDED else None
        if code == STOPPED_BY_PERSON:
            self._end(StoppedByPerson())
        elif over is not None:
            self._end(BudgetUsedUp(over))

    async def _reached(self, check: Callable[[], Limit | None]) -> Limit | None:
        """Return the limit that forbids the next step, if no person raises it."""
        async with self._asking:
            while (limit := check()) is not None:
                if not await self._more(limit):
                    return limit
        return None

    async def _more(self, limit: Limit) -> bool:
        if self._ask_more is None:
            return False
        with self._meter.stopwatch.paused():
            granted = await self._ask_more(limit)
        if granted:
            self._meter.extend(limit)
            self._spending.purse.raise_to(self._meter.allowed.bounds())
        await self._tell(events.LimitAsked(limit, granted))
        return granted

    async def _watch_the_clock(self) -> None:
        """End the run in the middle of a step when its time is up."""
        while True:
            limit = await self._reached(self._meter.out_of_time)
            if limit is not None:
                self._end(limit)
                return
            # At least a step: the seconds left stand still while a person is waited for.
            await sleep(max(self._meter.seconds_left, _CLOCK_STEP_SECONDS))

    async def _say(self, message: Message) -> None:
        """Add to the transcript what was said."""
        if self._keep is not None:
            await self._keep(message)
        self._transcript.append(message)

    async def _tell(self, event: events.Event) -> None:
        async with self._telling:
            await self._emit(event)

    def _started(self) -> events.RunStarted:
        plan = self._plan
        tools = tuple(tool.name for tool in plan.tools)
        return events.RunStarted(plan.run, plan.task, plan.model.name, tools, plan.grants)

    def _finished(self) -> events.RunFinished:
        return events.RunFinished(self._ended or Cancelled(), self._text, self._meter.spent)
