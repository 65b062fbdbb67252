"""The machine: what follows what, each step by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capbox.agent.incidents import (
    Compressed,
    CompressionFailed,
    FellBack,
    Recovering,
    ReplyTakenBack,
    Retrying,
    Steered,
    StopRefused,
)
from capbox.agent.machine.recovery import MESSAGES
from capbox.agent.machine.retry import Tries
from capbox.agent.machine.state import (
    Ask,
    Called,
    Compress,
    Failed,
    Finish,
    NotSummed,
    Over,
    Poll,
    Polled,
    Replied,
    Signal,
    State,
    Step,
    Summed,
    UseTools,
    Wait,
    Waited,
)
from capbox.agent.machine.transition import first_step, next_step
from capbox.agent.outcome import Completed, ModelFailed, SandboxFailed, TurnLimit
from capbox.messages import AssistantMessage, SummaryMessage, ToolCall, Usage, UserMessage

START = State(("one", "two"))
ASKED = replace(START, asked=True)
DONE = replace(START, done=True)
CALLS = ((ToolCall("c1", "read", {}), ToolCall("c2", "read", {})), (ToolCall("c3", "write", {}),))
SUMMARY = SummaryMessage("so far", 1)
TEXT, NOTHING = AssistantMessage("done"), AssistantMessage("")


def test_a_run_begins_with_a_look_at_how_things_stand() -> None:
    assert first_step(("one", "two")) == Step(START, (), Poll(done=False))


@pytest.mark.parametrize(
    ("state", "polled", "notes", "action"),
    [
        (START, Polled(), (), Ask(0, again=False)),
        (ASKED, Polled(), (), Ask(0, again=True)),
        (DONE, Polled(), (), Finish(Completed())),
        (START, Polled(tokens=89, window=100), (), Ask(0, again=False)),
        (START, Polled(tokens=90, window=100), (), Compress(0, False, 0, overflow=False)),
        (START, Polled(tokens=900, window=None), (), Ask(0, again=False)),
        (replace(START, compressed=True), Polled((), False, None, 99, 100), (), Ask(0, False)),
        (replace(START, compression_failures=3), Polled((), False, None, 99, 100), (), Ask(0, 0)),
        (START, Polled(compact=True), (), Compress(0, False, 0, overflow=False)),
        (DONE, Polled(compact=True), (), Compress(0, False, 0, overflow=False)),
        (START, Polled(("a",)), (UserMessage("a"), Steered("a")), Poll(False, refusable=True)),
        (DONE, Polled(("a",)), (UserMessage("a"), Steered("a")), Poll(False, refusable=True)),
        (
            DONE,
            Polled(("a",), compact=True),
            (UserMessage("a"), Steered("a")),
            Compress(0, False, 0, overflow=False),
        ),
        (
            DONE,
            Polled(objection="no"),
            (UserMessage("no"), StopRefused("no")),
            Poll(False, refusable=True),
        ),
        (
            replace(DONE, stops_refused=2),
            Polled(objection="no"),
            (UserMessage("no"), StopRefused("no")),
            Poll(False, refusable=False),
        ),
    ],
)
def test_between_two_turns(state, polled, notes, action) -> None:
    step = next_step(state, polled)
    assert (step.notes, step.action) == (notes, action)


@pytest.mark.parametrize(
    ("reply", "action"),
    [
        (Replied(TEXT, (), "end"), Poll(done=True, refusable=True)),
        (Replied(TEXT, (), "refused"), Finish),
        (Replied(TEXT, (), "length"), Poll(done=False)),
        (Replied(NOTHING, (), "end"), Poll(done=False)),
        (Replied(AssistantMessage(" \n"), (), "end"), Poll(done=False)),
        (Replied(NOTHING, CALLS, "tool_calls"), UseTools(CALLS[0])),
        (Replied(NOTHING, CALLS, "length"), UseTools(CALLS[0])),
    ],
)
def test_after_a_whole_reply(reply: Replied, action: object) -> None:
    step = next_step(replace(ASKED, tries=Tries(1, 2)), reply)
    assert step.notes[0] == reply.message
    assert step.action == action or type(step.action) is action
    # It came through, so the next request has all its tries again; and is a turn of its own.
    assert (step.state.tries, step.state.asked) == (Tries(), False)


@pytest.mark.parametrize(
    ("codes", "before", "problem"),
    [
        (("",), START, None),
        (("denied",), START, None),
        (("", "malformed"), START, None),
        (("malformed", "malformed"), START, "malformed"),
        (("unknown_tool",), START, None),
        (("unknown_tool",), replace(START, unusable=1), "malformed"),
        (("invalid_arguments", "unknown_tool"), replace(START, unusable=1), "malformed"),
        (("malformed",), replace(START, cut=True), "length"),
        (("",), replace(START, unusable=1, recoveries=3), None),
        (("unknown_tool",), replace(START, useful=True, unusable=1), None),
    ],
)
def test_calls_none_of_which_could_run_are_a_problem_of_the_reply(codes, before, problem) -> None:
    step = next_step(before, Called(codes))
    told = [note.problem for note in step.notes if isinstance(note, Recovering)]
    assert told == ([] if problem is None else [problem])
    assert step.notes[:1] == (() if problem is None else (UserMessage(MESSAGES[problem]),))
    assert step.action == Poll(False, refusable=problem is None)
    if "" in codes:
        assert (step.state.recoveries, step.state.unusable) == (0, 0)


def test_the_batches_of_a_reply_run_one_after_another() -> None:
    first = next_step(START, Replied(NOTHING, CALLS, "tool_calls"))
    second = next_step(first.state, Called(("malformed", "")))
    assert second.action == UseTools(CALLS[1])
    # One that could run is enough.
    assert next_step(second.state, Called(("unknown_tool",))).state.recoveries == 0


def test_three_failures_of_the_sandbox_in_a_row_end_a_run_in_the_middle_of_a_reply() -> None:
    state = replace(START, sandbox_failures=1, todo=CALLS)
    failed = next_step(state, Called(("sandbox_failed", "sandbox_failed"))).action
    assert failed == Finish(SandboxFailed("3 tool calls in a row"))
    assert next_step(state, Called(("sandbox_failed", ""))).state.sandbox_failures == 0


@pytest.mark.parametrize(
    ("failed", "state", "notes", "action"),
    [
        (
            Failed("overloaded", "busy", chance=0.5),
            ASKED,
            (Retrying(1, 0.5, "overloaded", "busy"),),
            Wait(0.5),
        ),
        (
            Failed("rate_limit", "slow", retry_after=60, chance=0.25),
            ASKED,
            (Retrying(1, 60.25, "rate_limit", "slow"),),
            Wait(60.25),
        ),
        (
            Failed("cut", "gone", begun=True),
            ASKED,
            (ReplyTakenBack("gone"), Retrying(1, 0, "cut", "gone")),
            Wait(0),
        ),
        (
            Failed("stalled", "silent"),
            replace(ASKED, tries=Tries(stalled=2)),
            (FellBack("one", "two", "silent (sent again 2 times)"),),
            Poll(False, refusable=True),
        ),
        (
            Failed("quota", "no credit"),
            ASKED,
            (FellBack("one", "two", "no credit"),),
            Poll(False, refusable=True),
        ),
        (
            Failed("quota", "no credit"),
            replace(ASKED, model=1),
            (),
            Finish(ModelFailed("quota", "no credit")),
        ),
        (
            Failed("authentication", "no"),
            ASKED,
            (),
            Finish(ModelFailed("authentication", "no")),
        ),
        (
            Failed("invalid_request", "no"),
            ASKED,
            (),
            Finish(ModelFailed("invalid_request", "no")),
        ),
        (
            Failed("connection", "lost"),
            replace(ASKED, model=1, tries=Tries(other=5)),
            (),
            Finish(ModelFailed("connection", "lost (sent again 5 times)")),
        ),
        (
            Failed("provider", "500"),
            replace(ASKED, model=1, tries=Tries(other=5)),
            (UserMessage(MESSAGES["provider"]), Recovering("provider", 1)),
            Poll(False),
        ),
        (
            Failed("provider", "500"),
            replace(ASKED, model=1, tries=Tries(other=5), recoveries=3),
            (),
            Finish(ModelFailed("provider", "500 (sent again 5 times)")),
        ),
        (
            Failed("context_length", "too long"),
            ASKED,
            (Recovering("overflow", 1),),
            Compress(0, False, 0, overflow=True),
        ),
        (
            Failed("context_length", "too long"),
            replace(ASKED, recoveries=1),
            (Recovering("overflow", 2),),
            Compress(0, False, 1, overflow=True),
        ),
        (
            Failed("context_length", "too long"),
            replace(ASKED, compression_failures=3),
            (),
            Finish(ModelFailed("context_length", "too long")),
        ),
    ],
)
def test_after_a_request_that_failed(failed, state, notes, action) -> None:
    step = next_step(state, failed)
    assert (step.notes, step.action) == (notes, action)


def test_a_provider_that_wants_to_be_left_alone_for_long_is_not_waited_for() -> None:
    failed = Failed("rate_limit", "slow down", retry_after=3_600)
    last = next_step(replace(ASKED, model=1), failed).action
    assert last == Finish(
        ModelFailed(
            "rate_limit",
            "slow down (come back in 3600 s, it says; a run waits at most 120 s. Try again later, "
            "or name a fallback model)",
        )
    )
    assert next_step(ASKED, failed).state.model == 1
    assert next_step(ASKED, replace(failed, retry_after=120)).action == Wait(120)


def test_after_a_wait_the_same_is_done_again_and_is_no_further_turn() -> None:
    assert next_step(ASKED, Waited()) == Step(ASKED, (), Ask(0, again=True))
    compressing = replace(ASKED, compressing="full")
    assert next_step(compressing, Waited()).action == Compress(0, True, 0, overflow=False)


def test_a_summary_joins_the_transcript_and_is_told_with_its_cost() -> None:
    state = replace(DONE, compressing="asked", compression_failures=2)
    step = next_step(state, Summed(SUMMARY, 900, 90, Usage(9, 8), 0.5))
    assert step.notes == (SUMMARY, Compressed(SUMMARY, 900, 90, Usage(9, 8), 0.5))
    assert step.action == Poll(done=True, refusable=True)
    assert (step.state.compression_failures, step.state.compressing) == (0, None)


@pytest.mark.parametrize(
    ("why", "before", "action", "after"),
    [
        ("full", 0, Poll(False, refusable=True), 1),
        ("full", 2, Poll(False, refusable=True), 3),
        ("asked", 2, Poll(False, refusable=True), 2),
        ("overflow", 0, Compress(0, False, 1, overflow=True), 1),
        ("overflow", 2, Finish(ModelFailed("context_length", "too long")), 3),
    ],
)
def test_a_summary_that_came_to_nothing(why, before, action, after) -> None:
    state = replace(START, compressing=why, compression_failures=before, overflow="too long")
    step = next_step(state, NotSummed("it was empty"))
    assert step.notes == (CompressionFailed("it was empty", after == 3, Usage(), 0.0),)
    assert (step.action, step.state.compression_failures) == (action, after)


def test_a_failed_request_for_a_summary_is_tried_again_and_then_given_up() -> None:
    state = replace(ASKED, compressing="full")
    again = next_step(state, Failed("overloaded", "busy", begun=True))
    assert again.notes == (Retrying(1, 0.0, "overloaded", "busy"),)
    worn = replace(state, tries=Tries(other=5))
    given_up = next_step(worn, Failed("overloaded", "busy"))
    assert given_up.notes == (CompressionFailed("busy (sent again 5 times)", False, Usage(), 0.0),)
    # The conversation still fits: the model is asked, and not another one.
    assert (given_up.action, given_up.state.model) == (Poll(False, refusable=True), 0)


def test_a_person_who_asks_for_a_summary_too_often_is_told_why_there_is_none() -> None:
    step = next_step(replace(START, compression_failures=3), Polled(compact=True))
    assert [type(note) for note in step.notes] == [CompressionFailed]
    assert step.action == Poll(False, refusable=True)


@pytest.mark.parametrize("state", [START, ASKED, DONE])
def test_a_limit_ends_a_run_wherever_it_is(state: State) -> None:
    over: Signal = Over(TurnLimit(3))
    assert next_step(state, over) == Step(state, (), Finish(TurnLimit(3)))
