"""The loop: ask the model, run the tools it calls, give the results back, until it is done.

    run = Run(plan, call_tool, stopwatch=Stopwatch(monotonic))
    finished = await run.run(emit)

What follows what is decided in `machine/`, which is pure; here its actions are done.
Guarantees: limits are asked before every step (`limits/caps.py`); a model error, a cut reply or
an interruption never ends as `Completed`; `RunFinished` is the last event whatever ends the run, a
cancelled caller included (an exception, which is a bug, is none of these); `emit` is never awaited
twice at a time; when `run` returns or raises, no task of it is left, the model's stream is closed;
what a person says to it is given to the model, or is in `undelivered` at the end; a call left open
in the history has its result, in order, before the task is said, or stays open with it unsaid.
Does not: decide about a tool call (`call_tool` leads to the gate), store events.

Why a coroutine that is given `emit`, and not an async generator: tools run in task groups and all
of it in a cancel scope, and a `yield` inside either leaves the scope open in whoever iterates, so
that an abandoned iterator would cancel the wrong task or leave tools running. For `async for` over
events there is `capbox.agent.stream`, whose task belongs to the caller's task group.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from random import random
from typing import assert_never

from anyio import (
    CancelScope,
    create_task_group,
    get_cancelled_exc_class,
    move_on_after,
    sleep,
)

from capbox.agent import events
from capbox.agent.calls import batches
from capbox.agent.compression.compressor import Compressor, tokens_taken
from capbox.agent.incidents import FellBack
from capbox.agent.limits.caps import Meter
from capbox.agent.limits.spending import Spending, Turn
from capbox.agent.limits.stopwatch import Stopwatch
from capbox.agent.machine.state import (
    Ask,
    Compress,
    Failed,
    Finish,
    Note,
    Over,
    Poll,
    Polled,
    Replied,
    Signal,
    UseTools,
    Wait,
    Waited,
)
from capbox.agent.machine.transition import first_step, next_step
from capbox.agent.outcome import Cancelled, Outcome, Refused, Revoked
from capbox.agent.plan import CallTool, RunPlan
from capbox.agent.steps.asking import Broken, ask
from capbox.agent.steps.guard import AskMore, Guard
from capbox.agent.steps.pausing import Pausing
from capbox.agent.steps.using import Hands, Stow, give, use
from capbox.agent.steps.voice import Emit, Keep, Voice
from capbox.messages import AssistantMessage, Message, SummaryMessage, UserMessage
from capbox.models.facts import facts_of
from capbox.models.model import ModelRequest, Reply

__all__ = ["AskMore", "Emit", "Keep", "Run"]

BeforeStop = Callable[[], Awaitable[str | None]]

# How long the last event of a cancelled run may take to be delivered to a slow reader.
FAREWELL_SECONDS = 1.0
# A model that is asked for less gives no useful reply.
_OUTPUT_TOKENS_MIN = 1_024


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
        stow: Stow | None = None,
        before_stop: BeforeStop | None = None,
        wait: Callable[[float], Awaitable[None]] = sleep,
        chance: Callable[[], float] = random,
    ) -> None:
        """Prepare; `ask_more` asks a person at a limit (None: nobody to ask, so no).

        `held` returns the grants held now, where leases may add to those of the plan. `spending` is
        what its turns draw on besides its own limits (None: nothing). `keep` is awaited for each
        message that joins the transcript, before anything is done because of it. `stow` puts a
        result that is too long where tools can read it (`steps/using.py`). `before_stop` is asked
        when the model is done; a text sends it on, at most three times. `wait` takes seconds,
        `chance` returns a number in [0, 1); both are for retries.
        """
        self._plan = plan
        self._system = plan.system
        self._voice = Voice(plan.history, keep)
        self._guard = Guard(
            Meter(plan.budget, stopwatch), spending or Spending(), self._voice, ask_more
        )
        self._pausing = Pausing(stopwatch, self._voice.tell)
        self._compressor = Compressor(self._guard)
        grants = held or (lambda: plan.grants)
        self._hands = Hands(call_tool, grants, stow, plan.result_characters_max, self._end)
        self._before_stop = before_stop
        self._wait, self._chance = wait, chance
        self._read_only = frozenset(tool.name for tool in plan.tools if tool.reads_only)
        self._model = plan.model
        self._text = ""
        self._steering: list[str] = []
        self._delivering: list[str] = []  # on their way into the transcript
        self._compact = False
        self._closed = False
        self._ended: Outcome | None = None
        self._scope: CancelScope | None = None

    @property
    def transcript(self) -> tuple[Message, ...]:
        """Return all that was said until now, what came before this run included."""
        return tuple(self._voice.transcript)

    @property
    def undelivered(self) -> tuple[str, ...]:
        """Return what a person said that the model was not given (yet)."""
        return (*self._delivering, *self._steering)

    def cancel(self) -> None:
        """Interrupt: model and tools are cancelled, and the run finishes as `Cancelled`."""
        self._end(Cancelled())

    def revoke(self) -> None:
        """End it like that, because what it held was taken back: it finishes as `Revoked`."""
        self._end(Revoked())

    def refuse(self, reason: str) -> None:
        """End it like that before its first turn: it finishes as `Refused`, for `reason`."""
        self._end(Refused("the run", reason, None))

    def steer(self, text: str) -> bool:
        """Give the model a message of the person, before its next turn, or when it would be done.

        False: the run is over, so nothing will read it.
        """
        if not self._closed:
            self._steering.append(text)
        return not self._closed

    def pause(self) -> None:
        """Begin no further turn or call, and let the clock of the run stand still."""
        self._pausing.hold()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._pausing.let_go()

    def compact(self) -> None:
        """Sum up the conversation before the next turn, or before the end."""
        self._compact = True

    async def run(self, emit: Emit) -> events.RunFinished:
        """Work until the run ends, and return its last event."""
        self._voice.emit = emit
        try:
            await self._voice.tell(self._started())
            for note in self._plan.notes:
                await self._voice.tell(events.Warned(note))
            if not self._plan.left:
                await self._say_task()
            await self._work()
        except get_cancelled_exc_class():
            # The caller itself is being cancelled. The record must still say how the run ended, but
            # a reader that is gone must not hold up the interruption.
            with move_on_after(FAREWELL_SECONDS, shield=True):
                await self._voice.tell(self._finished())
            raise
        finally:
            self._closed = True
        finished = self._finished()
        await self._voice.tell(finished)
        return finished

    async def _work(self) -> None:
        with CancelScope() as self._scope:
            if self._ended is not None:
                return
            async with create_task_group() as tasks:
                tasks.start_soon(self._guard.watch_the_clock, self._end)
                self._end(await self._settled() or await self._turns())

    async def _settled(self) -> Outcome | None:
        """Give each call that was left open its result, then say the task; or why not."""
        hands, guard, voice = self._hands, self._guard, self._voice
        for call, known in self._plan.left:
            if known is not None:
                await give(call, known, hands, guard, voice)
                continue
            used = await use((call,), hands, guard, voice, self._pausing)
            if isinstance(used, Over):
                return used.outcome
        if self._plan.left:
            await self._say_task()
        return None

    async def _say_task(self) -> None:
        await self._voice.say(UserMessage(self._plan.task, self._plan.attachments))

    def _end(self, outcome: Outcome) -> None:
        """Stop everything; the first reason is the one that counts."""
        self._closed = True
        self._ended = self._ended or outcome
        if self._scope is not None:
            self._scope.cancel()

    async def _turns(self) -> Outcome:
        step = first_step(tuple(model.name for model in self._plan.models))
        while True:
            for note in step.notes:
                await self._note(note)
            if isinstance(step.action, Finish):
                return step.action.outcome
            step = next_step(step.state, await self._do(step.action))

    async def _note(self, note: Note) -> None:
        match note:
            case UserMessage() | AssistantMessage() | SummaryMessage():
                await self._voice.say(note)
                if isinstance(note, UserMessage) and note.text in self._delivering[:1]:
                    del self._delivering[0]
            case FellBack():
                place = [model.name for model in self._plan.models].index(note.model)
                self._model = self._plan.models[place]
                self._guard.follow(self._model)
                await self._voice.tell(note)
            case _:
                await self._voice.tell(note)

    async def _do(self, action: Poll | Ask | Wait | UseTools | Compress) -> Signal:
        match action:
            case Poll():
                return await self._poll(action)
            case Ask():
                return await self._ask(action)
            case Wait(seconds):
                await self._wait(seconds)
                return Waited()
            case UseTools(batch):
                return await use(batch, self._hands, self._guard, self._voice, self._pausing)
            case Compress():
                signal = await self._compressor.compress(
                    action, self._model, self._voice.transcript, self._request()
                )
                return self._with_chance(signal)
            case _:
                assert_never(action)

    async def _poll(self, poll: Poll) -> Polled:
        await self._pausing.passed()
        objection: str | None = None
        waits = self._steering or self._compact
        if poll.done and poll.refusable and not waits and self._before_stop is not None:
            objection = await self._before_stop()
        steered, compact = tuple(self._steering), self._compact
        self._compact = False
        self._delivering.extend(self._steering)
        self._steering.clear()
        if poll.done and not steered and not compact and objection is None:
            # From here to the end nothing is awaited: what comes now would reach nobody.
            self._closed = True
        window = facts_of(self._model).context_tokens
        tokens = tokens_taken(self._guard.spending, self._request()) if window else 0
        return Polled(steered, compact, objection, tokens, window)

    async def _ask(self, action: Ask) -> Signal:
        await self._pausing.passed()
        turn = await self._guard.begin(self._request(), again=action.again)
        if not isinstance(turn, Turn):
            return Over(turn)
        reply = await ask(self._model, turn, self._voice.tell)
        if isinstance(reply, Broken):
            error = reply.error
            failed = Failed(error.kind, error.message, error.retry_after, reply.begun)
            return self._with_chance(failed)
        await self._pay(turn, reply)
        calls = tuple(batches(reply.message.tool_calls, self._read_only))
        return Replied(reply.message, calls, reply.stop)

    async def _pay(self, turn: Turn, reply: Reply) -> None:
        usage, usd = self._guard.pay(turn, reply)
        self._text = reply.message.text or self._text
        await self._voice.tell(events.ModelReply(reply.message, usage, usd, reply.stop))
        await self._guard.warn(self._model, reply, usd)

    def _with_chance(self, signal: Signal) -> Signal:
        return replace(signal, chance=self._chance()) if isinstance(signal, Failed) else signal

    def _request(self) -> ModelRequest:
        """Return the request that is due, with no more output than there is room for."""
        plan, facts = self._plan, facts_of(self._model)
        request = ModelRequest(
            self._system,
            self._voice.context,
            plan.specs,
            min(plan.output_tokens_max, facts.output_tokens or plan.output_tokens_max),
            plan.effort,
        )
        if facts.context_tokens is None:
            return request
        room = facts.context_tokens - tokens_taken(self._guard.spending, request)
        most = min(request.max_output_tokens, max(room, _OUTPUT_TOKENS_MIN))
        return replace(request, max_output_tokens=most)

    def _started(self) -> events.RunStarted:
        plan = self._plan
        tools = tuple(tool.name for tool in plan.tools)
        return events.RunStarted(plan.run, plan.task, plan.model.name, tools, plan.grants)

    def _finished(self) -> events.RunFinished:
        return events.RunFinished(self._ended or Cancelled(), self._text, self._guard.meter.spent)
