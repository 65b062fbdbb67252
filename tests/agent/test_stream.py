"""Following a run: events as an iterator, recorded first, and nothing left when one leaves."""

from __future__ import annotations

from dataclasses import replace

import anyio

from capbox.agent import events
from capbox.agent.outcome import Cancelled, Completed
from capbox.agent.stream import follow
from capbox.messages import ToolCall, ToolResult
from capbox.models.script import ScriptedReply
from capbox.models.scripted import ScriptedModel
from capbox.store.runs import StoredRun, open_runs


def _prepare(stage, *replies: ScriptedReply, call_tool=None):
    stage.plan = replace(stage.plan, model=ScriptedModel("scripted", replies))
    return stage.run(call_tool=call_tool)


async def test_the_reader_sees_every_event_and_each_is_recorded_before(stage, calling) -> None:
    run = _prepare(stage, calling("read"), ScriptedReply(text="done"))
    seen = []
    async with anyio.create_task_group() as tasks, follow(run, tasks, stage.emit) as stream:
        async for event in stream:
            assert event in stage.told
            seen.append(event)
    assert seen == stage.told
    assert seen[-1].outcome == Completed()


async def test_a_reader_that_leaves_stops_the_run_and_the_record_is_whole(stage, calling) -> None:
    running = []

    async def endless(call: ToolCall) -> ToolResult:
        running.append(call)
        try:
            await anyio.sleep_forever()
        finally:
            running.remove(call)

    run = _prepare(stage, calling("write"), call_tool=endless)
    async with anyio.create_task_group() as tasks:
        async with follow(run, tasks, stage.emit) as stream:
            async for event in stream:
                if isinstance(event, events.ToolStarted):
                    break
        assert running == []
        assert stage.kinds()[-1] == "run_finished"
        assert stage.told[-1].outcome == Cancelled()


async def test_a_reader_that_stops_reading_does_not_hold_up_its_leaving(stage, calling) -> None:
    many = calling(*["read"] * 100)
    run = _prepare(stage, many, many, ScriptedReply(text="done"))
    async with anyio.create_task_group() as tasks:
        async with follow(run, tasks, stage.emit) as stream:
            first = await anext(stream)
        assert isinstance(first, events.RunStarted)
        assert stage.told[-1].outcome == Cancelled()


async def test_a_cancelled_host_ends_its_runs_with_a_whole_record(stage, calling) -> None:
    async def endless(call: ToolCall) -> ToolResult:
        await anyio.sleep_forever()

    run = _prepare(stage, calling("write"), call_tool=endless)
    async with anyio.create_task_group() as tasks, follow(run, tasks, stage.emit) as stream:
        async for event in stream:
            if isinstance(event, events.ToolStarted):
                tasks.cancel_scope.cancel()
    assert stage.told[-1].outcome == Cancelled()


async def test_a_run_cancelled_from_outside_is_in_the_store_to_its_last_event(
    stage, calling, tmp_path
) -> None:
    async def endless(call: ToolCall) -> ToolResult:
        await anyio.sleep_forever()

    run = _prepare(stage, calling("write"), call_tool=endless)
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(StoredRun("r1", 0.0, "do it", "/w", "scripted"))

        async def record(event: events.Event) -> None:
            await store.append("r1", event.to_json(), at=0.0)

        async with anyio.create_task_group() as tasks, follow(run, tasks, record) as stream:
            async for event in stream:
                if isinstance(event, events.ToolStarted):
                    tasks.cancel_scope.cancel()
        stored = [stored.event["type"] for stored in await store.events("r1")]
    assert stored == ["run_started", "model_reply", "tool_started", "run_finished"]
