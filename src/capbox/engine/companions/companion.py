"""What goes beside one run: it stands between the loop and the gate, and hears every event.

Guarantees: a call that planning forbids never reaches the gate's tools, and its refusal is on
record, as is from when to when the run only plans; nothing here permits what the gate would not.
Does not: decide about authority.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from capbox.agent.events import Event, LimitAsked, RunFinished, Warned
from capbox.agent.outcome import sentence, word
from capbox.authority.limits import Limits
from capbox.engine.grounding import grounds_told
from capbox.gate.runner import Tool
from capbox.gate.seat import Seat
from capbox.journal.errors import JournalError
from capbox.journal.event import Decided
from capbox.messages import ToolCall, ToolFailure, ToolResult

if TYPE_CHECKING:
    from capbox.agent.loop import Run
    from capbox.agent.plan import OfferedTool
    from capbox.engine.hooks.asking import Asking
    from capbox.engine.hooks.hook import Hook
    from capbox.engine.hooks.hooks import Hooks
    from capbox.engine.local import OpenRun
    from capbox.engine.telemetry.file import LogFile
    from capbox.engine.telemetry.tracing import Traced
    from capbox.tools.loop.offer import LoopTools

AtGate = Callable[[ToolCall, Limits | None], Awaitable[ToolResult]]
_SHOWN_MAX = 64


class Companion:
    """Of one run. `tools` are those of its loop, by name; the program's own names come first.

    `seat` is where the run sits, once it was entered.
    """

    seat: Seat

    def __init__(
        self,
        functions: Mapping[str, Tool],
        shipped: Mapping[str, Tool],
        loop: LoopTools,
        plans: Callable[[bool], None],
    ) -> None:
        """Make the tools beside `functions` of the program and those that capbox brings.

        `plans` hears after each call whether the run only plans.
        """
        self._own, self._loop, self._plans = functions, loop, plans
        self._attended: tuple[Asking, tuple[Hook, ...]] | None = None
        self._hooks: Hooks | None = None
        self._refusal: str | None = None
        self.planned = False  # what the record of the session says until now
        self.log: LogFile | None = None
        self.traced: Traced | None = None
        self._sinks: list[Callable[[Event], None]] = []
        made = loop.tools().items()
        self.tools: dict[str, Tool] = {n: tool for n, tool in made if n not in functions}
        self._known: Mapping[str, Tool] = {**self.tools, **functions, **shipped}

    @property
    def own(self) -> Mapping[str, Tool]:
        """Return all tools that only this run has, or its program."""
        return {**self.tools, **self._own}

    def attend(self, asking: Asking | None, hooks: tuple[Hook, ...]) -> None:
        """Ask these hooks as the run goes on."""
        self._attended = None if asking is None else (asking, hooks)

    def functions(self, offered: Iterable[OfferedTool]) -> dict[str, Tool]:
        """Return the tools that the run has beside those of the engine; `offered` are all of it."""
        names = {tool.name for tool in offered}
        loop = {name: tool for name, tool in self.tools.items() if name in names}
        if self._loop.finding is not None:
            mine = (tool for tool in offered if tool.name in self._own)
            self._loop.finding.hidden = {tool.name: tool.description for tool in mine}
        return {**loop, **self._hooked()}

    def _hooked(self) -> Mapping[str, Tool]:
        """Return the program's functions, behind which hooks are asked whoever calls them."""
        if self._attended is None:
            return self._own
        from capbox.engine.hooks.runner import HookedRunner

        runners = {
            id(tool.runner): HookedRunner(tool.runner, lambda: self._hooks)
            for tool in self._own.values()
        }
        return {
            name: replace(tool, runner=runners[id(tool.runner)]) for name, tool in self._own.items()
        }

    def shown(self, offered: Iterable[OfferedTool]) -> tuple[str, ...]:
        """Return the names of those tools that the model is told of in its next turn."""
        names = tuple(tool.name for tool in offered)
        # Without the tool that finds them, none may be hidden.
        if self._loop.finding is None or "tool_search" not in names:
            return names
        return self._loop.finding.shown(names)

    async def enter(self, opened: OpenRun, task: str) -> str:
        """Ask about a run that was opened for `task`; return the task as the model gets it.

        Whatever cuts this short closes the run.
        """
        self.seat = opened.seat
        if self.log is not None:
            from capbox.engine.telemetry.log import RunLog

            self._sinks.append(RunLog(self.log, opened.seat, time.time).tell)
        if self.traced is not None:
            from capbox.engine.telemetry.spans import Spans

            self._sinks.append(Spans(self.traced, opened.seat, time.time_ns).tell)
        entered = False
        try:
            self._put_on_record(opened.seat, plans=self._loop.planning.on)
            told = await self._attending(opened.seat, task)
            entered = True
        finally:
            if not entered:
                opened.close("interrupted")
        return told

    def _put_on_record(self, seat: Seat, *, plans: bool) -> None:
        """Have it on record whether the run only plans. Raises JournalError."""
        if plans != self.planned:
            seat.journal.append(Decided("plan", "the run", "entered" if plans else "left"))
            self.planned = plans
        self._plans(plans)

    async def _attending(self, seat: Seat, task: str) -> str:
        if self._attended is None:
            return task
        from capbox.engine.hooks.hooks import Hooks
        from capbox.engine.hooks.notifying import Notifying

        asking, hooks = self._attended
        self._hooks = attended = Hooks(hooks, asking, seat)
        told = await self._entered(attended, task)
        if attended.any("Notification"):
            seat.approver = Notifying(seat.approver, attended)
        return told

    async def _entered(self, hooks: Hooks, task: str) -> str:
        for event in ("RunStart", "UserPromptSubmit"):
            verdict = await hooks.about(event, task=task)
            if verdict.deny is not None:
                self._refusal = verdict.deny
                return task
        added = f"\n\n[added by the operator, not by the person]\n{verdict.add}"
        return task + added if verdict.add else task

    def begun(self, run: Run) -> Run:
        """Return the run; one that a hook refused ends before its first turn."""
        if self._refusal is not None:
            run.refuse(self._refusal)
        return run

    async def before_stop(self) -> str | None:
        """Return why the run must not end yet, if a hook says so."""
        if self._hooks is None:
            return None
        verdict = await self._hooks.about("Stop")
        return f"[the operator says, not the person] {verdict.go_on}" if verdict.go_on else None

    async def note(self, event: Event) -> None:
        """Tell whoever is to know of an event of the run."""
        for sink in self._sinks:
            sink(event)
        if self._hooks is None:
            return
        match event:
            case Warned(message):
                await self._hooks.about("Notification", message=message)
            case LimitAsked(limit):
                await self._hooks.about("Notification", message=sentence(limit))
            case RunFinished(outcome, text):
                told = {"outcome": word(outcome), "text": text}
                await self._hooks.about("RunEnd", **told)
            case _:
                pass

    async def call(self, call: ToolCall, seat: Seat, at_gate: AtGate) -> ToolResult:
        """Make a call of the loop, unless the run only plans, or a hook says no."""
        tool = self._known.get(call.name)
        why = None if tool is None else self._loop.planning.refusal(tool.manifest)
        if why is not None:
            return refused(call, seat, ToolFailure("planning", why))
        if call.name == "plan" and call.name in self.tools:
            at_gate = self._on_record(at_gate)
        # Those of the program's functions are asked where the function is called.
        hooks = None if call.name in self._own else self._hooks
        if hooks is None or tool is None:
            return self._noted(call, seat, await at_gate(call, None))
        verdict = await hooks.before_tool(call, seat.authority.limits)
        if verdict.deny is not None:
            return refused(call, seat, ToolFailure("hook", verdict.deny))
        result = self._noted(call, seat, await at_gate(call, verdict.limits))
        await hooks.after_tool(call, result)
        return result

    def _on_record(self, at_gate: AtGate) -> AtGate:
        """Return how `plan` is called, so that what it changes is on record."""

        async def called(call: ToolCall, limits: Limits | None) -> ToolResult:
            planning = self._loop.planning
            try:
                # Before it is so: a process that ends in between leaves a session that plans.
                if call.arguments.get("action") == "enter":
                    self._put_on_record(self.seat, plans=True)
                result = await at_gate(call, limits)
                self._put_on_record(self.seat, plans=planning.on)
            except JournalError as error:
                planning.on = True
                why = f"the journal cannot be written: {error}"
                failure = ToolFailure("sandbox_failed", why)
                return ToolResult(ok=False, content="", error=failure, journal=self.seat.run)
            return result

        return called

    def _noted(self, call: ToolCall, seat: Seat, result: ToolResult) -> ToolResult:
        if call.name == "ask_user" and call.name in self.tools:
            seat.grounds |= grounds_told(result.data)
        self._plans(self._loop.planning.on)
        return result


def refused(call: ToolCall, seat: Seat, failure: ToolFailure, reason: str = "") -> ToolResult:
    """Return the result of a call that does not reach the gate, once that is on record."""
    # Not under the call's own name: a replay takes what is there for a decision of the gate.
    subject = f"tool {call.name[:_SHOWN_MAX]} ({call.id[:_SHOWN_MAX]})"
    try:
        seat.journal.append(Decided("denial", subject, reason or failure.code))
    except JournalError as error:
        failure = ToolFailure("sandbox_failed", f"the journal cannot be written: {error}")
    return ToolResult(ok=False, content="", error=failure, journal=seat.run)
