"""A model that fails for a while: asked again, replaced, and never taken for one that answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capbox.agent import events
from capbox.agent.incidents import FellBack, Recovering, ReplyTakenBack, Retrying
from capbox.agent.limits.spending import Spending
from capbox.agent.machine.recovery import MESSAGES
from capbox.agent.outcome import BudgetExceeded, Completed, ModelFailed, TimeLimit
from capbox.authority.budget import Budget
from capbox.gate.budget.purse import Account, Purse
from capbox.messages import AssistantMessage, ToolCall, Usage, UserMessage
from capbox.models.model import ModelError, ModelRequest, Reply, TextDelta

DONE = Reply(AssistantMessage("done"), Usage(1, 1), 0.25, "end")
BUSY, CUT = ModelError("overloaded", "busy"), ModelError("cut", "gone")


async def test_a_request_is_sent_again_until_it_is_answered_and_is_one_turn(stage, told) -> None:
    model = told([[BUSY], [ModelError("rate_limit", "slow", retry_after=7)], [DONE]])
    finished = await stage.play(model, budget=Budget(turns=1))
    assert (finished.outcome, finished.spent.turns) == (Completed(), 1)
    assert model.requests[0] == model.requests[1] == model.requests[2]
    assert stage.waits == [0.5, 7.5]
    assert stage.of(Retrying) == [
        Retrying(1, 0.5, "overloaded", "busy"),
        Retrying(2, 7.5, "rate_limit", "slow"),
    ]


async def test_half_a_reply_is_taken_back_and_is_in_no_transcript(stage, told) -> None:
    model = told([[TextDelta("hal"), CUT], [TextDelta("done"), DONE]])
    finished = await stage.play(model)
    assert finished.text == "done"
    assert stage.kinds()[1:] == [
        *("text_delta", "reply_taken_back", "retrying", "text_delta"),
        *("model_reply", "run_finished"),
    ]
    assert stage.of(ReplyTakenBack) == [ReplyTakenBack("gone")]


@pytest.mark.parametrize("kind", ["authentication", "quota", "invalid_request", "script"])
async def test_what_asking_again_cannot_mend_ends_a_run_at_once(stage, told, kind) -> None:
    model = told([[ModelError(kind, "no")]])
    assert (await stage.play(model)).outcome == ModelFailed(kind, "no")
    assert (len(model.requests), stage.waits) == (1, [])


async def test_a_stream_that_is_silent_is_asked_for_twice_more(stage, told) -> None:
    model = told([[ModelError("stalled", "45 s of silence")]] * 3)
    finished = await stage.play(model)
    assert finished.outcome == ModelFailed("stalled", "45 s of silence (sent again 2 times)")


async def test_the_time_of_a_run_ends_its_waits_too(stage, told) -> None:
    model = told([[ModelError("rate_limit", "slow", retry_after=100)]] * 6)
    finished = await stage.play(model, budget=Budget(wall_seconds=150))
    assert finished.outcome == TimeLimit(150)


async def test_a_provider_that_keeps_failing_is_asked_with_other_words(stage, told) -> None:
    model = told([[ModelError("provider", "500")]] * 7 + [[DONE]])
    assert (await stage.play(model)).outcome == Completed()
    assert [event.attempt for event in stage.of(Recovering)] == [1, 2]
    assert model.last_messages() == (
        UserMessage("do it"),
        *[UserMessage(MESSAGES["provider"])] * 2,
    )
    hopeless = told([[ModelError("provider", "500")]] * 20)
    finished = await stage.play(hopeless)
    assert finished.outcome == ModelFailed("provider", "500 (sent again 5 times)")
    assert len(hopeless.requests) == 6 + 3


async def test_another_model_takes_over_for_good(stage, told) -> None:
    one = told([[BUSY]] * 6, name="one")
    call = ToolCall("c1", "read", {})
    two = told([[Reply(AssistantMessage("", (call,)), Usage(1, 1), 0.0, "end")], [DONE]], "two")
    stage.plan = replace(stage.plan, fallbacks=(two,))
    finished = await stage.play(one)
    assert (finished.outcome, len(one.requests), len(two.requests)) == (Completed(), 6, 2)
    assert stage.of(FellBack) == [FellBack("one", "two", "busy (sent again 5 times)")]
    assert one.requests[0].messages == two.requests[0].messages


async def test_a_key_that_is_refused_is_not_hidden_by_another_model(stage, told) -> None:
    two = told([[DONE]], "two")
    stage.plan = replace(stage.plan, fallbacks=(two,))
    finished = await stage.play(told([[ModelError("authentication", "401")]]))
    assert (finished.outcome, two.requests) == (ModelFailed("authentication", "401"), [])


class Dear:
    """A model with a price: dollars a token."""

    def __init__(self, model, price: float) -> None:
        self.model, self.price, self.name = model, price, model.name

    def most_usd(self, given: int, wanted: int) -> float:
        """Return what they cost."""
        return (given + wanted) * self.price

    def stream(self, request: ModelRequest):
        """Ask the model."""
        return self.model.stream(request)


@pytest.mark.parametrize(
    ("price", "outcome"), [(1e-6, Completed), (1e-2, BudgetExceeded)], ids=["cheap", "dear"]
)
async def test_the_budget_follows_the_model_that_answers(stage, told, price, outcome) -> None:
    one = told([[ModelError("quota", "no credit")]], name="one")
    stage.plan = replace(stage.plan, fallbacks=(Dear(told([[DONE]], "two"), price),))
    purse = Purse((Account({"usd": 1.0}),))
    spending = Spending(purse, lambda given, wanted: 0.0)
    finished = await stage.play(one, spending=spending)
    assert type(finished.outcome) is outcome


async def test_a_refused_request_takes_no_tokens_and_a_cut_one_keeps_what_it_may_have_taken(
    stage, told
) -> None:
    purse = Purse((Account({"tokens": 100_000, "turns": 9}),))
    stage.plan = replace(stage.plan, output_tokens_max=1_000)
    await stage.play(told([[BUSY], [BUSY], [DONE]]), spending=Spending(purse))
    assert purse.own() == {"tokens": (2, 100_000), "turns": (1, 9)}
    await stage.play(told([[TextDelta("a"), CUT], [DONE]]), spending=Spending(purse))
    tokens, turns = purse.own()["tokens"][0], purse.own()["turns"][0]
    assert (tokens > 1_000, turns) == (True, 2)


async def test_a_reply_of_calls_none_of_which_is_json_is_answered_with_a_reason(
    stage, calling
) -> None:
    broken = calling("write", arguments=["{"])
    finished = await stage.play((broken, broken, broken, broken))
    assert finished.outcome == ModelFailed("malformed", "3 requests to go on did not help")
    assert [event.problem for event in stage.of(Recovering)] == ["malformed"] * 3
    assert stage.gate.calls == []
    results = [event.result.ok for event in stage.of(events.ToolFinished)]
    assert results == [False] * 4
