"""A person beside a run: says something, holds it, lets it go on; and a program that wants more."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from capbox.agent import events
from capbox.agent.incidents import Paused, Resumed, Steered, StopRefused
from capbox.agent.outcome import Cancelled, Completed, Refused, TurnLimit
from capbox.authority.budget import Budget
from capbox.messages import AssistantMessage, ToolCall, ToolResult, Usage, UserMessage
from capbox.models.model import ModelError, Reply
from capbox.models.script import ScriptedReply
from capbox.models.scripted import ScriptedModel

DONE = ScriptedReply(text="done")


def reply(text: str, *calls: ToolCall) -> Reply:
    return Reply(AssistantMessage(text, calls), Usage(1, 1), 0.0, "end")


async def test_what_a_person_says_comes_after_the_results_and_before_the_next_turn(
    stage, told
) -> None:
    model = told([[reply("", ToolCall("c1", "read", {}))], [reply("done")]])
    stage.plan = replace(stage.plan, model=model)
    run = None

    async def call_tool(call: ToolCall) -> ToolResult:
        assert run.steer("in French") and run.steer("and short")
        return ToolResult(True, "text")

    run = stage.run(call_tool=call_tool)
    assert (await run.run(stage.emit)).outcome == Completed()
    assert [type(m).__name__ for m in model.last_messages()] == [
        *("UserMessage", "AssistantMessage", "ToolMessage", "UserMessage", "UserMessage")
    ]
    assert model.last_messages()[-2:] == (UserMessage("in French"), UserMessage("and short"))
    assert stage.of(Steered) == [Steered("in French"), Steered("and short")]
    assert run.undelivered == ()


async def test_a_run_that_would_be_done_goes_on_with_what_a_person_says(stage) -> None:
    stage.plan = replace(stage.plan, model=ScriptedModel("s", (DONE, ScriptedReply(text="oui"))))
    run = stage.run()

    async def emit(event: events.Event) -> None:
        await stage.emit(event)
        if isinstance(event, events.ModelReply) and event.message.text == "done":
            assert run.steer("in French")

    finished = await run.run(emit)
    assert (finished.outcome, finished.text) == (Completed(), "oui")


async def test_what_comes_too_late_is_refused_and_what_was_not_read_is_handed_back(stage) -> None:
    stage.plan = replace(stage.plan, model=ScriptedModel("s", (DONE,)), budget=Budget(turns=1))
    run = stage.run()
    answers = []

    async def emit(event: events.Event) -> None:
        await stage.emit(event)
        if isinstance(event, events.ModelReply):
            answers.append(run.steer("in French"))
        if isinstance(event, events.RunFinished):
            answers.append(run.steer("too late"))

    finished = await run.run(emit)
    assert finished.outcome == TurnLimit(1)
    assert answers == [True, False]
    # It had joined the transcript; there was no turn left to read it.
    assert (run.transcript[-1], run.undelivered) == (UserMessage("in French"), ())
    interrupted = stage.run()
    interrupted.steer("first this")
    interrupted.cancel()
    assert (await interrupted.run(stage.emit)).outcome == Cancelled()
    assert interrupted.undelivered == ("first this",)


async def test_a_held_run_starts_nothing_and_its_clock_stands_still(stage, calling) -> None:
    stage.plan = replace(stage.plan, model=ScriptedModel("s", (calling("read"), DONE)))
    run = stage.run()

    async def emit(event: events.Event) -> None:
        await stage.emit(event)
        match event:
            case events.ModelReply(message) if message.tool_calls:
                run.pause()
                run.pause()
            case Paused():
                stage.clock.seconds += 3_600
                assert stage.gate.calls == []
                run.resume()
            case _:
                pass

    finished = await run.run(emit)
    assert (finished.outcome, finished.spent.wall_ms) == (Completed(), 0)
    assert (len(stage.of(Paused)), len(stage.of(Resumed))) == (1, 1)
    kinds = stage.kinds()
    assert kinds.index("paused") < kinds.index("resumed") < kinds.index("tool_started")


async def test_a_held_run_is_interrupted_like_any_other(stage) -> None:
    stage.plan = replace(stage.plan, model=ScriptedModel("s", (DONE,)))
    run = stage.run()
    run.pause()

    async def emit(event: events.Event) -> None:
        await stage.emit(event)
        if isinstance(event, Paused):
            run.cancel()

    assert (await run.run(emit)).outcome == Cancelled()
    assert stage.kinds() == ["run_started", "paused", "run_finished"]


async def test_a_person_may_hold_a_run_again_and_again(stage, calling) -> None:
    script = (calling("read"), calling("read"), DONE)
    stage.plan = replace(stage.plan, model=ScriptedModel("s", script))
    run = stage.run()

    async def emit(event: events.Event) -> None:
        await stage.emit(event)
        if isinstance(event, events.ModelReply):
            run.pause()
        elif isinstance(event, Paused):
            run.resume()

    assert (await run.run(emit)).outcome == Completed()
    assert (len(stage.of(Paused)), len(stage.of(Resumed))) == (3, 3)


async def test_a_program_may_refuse_a_run_before_its_first_turn(stage, told) -> None:
    model = told([])
    stage.plan = replace(stage.plan, model=model)
    run = stage.run()
    run.refuse("not on a Sunday")
    assert (await run.run(stage.emit)).outcome == Refused("the run", "not on a Sunday", None)
    assert model.requests == []


@pytest.mark.parametrize(("refusals", "turns"), [(0, 1), (2, 3), (9, 4)])
async def test_a_program_may_send_a_run_on_three_times(stage, refusals, turns) -> None:
    asked = []

    async def before_stop() -> str | None:
        asked.append(1)
        return "the tests fail" if len(asked) <= refusals else None

    finished = await stage.play((DONE,) * 9, before_stop=before_stop)
    assert (finished.outcome, finished.spent.turns) == (Completed(), turns)
    assert stage.of(StopRefused) == [StopRefused("the tests fail")] * (turns - 1)


async def test_cancel_ends_a_wait_for_another_try(stage, told) -> None:
    stage.plan = replace(stage.plan, model=told([[ModelError("overloaded", "busy")]]))

    async def wait(seconds: float) -> None:
        run.cancel()
        await anyio.sleep_forever()

    run = stage.run(wait=wait)
    with anyio.fail_after(1):
        assert (await run.run(stage.emit)).outcome == Cancelled()
    assert stage.kinds() == ["run_started", "retrying", "run_finished"]
