"""A run that goes on from what was said before: first the calls left open, then its task.

Guarantees: `RunStarted` is still the first event and `RunFinished` the last; each open call gets
its result before the task is said, in order, and joins the transcript as any other (`keep`); a run
that is interrupted meanwhile ends as such. Does not: know how a call stands; it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from anyio import CancelScope, get_cancelled_exc_class, move_on_after

from capbox.agent import events
from capbox.agent.calls import not_json
from capbox.agent.context import tool_message
from capbox.agent.loop import FAREWELL_SECONDS, Emit, Keep, Run
from capbox.agent.outcome import Cancelled, Revoked
from capbox.agent.plan import CallTool, RunPlan
from capbox.messages import Message, ToolCall, ToolResult

OpenCall = tuple[ToolCall, ToolResult | None]
"""A call without a result in the history; None: it is to be made now."""


class Continued:
    """Made once, run once, like the `Run` that it begins; `make` makes that from its plan."""

    def __init__(
        self,
        plan: RunPlan,
        make: Callable[[RunPlan], Run],
        call_tool: CallTool,
        *,
        keep: Keep,
        left: Sequence[OpenCall] = (),
        notes: Sequence[str] = (),
    ) -> None:
        """Prepare; `left` are the open calls of the plan's history, `notes` what is told first."""
        self._plan = plan
        self._make = make
        self._call_tool = call_tool
        self._keep = keep
        self._left = tuple(left)
        self._notes = tuple(notes)
        self._scope: CancelScope | None = None
        self._ended: Cancelled | Revoked | None = None
        self._run: Run | None = None
        self._said: list[str] = []
        self._waiting: list[Callable[[Run], None]] = []

    def cancel(self) -> None:
        """Interrupt: it finishes as `Cancelled`."""
        self._end(Cancelled())

    def revoke(self) -> None:
        """End it because what it held was taken back: it finishes as `Revoked`."""
        self._end(Revoked())

    def steer(self, text: str) -> bool:
        """Give the model a message of the person, after what was left open.

        False: the run is over, so nothing will read it.
        """
        if self._run is not None:
            return self._run.steer(text)
        if self._ended is None:
            self._said.append(text)
        return self._ended is None

    @property
    def undelivered(self) -> tuple[str, ...]:
        """Return what a person said that the model was not given (yet)."""
        return tuple(self._said) if self._run is None else self._run.undelivered

    def pause(self) -> None:
        """Begin no further turn or call, once what was left open is done."""
        self._later(Run.pause)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._later(Run.resume)

    def compact(self) -> None:
        """Sum up the conversation before the next turn, or before the end."""
        self._later(Run.compact)

    def _later(self, do: Callable[[Run], None]) -> None:
        if self._run is None:
            self._waiting.append(do)
        else:
            do(self._run)

    async def run(self, emit: Emit) -> events.RunFinished:
        """Work until the run ends, and return its last event."""

        async def told(event: events.Event) -> None:
            if not isinstance(event, events.RunStarted):
                await emit(event)

        plan = self._plan
        try:
            settled = await self._settle_all(emit)
        except get_cancelled_exc_class():
            # As in the loop: the record must still say how it ended.
            with move_on_after(FAREWELL_SECONDS, shield=True):
                await emit(events.RunFinished(Cancelled(), "", events.RunSpent()))
            raise
        if self._ended is not None:
            finished = events.RunFinished(self._ended, "", events.RunSpent())
            await emit(finished)
            return finished
        self._run = run = self._make(replace(plan, history=(*plan.history, *settled)))
        for text in self._said:
            run.steer(text)
        for do in self._waiting:
            do(run)
        return await run.run(told)

    async def _settle_all(self, emit: Emit) -> list[Message]:
        plan = self._plan
        tools = tuple(tool.name for tool in plan.tools)
        await emit(events.RunStarted(plan.run, plan.task, plan.model.name, tools, plan.grants))
        for note in self._notes:
            await emit(events.Warned(note))
        settled: list[Message] = []
        with CancelScope() as self._scope:
            for call, result in self._left if self._ended is None else ():
                settled.append(await self._settle(call, result, emit))
        return settled

    def _end(self, outcome: Cancelled | Revoked) -> None:
        if self._run is None:
            self._ended = self._ended or outcome
            if self._scope is not None:
                self._scope.cancel()
        elif isinstance(outcome, Revoked):
            self._run.revoke()
        else:
            self._run.cancel()

    async def _settle(self, call: ToolCall, result: ToolResult | None, emit: Emit) -> Message:
        if result is None:
            await emit(events.ToolStarted(call))
            # As in the loop: arguments that are not JSON are never guessed.
            malformed = call.malformed
            result = await self._call_tool(call) if malformed is None else not_json(malformed)
            await emit(events.ToolFinished(call, result))
        most = self._plan.result_characters_max
        message = tool_message(call, result, self._plan.grants, characters_max=most)
        await self._keep(message)
        return message
