"""Interruption: model and tools stop, nothing is left running, and the record says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import anyio
import pytest

from capbox.agent import events
from capbox.agent.outcome import Cancelled, Completed
from capbox.messages import AssistantMessage, ToolCall, ToolResult, Usage
from capbox.models.model import ModelEvent, ModelRequest, Reply, TextDelta
from capbox.models.script import ScriptedReply
from capbox.models.scripted import ScriptedModel


class Endless:
    """A model that says one word and then nothing, and knows whether it was closed."""

    name = "endless"
    closed = False

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Yield one delta."""
        try:
            yield TextDelta("well")
            await anyio.sleep_forever()
        finally:
            self.closed = True


async def test_a_run_cancelled_before_it_starts_makes_no_step(stage) -> None:
    run = stage.run()
    run.cancel()
    finished = await run.run(stage.emit)
    assert (finished.outcome, finished.spent.turns) == (Cancelled(), 0)
    assert stage.kinds() == ["run_started", "run_finished"]


async def test_cancel_in_the_middle_of_a_reply_closes_the_stream(stage) -> None:
    model = Endless()
    stage.plan = replace(stage.plan, model=model)
    run = stage.run()

    async def emit(event: events.Event) -> None:
        stage.told.append(event)
        if isinstance(event, events.TextDelta):
            run.cancel()

    finished = await run.run(emit)
    assert (finished.outcome, model.closed) == (Cancelled(), True)
    assert stage.kinds() == ["run_started", "text_delta", "run_finished"]


async def test_a_stream_left_in_the_middle_is_closed_at_once(stage) -> None:
    class Chatty:
        name = "chatty"
        closed = False

        def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
            self.kept = self._stream()  # or it would be closed by being forgotten
            return self.kept

        async def _stream(self) -> AsyncIterator[ModelEvent]:
            try:
                yield Reply(AssistantMessage("done"), Usage(), 0.0, "end")
                yield TextDelta("and another thing")
            finally:
                self.closed = True

    model = Chatty()
    finished = await stage.play(model)
    assert (finished.outcome, finished.text, model.closed) == (Completed(), "done", True)


async def test_cancel_stops_every_tool_that_runs(stage, calling) -> None:
    begun, ended = [], []
    run = None

    async def endless(call: ToolCall) -> ToolResult:
        begun.append(call.id)
        if len(begun) == 3:
            run.cancel()
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(call.id)

    reply = calling("read", "read", "read", "write")
    stage.plan = replace(stage.plan, model=ScriptedModel("scripted", (reply,)))
    run = stage.run(call_tool=endless)
    before = asyncio.all_tasks()
    finished = await run.run(stage.emit)
    assert finished.outcome == Cancelled()
    assert (len(begun), sorted(ended)) == (3, sorted(begun))
    assert asyncio.all_tasks() == before
    assert stage.kinds()[-4:] == ["tool_started", "tool_started", "tool_started", "run_finished"]


async def test_a_cancelled_caller_is_cancelled_and_the_last_event_is_told_all_the_same(
    stage,
) -> None:
    model = Endless()
    stage.plan = replace(stage.plan, model=model)
    run = stage.run()
    returned = []
    with anyio.CancelScope() as scope:

        async def emit(event: events.Event) -> None:
            await anyio.lowlevel.checkpoint()
            stage.told.append(event)
            if isinstance(event, events.TextDelta):
                scope.cancel()

        returned.append(await run.run(emit))
    assert (returned, scope.cancelled_caught, model.closed) == ([], True, True)
    assert stage.kinds() == ["run_started", "text_delta", "run_finished"]
    assert stage.told[-1].outcome == Cancelled()


async def test_an_exception_of_a_tool_is_a_bug_and_leaves_no_task(stage, calling) -> None:
    async def buggy(call: ToolCall) -> ToolResult:
        raise ZeroDivisionError

    before = asyncio.all_tasks()
    with pytest.raises(BaseExceptionGroup) as raised:
        await stage.play((calling("read", "read"),), call_tool=buggy)
    assert raised.group_contains(ZeroDivisionError, depth=None)
    assert asyncio.all_tasks() == before


async def test_the_first_reason_to_end_is_the_one_that_counts(stage) -> None:
    stage.plan = replace(stage.plan, model=ScriptedModel("scripted", (ScriptedReply(text="done"),)))
    run = stage.run()

    async def emit(event: events.Event) -> None:
        if isinstance(event, events.RunFinished):
            run.cancel()

    assert (await run.run(emit)).outcome == Completed()
