"""The loop: one task to its end, whatever the model replies."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

from capbox.agent import events
from capbox.agent.outcome import (
    Completed,
    ModelFailed,
    SandboxFailed,
    StoppedByPerson,
)
from capbox.messages import (
    AssistantMessage,
    Denial,
    ToolCall,
    ToolFailure,
    ToolMessage,
    ToolResult,
    Usage,
    UserMessage,
)
from capbox.models.model import (
    ModelError,
    ModelEvent,
    ModelRequest,
    Reply,
    Stop,
    TextDelta,
    ThinkingDelta,
)
from capbox.models.script import ScriptedCall, ScriptedReply

DONE = ScriptedReply(text="done")


def _reply(text: str, *calls: ToolCall, stop: Stop = "end", usd: float | None = 0.0) -> Reply:
    return Reply(AssistantMessage(text, calls), Usage(1, 1), usd, stop)


async def test_a_reply_without_calls_ends_the_run(stage) -> None:
    finished = await stage.play((DONE,))
    assert (finished.outcome, finished.text) == (Completed(), "done")
    assert stage.kinds() == ["run_started", "text_delta", "model_reply", "run_finished"]
    assert stage.told[-1] is finished


async def test_results_go_back_to_the_model_in_the_order_of_the_calls(stage, told) -> None:
    calls = tuple(ToolCall(f"c{n}", "read", {"n": n}) for n in range(3))
    model = told([[_reply("", *calls, stop="tool_calls")], [_reply("done")]])
    await stage.play(model)
    assert model.last_messages() == (
        UserMessage("do it"),
        AssistantMessage("", calls),
        *(ToolMessage(f"c{n}", "read", f"read {{'n': {n}}}", is_error=False) for n in range(3)),
    )
    assert [request.tools for request in model.requests] == [
        tuple(tool.spec for tool in stage.plan.tools)
    ] * 2


async def test_a_thousand_deltas_arrive_one_by_one_before_the_reply(stage, told) -> None:
    deltas = [TextDelta(str(number)) for number in range(1_000)]
    whole = "".join(delta.text for delta in deltas)
    finished = await stage.play(told([[ThinkingDelta("hm"), *deltas, _reply(whole)]]))
    texts = [event.text for event in stage.told if isinstance(event, events.TextDelta)]
    assert texts == [delta.text for delta in deltas]
    assert stage.kinds()[:2] == ["run_started", "thinking_delta"]
    assert stage.kinds()[-2:] == ["model_reply", "run_finished"]
    assert finished.text == whole


async def test_a_delta_is_told_while_the_rest_is_still_to_come(stage) -> None:
    seen = anyio.Event()

    class Waiting:
        name = "waiting"

        async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
            yield TextDelta("first")
            await seen.wait()
            yield _reply("first")

    async def emit(event: events.Event) -> None:
        if isinstance(event, events.TextDelta):
            seen.set()

    stage.emit = emit
    assert (await stage.play(Waiting())).outcome == Completed()


@pytest.mark.parametrize(
    "turn",
    [
        [ModelError("authentication", "no key")],
        [TextDelta("almost"), ModelError("quota", "nothing left")],
    ],
)
async def test_a_model_error_never_ends_as_a_success(stage, told, turn) -> None:
    model = told([turn])
    finished = await stage.play(model)
    error = turn[-1]
    assert finished.outcome == ModelFailed(error.kind, error.message)
    assert (finished.text, model.open) == ("", 0)


async def test_a_stream_that_ends_without_a_reply_is_a_cut_one(stage, told) -> None:
    finished = await stage.play(told([[TextDelta("almost")]] * 6))
    said = "the stream ended without a whole reply (sent again 5 times)"
    assert finished.outcome == ModelFailed("cut", said)


async def test_a_script_without_a_further_reply_is_a_model_error(stage, calling) -> None:
    finished = await stage.play((calling("read"),))
    assert isinstance(finished.outcome, ModelFailed)
    assert finished.outcome.kind == "script"


async def test_a_filtered_reply_is_not_an_answer(stage, told) -> None:
    finished = await stage.play(told([[_reply("I can", stop="refused")]]))
    assert isinstance(finished.outcome, ModelFailed)
    assert finished.outcome.kind == "refused"


@pytest.mark.parametrize(
    ("unusable", "problem"),
    [(_reply(""), "empty"), (_reply("half", stop="length"), "length")],
)
async def test_an_unusable_reply_is_asked_for_again_three_times_and_no_more(
    stage, told, unusable, problem
) -> None:
    helped = told([[unusable], [unusable], [unusable], [_reply("done")]])
    assert (await stage.play(helped)).outcome == Completed()
    assert stage.kinds().count("recovering") == 3
    assert isinstance(helped.last_messages()[-1], UserMessage)
    hopeless = told([[unusable]] * 5)
    finished = await stage.play(hopeless)
    assert finished.outcome == ModelFailed(problem, "3 requests to go on did not help")
    assert len(hopeless.requests) == 4


async def test_a_useful_reply_makes_room_for_further_recoveries(stage, told) -> None:
    empty, call = [_reply("")], [_reply("", ToolCall("c1", "read", {}))]
    finished = await stage.play(told([empty, empty, empty, call, empty, empty, [_reply("done")]]))
    assert finished.outcome == Completed()


async def test_arguments_that_are_not_json_go_back_as_an_error_and_never_run(stage) -> None:
    broken = ScriptedReply(
        tool_calls=(ScriptedCall("write", '{"path": "a'), ScriptedCall("read", "[1]"))
    )
    finished = await stage.play((broken, DONE))
    results = [event.result for event in stage.told if isinstance(event, events.ToolFinished)]
    assert stage.gate.calls == []
    assert [(result.ok, result.error and result.error.code) for result in results] == [
        (False, "invalid_arguments")
    ] * 2
    assert '{"path": "a' in results[0].error.message
    assert (finished.outcome, finished.spent.tool_calls) == (Completed(), 2)


async def test_a_tool_that_does_not_exist_is_the_gates_to_refuse(stage, told) -> None:
    async def refuse(call: ToolCall) -> ToolResult:
        return ToolResult(False, "", error=ToolFailure("unknown_tool", f"no tool {call.name}"))

    model = told([[_reply("", ToolCall("c1", "rm -rf", {}), stop="tool_calls")], [_reply("done")]])
    finished = await stage.play(model, call_tool=refuse)
    assert finished.outcome == Completed()
    assert model.last_messages()[-1] == ToolMessage(
        "c1", "rm -rf", "error (unknown_tool): no tool rm -rf", is_error=True
    )


async def test_a_refusal_goes_back_with_what_is_held_and_the_run_goes_on(stage, told) -> None:
    denial = Denial("read /etc/passwd", "no grant covers it", "read:/etc/passwd", "--read /etc")

    async def refuse(call: ToolCall) -> ToolResult:
        return ToolResult(
            False, "", error=ToolFailure("denied", "read /etc/passwd"), denied=(denial,)
        )

    model = told([[_reply("", ToolCall("c1", "read", {}))], [_reply("I may not read it.")]])
    finished = await stage.play(model, call_tool=refuse)
    message = model.last_messages()[-1]
    assert isinstance(message, ToolMessage)
    assert message.is_error
    assert "read /etc/passwd: no grant covers it" in message.content
    assert "You hold: read:/workspace." in message.content
    assert "--read" not in message.content
    assert finished.outcome == Completed()


async def test_a_person_who_says_no_and_stop_stops_the_run(stage, calling) -> None:
    async def stopped(call: ToolCall) -> ToolResult:
        stage.gate.calls.append(call)
        return ToolResult(False, "", error=ToolFailure("stopped_by_person", "no, and stop"))

    finished = await stage.play((calling("write", "write"), DONE), call_tool=stopped)
    assert finished.outcome == StoppedByPerson()
    assert len(stage.gate.calls) == 1


async def test_a_sandbox_that_fails_again_and_again_ends_the_run(stage, calling) -> None:
    async def broken(call: ToolCall) -> ToolResult:
        return ToolResult(False, "", error=ToolFailure("sandbox_failed", "the worker died"))

    script = (calling("write"), calling("write"), calling("write"), DONE)
    finished = await stage.play(script, call_tool=broken)
    assert isinstance(finished.outcome, SandboxFailed)
    stage.told.clear()
    assert (await stage.play((*script[1:],), call_tool=broken)).outcome == Completed()


async def test_what_it_used_is_added_up_and_one_unknown_price_makes_the_sum_unknown(
    stage, told
) -> None:
    call = ToolCall("c1", "read", {})
    known = told([[_reply("", call, usd=0.5)], [_reply("done", usd=0.25)]])
    spent = (await stage.play(known)).spent
    assert (spent.turns, spent.tool_calls, spent.usage, spent.usd) == (2, 1, Usage(2, 2), 0.75)
    unknown = told([[_reply("", call, usd=0.5)], [_reply("done", usd=None)]])
    assert (await stage.play(unknown)).spent.usd is None
    assert "no price is known for told" in str(stage.told[-2])
