"""A conversation that nears the window of its model: summed up in time, or an honest end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capbox.agent.compression.wording import SYSTEM
from capbox.agent.incidents import Compressed, CompressionFailed, Recovering
from capbox.agent.limits.spending import Spending
from capbox.agent.outcome import Completed, ModelFailed, TokenLimit
from capbox.authority.budget import Budget
from capbox.gate.budget.purse import Account, Purse
from capbox.messages import (
    AssistantMessage,
    SummaryMessage,
    ToolCall,
    ToolMessage,
    ToolResult,
    Usage,
    UserMessage,
)
from capbox.models.facts import Facts
from capbox.models.model import ModelError, Reply

TOO_LONG = ModelError("context_length", "too many tokens")
DONE = Reply(AssistantMessage("done"), Usage(50, 1), 0.0, "end")


def reading(number: int, taken: int) -> Reply:
    """A reply with a call; so far the conversation has that many tokens."""
    message = AssistantMessage(f"step {number}", (ToolCall(f"c{number}", "read", {}),))
    return Reply(message, Usage(taken, 0), 0.0, "tool_calls")


def summary(text: str = "## Goal\nTidy up.", stop="end") -> Reply:
    return Reply(AssistantMessage(text), Usage(70, 7), 0.5, stop)


async def long_result(call: ToolCall) -> ToolResult:
    return ToolResult(True, "x" * 3_000, sources=(f"web:https://{call.id}.example",))


@pytest.mark.parametrize(("window", "summed_up"), [(10_000, True), (12_000, False), (None, False)])
async def test_a_conversation_is_summed_up_at_nine_tenths_of_a_window_that_is_known(
    stage, told, window, summed_up
) -> None:
    # 8,000 tokens are known, and a result of 3,000 bytes came since: 9,021.
    turns = [[reading(1, 100)], [reading(2, 8_000)], [summary()], [DONE]]
    model = told(turns if summed_up else [turns[0], turns[1], turns[3]])
    model.facts = Facts(context_tokens=window)
    finished = await stage.play(model, call_tool=long_result)
    assert finished.outcome == Completed()
    assert len(stage.of(Compressed)) == summed_up
    assert (model.requests[2].system == SYSTEM) is summed_up


async def test_a_summary_stands_for_what_came_before_and_nothing_is_lost(stage, told) -> None:
    model = told([[reading(n, 100)] for n in range(4)] + [[reading(4, 9_500)], [summary()], [DONE]])
    model.facts = Facts(context_tokens=10_000)
    stage.plan = replace(stage.plan, model=model, history=(UserMessage("before"),))
    kept = []

    async def keep(message) -> None:
        kept.append(message)

    run = stage.run(call_tool=long_result, keep=keep)
    finished = await run.run(stage.emit)
    assert (finished.outcome, finished.spent.usd) == (Completed(), 0.5)
    asked, last = model.requests[-2:]
    assert (asked.tools, asked.replies_so_far) == ((), 0)
    first, *recent = last.messages
    assert isinstance(first, SummaryMessage)
    # What was read stays labelled, in the summary or where it is kept word for word.
    assert first.sources == tuple(f"web:https://c{n}.example" for n in range(4))
    assert [type(message) for message in recent] == [AssistantMessage, ToolMessage]
    assert '- "before"\n- "do it"' in first.text
    assert run.transcript == (UserMessage("before"), *kept)
    assert sum(isinstance(message, ToolMessage) for message in kept) == 5
    told_of = stage.of(Compressed)[0]
    assert told_of.message == first
    assert told_of.after_tokens < told_of.before_tokens / 2
    assert (told_of.usage, told_of.usd) == (Usage(70, 7), 0.5)
    # It is a turn like any other: six replies and a summary.
    assert (finished.spent.turns, finished.spent.usage.output_tokens) == (7, 8)


async def test_a_request_that_does_not_fit_is_summed_up_and_asked_again(stage, told) -> None:
    model = told([[reading(1, 100)], [reading(2, 100)], [TOO_LONG], [summary()], [DONE]])
    finished = await stage.play(model, call_tool=long_result)
    assert finished.outcome == Completed()
    assert stage.of(Recovering) == [Recovering("overflow", 1)]
    assert isinstance(model.last_messages()[0], SummaryMessage)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (summary(""), "the summary was empty"),
        (summary("half", "length"), "the summary was cut at its length limit"),
        (summary("I can", "refused"), "the provider's filter ended the summary"),
        (summary("x" * 20_000), "with the summary a request is hardly smaller"),
        (ModelError("quota", "no credit"), "no credit"),
    ],
)
async def test_after_three_failures_there_is_no_further_try_and_an_honest_end(
    stage, told, reply, reason
) -> None:
    begin = [[reading(n, 9_500 if n else 100)] for n in range(4)]
    turns = [begin[0], begin[1], [reply], begin[2], [reply], begin[3], [reply], [TOO_LONG]]
    model = told(turns)
    model.facts = Facts(context_tokens=10_000)
    finished = await stage.play(model, call_tool=long_result)
    assert finished.outcome == ModelFailed("context_length", "too many tokens")
    failed = stage.of(CompressionFailed)
    assert [event.given_up for event in failed] == [False, False, True]
    assert all(event.reason.startswith(reason) for event in failed)
    assert not any(isinstance(message, SummaryMessage) for message in model.last_messages())


async def test_a_summary_that_is_cut_off_is_asked_for_again_like_any_request(stage, told) -> None:
    busy = [ModelError("overloaded", "busy")]
    turns = [[reading(1, 100)], [reading(2, 9_500)], busy, [summary()], [DONE]]
    model = told(turns)
    model.facts = Facts(context_tokens=10_000)
    finished = await stage.play(model, call_tool=long_result)
    assert (finished.outcome, finished.spent.turns) == (Completed(), 4)
    assert "text_delta" not in stage.kinds()


async def test_a_person_may_ask_for_a_summary_between_turns_and_at_the_end(stage, told) -> None:
    model = told([[reading(1, 100)], [DONE], [summary()]])
    stage.plan = replace(stage.plan, model=model)
    run = None

    async def emit(event) -> None:
        await stage.emit(event)
        if stage.kinds()[-1] == "model_reply" and event.message.text == "done":
            run.compact()

    run = stage.run(call_tool=long_result)
    assert (await run.run(emit)).outcome == Completed()
    assert isinstance(run.transcript[-1], SummaryMessage)
    assert stage.kinds()[-2:] == ["compressed", "run_finished"]


async def test_a_conversation_too_short_to_sum_up_stays_and_costs_nothing(stage, told) -> None:
    model = told([[DONE]])
    stage.plan = replace(stage.plan, model=model)
    run = stage.run()
    run.compact()
    finished = await run.run(stage.emit)
    assert (finished.outcome, len(model.requests)) == (Completed(), 1)
    assert [event.reason for event in stage.of(CompressionFailed)] == [
        "there is too little to sum up"
    ]


async def test_a_summary_is_not_made_past_the_budget(stage, told) -> None:
    model = told([[reading(1, 100)], [reading(2, 9_500)], [summary()], [DONE]])
    model.facts = Facts(context_tokens=10_000)
    finished = await stage.play(model, call_tool=long_result, budget=Budget(tokens=9_700))
    assert finished.outcome == TokenLimit(9_700, 9_600)
    assert len(model.requests) == 2


async def test_a_conversation_that_became_smaller_takes_less_of_the_budget(stage, told) -> None:
    # After the summary a turn may be reserved for which the last one would have been too large.
    model = told([[reading(1, 100)], [reading(2, 9_500)], [summary()], [reading(3, 400)], [DONE]])
    model.facts = Facts(context_tokens=10_000)
    stage.plan = replace(stage.plan, output_tokens_max=500)
    purse = Purse((Account({"tokens": 30_000}),))
    finished = await stage.play(
        model, call_tool=long_result, spending=Spending(purse), budget=Budget(tokens=30_000)
    )
    assert finished.outcome == Completed()
    assert purse.own()["tokens"][0] == 100 + 9_500 + 77 + 400 + 51
