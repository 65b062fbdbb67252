"""Whatever answers the machine, it comes to an end, unless somebody makes use of it meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from capbox.agent.machine.recovery import RECOVERIES_MAX
from capbox.agent.machine.retry import RETRIES_MAX, STALLS_MAX
from capbox.agent.machine.state import (
    Action,
    Ask,
    Called,
    Compress,
    Failed,
    Finish,
    NotSummed,
    Poll,
    Polled,
    Replied,
    Signal,
    State,
    Summed,
    UseTools,
    Wait,
    Waited,
)
from capbox.agent.machine.transition import (
    COMPRESSION_FAILURES_MAX,
    STOPS_REFUSED_MAX,
    first_step,
    next_step,
)
from capbox.messages import AssistantMessage, SummaryMessage, ToolCall, Usage
from capbox.models.model import ErrorKind

MODELS = 2
TRIES = 1 + RETRIES_MAX + STALLS_MAX
# Each turn may be preceded by a summary that is tried again; an overflow by three that fail.
SUMMARIES = TRIES * (COMPRESSION_FAILURES_MAX + RECOVERIES_MAX + MODELS)
TURNS = (1 + RECOVERIES_MAX) * (1 + STOPS_REFUSED_MAX) * MODELS
REQUESTS_MAX = TURNS * (TRIES + SUMMARIES)

CALL = ToolCall("c", "nosuch", {})
KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
FAILED = st.builds(Failed, st.sampled_from(KINDS), st.just("no"), st.sampled_from([None, 1, 999]))
USELESS = st.sampled_from(
    [
        Replied(AssistantMessage(""), (), "end"),
        Replied(AssistantMessage("half"), (), "length"),
        Replied(AssistantMessage("", (CALL,)), ((CALL,),), "tool_calls"),
        Replied(AssistantMessage("done"), (), "end"),
    ]
)
SUMMED = Summed(SummaryMessage("so far", 0), 9, 8, Usage(), 0.0)


def answer(draw: st.DrawFn, action: Action) -> Signal:
    """Draw what comes of an action, of all that is of no use."""
    match action:
        case Poll(_, refusable):
            objection = draw(st.sampled_from([None, "not yet"])) if refusable else None
            return Polled(objection=objection, tokens=draw(st.sampled_from([0, 99])), window=100)
        case Ask():
            return draw(st.one_of(FAILED, USELESS))
        case Wait():
            return Waited()
        case UseTools(batch):
            return Called(tuple("unknown_tool" for _ in batch))
        case Compress():
            return draw(st.one_of(FAILED, st.just(NotSummed("it was empty")), st.just(SUMMED)))
        case Finish():
            raise AssertionError("nothing follows the end")
        case _:
            assert_never(action)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_model_that_is_of_no_use_is_asked_finitely_often(data: st.DataObject) -> None:
    step, requests = first_step(("one", "two")), 0
    while not isinstance(step.action, Finish):
        requests += isinstance(step.action, Ask | Compress)
        assert requests <= REQUESTS_MAX
        assert step.state.recoveries <= RECOVERIES_MAX
        assert step.state.compression_failures <= COMPRESSION_FAILURES_MAX
        signal = data.draw(st.composite(lambda draw, of=step.action: answer(draw, of))())
        step = next_step(step.state, signal)


def test_no_error_alone_is_met_with_more_requests_than_its_tries() -> None:
    counted = {}
    for kind in KINDS:
        step, requests = first_step(("one",)), 0
        while not isinstance(step.action, Finish):
            requests += isinstance(step.action, Ask)
            match step.action:
                case Poll():
                    signal: Signal = Polled()
                case Ask():
                    signal = Failed(kind, "no")
                case Wait():
                    signal = Waited()
                case _:
                    signal = NotSummed("it was empty")
            step = next_step(step.state, signal)
        counted[kind] = requests
    once = dict.fromkeys(["authentication", "invalid_request", "quota", "script"], 1)
    assert counted == {
        **once,
        "context_length": 1,
        **dict.fromkeys(["rate_limit", "overloaded", "connection", "cut"], 6),
        "provider": 6 + 3,
        "stalled": 3,
    }


def test_a_text_that_ends_the_work_is_of_use_and_an_objection_to_it_is_counted() -> None:
    state = replace(State(("one",)), done=True, stops_refused=STOPS_REFUSED_MAX)
    assert next_step(state, Replied(AssistantMessage("done"), (), "end")).action == Poll(
        True, False
    )
