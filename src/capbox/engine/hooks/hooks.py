"""The hooks of one run: who is asked before a step, and told after it.

Guarantees: all that match are asked, in order, and the first no counts; one that fails, is too slow
or cannot be understood is a no where it decides, and a warning where it does not; what each said is
in the journal before anything follows from it; no answer widens anything. What a hook's words are
made of labels the run that gets them. Does not: run the step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from capbox.authority.limits import Limits
from capbox.engine.hooks.asking import Answer, Asking
from capbox.engine.hooks.hook import DECIDING, EventName, Happening, Hook
from capbox.engine.hooks.verdict import Verdict, parse_verdict
from capbox.engine.instructions.known import has_read
from capbox.gate.approver import neutral
from capbox.gate.seat import Seat
from capbox.journal.errors import JournalError
from capbox.journal.event import Decided
from capbox.messages import JsonObject, ToolCall, ToolResult

_RESULT_CHARACTERS_MAX = 40_000
_SUBJECT_CHARACTERS_MAX = 200
_FAILURE_CHARACTERS_MAX = 300


class Hooks:
    """Of the run that sits at `seat`."""

    def __init__(self, hooks: Sequence[Hook], asking: Asking, seat: Seat) -> None:
        """Take the hooks in the order in which they are asked."""
        self._hooks, self._asking, self._seat = tuple(hooks), asking, seat

    def any(self, *events: EventName) -> bool:
        """Say whether there is a hook for one of these."""
        return any(hook.event in events for hook in self._hooks)

    async def before_tool(self, call: ToolCall, ours: Limits) -> Verdict:
        """Ask about a call that is about to be made; `ours` are the bounds of a call."""
        told: JsonObject = {"call": call.id, "arguments": call.arguments}
        return await self._ask(self._happening("PreToolUse", told, call), ours)

    async def after_tool(self, call: ToolCall, result: ToolResult) -> None:
        """Tell of a call that was made."""
        told: JsonObject = {
            "call": call.id,
            "arguments": call.arguments,
            "ok": result.ok,
            "content": result.content[:_RESULT_CHARACTERS_MAX],
            "error": None if result.error is None else result.error.code,
        }
        await self._ask(self._happening("PostToolUse", told, call), Limits())

    async def about(self, event: EventName, **told: str | int) -> Verdict:
        """Ask about, or tell of, anything else."""
        return await self._ask(self._happening(event, told), Limits())

    def _happening(
        self, event: EventName, told: JsonObject, call: ToolCall | None = None
    ) -> Happening:
        seat, named = self._seat, "" if call is None else call.name
        subject = "" if call is None else f" {call.name} ({call.id})"
        # What a hook of the program prints must not show what the run is not to show.
        clean = {key: seat.redactor.json(value) for key, value in told.items()}
        return Happening(event, seat.run, seat.layout.workspace, clean, named, subject)

    async def _ask(self, happening: Happening, ours: Limits) -> Verdict:
        found = Verdict()
        for hook in self._hooks:
            if not hook.about(happening):
                continue
            bounds = found.limits or ours
            said = await self._said(hook, happening, bounds)
            if not self._noted(hook, happening, said):
                return Verdict(deny="the journal cannot be written")
            if said.deny is not None:
                return replace(said, deny=f"refused by the operator's {hook.name}: {said.deny}")
            found = Verdict(
                limits=said.limits or found.limits,
                add="\n".join(filter(None, (found.add, said.add))),
                go_on=found.go_on or said.go_on,
            )
        return found

    async def _said(self, hook: Hook, happening: Happening, ours: Limits) -> Verdict:
        seat = self._seat
        answer = await self._asking.ask(hook, happening.to_json(), seat.context.now())
        reason = "" if isinstance(answer, Answer) else answer.reason
        if isinstance(answer, Answer):
            verdict = parse_verdict(hook.event, answer.text, ours)
            if isinstance(verdict, Verdict):
                if verdict != Verdict(limits=verdict.limits):
                    # Attack: a hook reads a stranger's file, and its words carry the file's.
                    has_read(seat, answer.sources)
                return verdict
            reason = verdict
        why = neutral(reason)[:_FAILURE_CHARACTERS_MAX]
        if hook.event in DECIDING:
            # What went wrong may be a stranger's text; the model needs to know only that it did.
            self._warn(f"{hook.name} failed, so the answer is no: {why}")
            return Verdict(deny="it gave no answer that can be used")
        self._warn(f"{hook.name} ({hook.event}) failed: {why}")
        return Verdict()

    def _warn(self, text: str) -> None:
        self._seat.warnings.append(text)

    def _noted(self, hook: Hook, happening: Happening, said: Verdict) -> bool:
        subject = f"{hook.event} {hook.name}{happening.subject}"[:_SUBJECT_CHARACTERS_MAX]
        try:
            self._seat.journal.append(Decided("hook", neutral(subject), str(said)))
        except JournalError:
            return False
        return True
