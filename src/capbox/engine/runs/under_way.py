"""A run of a session under way: its loop, its record and its end, tied together.

Guarantees: the run is stored and journaled as it happens; a record that fails ends it, and is
raised when its reader leaves; it ends with its reader, or with the session, whichever comes first.
Does not: mint or decide.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from anyio.abc import TaskGroup

from capbox.agent import events
from capbox.agent.limits.spending import Spending
from capbox.agent.limits.stopwatch import Stopwatch
from capbox.agent.loop import AskMore, Run
from capbox.agent.plan import RunPlan
from capbox.agent.stream import follow
from capbox.authority.limits import Limits
from capbox.engine.approvers.patient import Patient
from capbox.engine.companions.companion import Companion
from capbox.engine.local import OpenRun
from capbox.engine.record import Recorder, recording
from capbox.engine.results.stowing import stowing, taped
from capbox.engine.runs.runs import Runs, UnderWay
from capbox.engine.sessions.conversation import Conversation
from capbox.messages import Message, ToolCall, ToolResult


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What a run is to do, in which session, and at which gate."""

    plan: RunPlan
    talk: Conversation
    opened: OpenRun
    spending: Spending
    ask_more: AskMore | None
    gate: Callable[[OpenRun, ToolCall, Limits | None], Awaitable[ToolResult]]
    beside: Companion
    stopwatch: Stopwatch

    def begun(self, recorder: Callable[[], Recorder]) -> Run:
        """Return its loop, which keeps what is said by what `recorder` returns."""
        seat, talk = self.opened.seat, self.talk
        seat.approver = Patient(seat.approver, self.stopwatch)
        stow = stowing(seat.scratch)

        async def call_tool(call: ToolCall) -> ToolResult:
            taped(stow.drain(), seat.recording.tape)
            return await self.beside.call(call, seat, partial(self.gate, self.opened))

        async def keep(message: Message) -> None:
            await recorder().keep(message)
            if recorder().failure is not None:
                run.cancel()

        told = filter(None, (one.told for one in talk.left))
        run = Run(
            replace(
                self.plan,
                left=tuple((one.call, one.result) for one in talk.left),
                notes=(*talk.notes, *told),
            ),
            call_tool,
            stopwatch=self.stopwatch,
            ask_more=self.ask_more,
            spending=self.spending,
            keep=keep,
            stow=stow,
            before_stop=self.beside.before_stop,
        )
        return self.beside.begun(run)


@asynccontextmanager
async def following(
    work: Work, tasks: TaskGroup, runs: Runs
) -> AsyncIterator[AsyncIterator[events.Event]]:
    """Start the run in `tasks`, list it in `runs`, and yield its events until the reader leaves.

    Raises StoreError or JournalError when it cannot be recorded.
    """
    opened, plan = work.opened, work.plan
    found: list[Recorder] = []
    run = work.begun(lambda: found[0])
    under_way = UnderWay(opened.seat, run)
    opened.entry.end = run.revoke
    runs.open.append(under_way)
    try:
        recorder = await under_way.stack.enter_async_context(
            recording(
                opened,
                work.talk,
                task=plan.task,
                workspace=opened.seat.layout.workspace,
                model=plan.model.name,
            )
        )
        found.append(recorder)

        async def record(event: events.Event) -> None:
            await recorder.record(event)
            opened.entry.turns = recorder.turn
            if recorder.failure is not None:
                run.cancel()
            await work.beside.note(event)

        yield await under_way.stack.enter_async_context(follow(run, tasks, record))
    finally:
        await under_way.end()
        runs.ended(under_way)
    if recorder.failure is not None:
        raise recorder.failure
