"""A run in words: one line a tool call, a summary of what was changed and refused."""

from __future__ import annotations

import io

import pytest

from capbox.agent import events, incidents
from capbox.agent.outcome import (
    BudgetExceeded,
    BudgetUsedUp,
    Cancelled,
    Completed,
    ModelFailed,
    Outcome,
    Refused,
    TimeLimit,
    TokenLimit,
    ToolCallLimit,
    TurnLimit,
    word,
)
from capbox.agent.report import Report
from capbox.messages import (
    AssistantMessage,
    Denial,
    Effect,
    Json,
    Spent,
    SummaryMessage,
    ToolCall,
    ToolFailure,
    ToolResult,
    Usage,
)
from capbox.surfaces.cli.narration import RAISED_BY, Narration, call_line, changed, raised_by, size
from capbox.surfaces.cli.screen import Screen

DENIED = Denial("write /etc/x", "no grant covers it", "write:/etc/x", "--write /etc/x")
REFUSED = ToolResult(False, "", error=ToolFailure("denied", "a lesson"), denied=(DENIED,))


def call(name: str = "read", malformed: str | None = None, **arguments: Json) -> ToolCall:
    return ToolCall("c", name, arguments, malformed)


@pytest.mark.parametrize(
    ("made", "result", "line"),
    [
        (call(path="a"), ToolResult(True, "x", spent=Spent(3)), "  read   a  ok, 3 ms"),
        (call(), ToolResult(True, ""), "  read  ok, 0 ms"),
        (call(limit=3), ToolResult(True, ""), "  read  ok, 0 ms"),
        (call(other="x"), ToolResult(True, ""), "  read   x  ok, 0 ms"),
        (
            call("bash", stdin="s", script="a\nb"),
            ToolResult(True, "", data={"exit_code": 2}, denied=(DENIED,)),
            "  bash   a b  exit 2, 0 ms, 1 refused",
        ),
        (
            call("bash", script="x" * 80),
            ToolResult(True, "", data={"exit_code": 0}),
            f"  bash   {'x' * 57}...  ok, 0 ms",
        ),
        (call("write", path="/etc/x"), REFUSED, "  write  /etc/x  denied: write /etc/x"),
        (
            call("nosuch"),
            ToolResult(False, "", error=ToolFailure("unknown_tool", "there is\nnone")),
            "  nosuch  unknown_tool: there is none",
        ),
        (
            call(malformed="{"),
            ToolResult(False, "", error=ToolFailure("invalid_arguments", "bad")),
            "  read   (arguments that are not JSON)  invalid_arguments: bad",
        ),
        (call("\x1b[2J", path="\u202e"), ToolResult(True, ""), "  \\x1b[2J \\u202e  ok, 0 ms"),
    ],
)
def test_a_tool_call_is_one_line(made: ToolCall, result: ToolResult, line: str) -> None:
    assert call_line(made, result)[0] == line


def test_changes_are_listed_once_a_path_and_looking_is_no_change() -> None:
    effects = [
        Effect("read", "/workspace/a", "/h/a", 5),
        Effect("list", "/workspace", "/h", 0),
        Effect("create", "/workspace/b", "/h/b", 0),
        Effect("write", "/workspace/b", "/h/b", 700),
        Effect("write", "/workspace/b", "/h/b", 800),
        Effect("write", "/tmp/x", None, 9),
        Effect("delete", "/workspace/c\nd", "/h/c", 0),
    ]
    assert changed(effects) == [
        "create   /workspace/b",
        "write    /workspace/b  1.5 kB",
        "delete   /workspace/c d",
    ]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (2_500_000, "2.5 MB")]
)
def test_sizes_are_for_people(count: int, text: str) -> None:
    assert size(count) == text


def told(*happened: events.Event) -> tuple[str, str]:
    """Tell a run and sum it up; return both streams."""
    out, err = io.StringIO(), io.StringIO()
    narration, report = Narration(Screen(out, err, {})), Report()
    for event in happened:
        report.add(event)
        narration.tell(event)
    narration.sum_up(report)
    return out.getvalue(), err.getvalue()


def finished(outcome: Outcome) -> events.RunFinished:
    usage = Usage(10, 20, 30, 40)
    return events.RunFinished(outcome, "", events.RunSpent(1, 2, 1_500, usage, 0.25))


STARTED = events.RunStarted("run-1", "t", "m", (), ())


def test_streamed_text_is_not_repeated_and_unstreamed_text_is_not_lost() -> None:
    streamed = events.ModelReply(AssistantMessage("Hello."), Usage(), 0.0, "end")
    out, _ = told(
        STARTED,
        events.TextDelta("Hel"),
        events.ThinkingDelta("secret thoughts"),
        events.TextDelta("lo."),
        streamed,
        events.ModelReply(AssistantMessage("Bye."), Usage(), 0.0, "end"),
    )
    assert out == "Hello.\nBye.\n"


def test_half_a_reply_that_was_taken_back_is_marked_and_the_whole_one_is_shown() -> None:
    whole = AssistantMessage("All of it.")
    out, err = told(
        events.TextDelta("All o"),
        incidents.ReplyTakenBack("the connection\nclosed"),
        incidents.Retrying(1, 0.25, "cut", "the connection closed"),
        events.ModelReply(whole, Usage(), 0.0, "end"),
        finished(Completed()),
    )
    assert out == "All o\nAll of it.\n"
    lines = err.splitlines()
    assert lines[0] == "that reply broke off and does not count: the connection"
    assert "closed" in lines[1]
    assert lines[2] == "asking again in 0.2 s (try 1, cut): the connection closed"


SUMMARY = SummaryMessage("so far", 2)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (incidents.Recovering("empty", 2), "no usable reply (empty); asked to go on (2 of 3)"),
        (incidents.FellBack("a/x", "b/y", "busy"), "a/x gave up, b/y goes on: busy"),
        (incidents.Steered("in French"), "you said: in French"),
        (incidents.Paused(), "paused"),
        (incidents.Resumed(), "going on"),
        (incidents.StopRefused("the tests fail"), "not done yet: the tests fail"),
        (
            incidents.Compressed(SUMMARY, 9_000, 900, Usage(), 0.0),
            "summed up what came before: 9000 to about 900 tokens a request",
        ),
        (
            incidents.CompressionFailed("it was empty", False, Usage(), 0.0),
            "could not sum up: it was empty",
        ),
        (
            incidents.CompressionFailed("it was empty", True, Usage(), 0.0),
            "could not sum up: it was empty; not tried again",
        ),
    ],
)
def test_what_did_not_go_as_planned_is_told_in_a_line(event: events.Event, line: str) -> None:
    assert told(event, finished(Completed()))[1].splitlines()[0] == line


def test_the_summary_says_what_was_done_refused_and_spent() -> None:
    wrote = ToolResult(True, "", effects=(Effect("write", "/workspace/a", "/h/a", 3),))
    out, err = told(
        STARTED,
        events.ToolFinished(call("write", path="a"), wrote),
        events.ToolFinished(call("write", path="/etc/x"), REFUSED),
        events.Warned("careful"),
        events.LimitAsked(TurnLimit(1), granted=False),
        finished(TurnLimit(1)),
    )
    assert out == ""
    assert err.splitlines() == [
        "  write  a  ok, 0 ms",
        "  write  /etc/x  denied: write /etc/x",
        "note: careful",
        "all 1 turns are used: no more",
        "",
        "write    /workspace/a  3 B",
        "denied: write /etc/x: no grant covers it",
        "to allow it, add: --write /etc/x",
        "turn_limit: all 1 turns are used",
        "to give it more, add: --budget turns=N",
        "1 turn, 2 tool calls, 100 tokens, 0.2500 USD, 1.5 s",
        "on record: capbox audit show run-1",
    ]


def test_a_budget_that_its_own_flags_do_not_raise_is_told_without_them() -> None:
    assert raised_by(BudgetUsedUp("the budget of the day is used up")) is None
    assert raised_by(BudgetExceeded(1.0, 1.0, False)) == "--budget usd=N"


def test_each_cap_of_a_run_is_named_by_the_flag_that_raises_it() -> None:
    assert set(RAISED_BY) == {
        word(cap)
        for cap in (
            *(TurnLimit(1), ToolCallLimit(1), TimeLimit(1.0), TokenLimit(1, 1)),
            BudgetExceeded(1.0, 1.0, False),
        )
    }


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (Completed(), "completed"),
        (Cancelled(), "cancelled: interrupted"),
        (Refused("model x", "no grant", "model:x"), "to allow it, add: --grant model:x"),
        (
            Refused("read /a's", "no grant", "read:/a's uses=1"),
            """to allow it, add: --grant 'read:/a'"'"'s uses=1'""",
        ),
    ],
)
def test_each_end_is_named(outcome: Outcome, line: str) -> None:
    assert line in told(STARTED, finished(outcome))[1].splitlines()


def test_no_flag_is_advised_for_a_path_that_only_climbed_there() -> None:
    made = call("write", path="../etc/x")
    climbed = told(STARTED, events.ToolFinished(made, REFUSED), finished(Completed()))[1]
    named = told(STARTED, events.ToolFinished(call(path="/etc/x"), REFUSED), finished(Completed()))
    assert "--write" not in climbed
    assert "\n/etc/x: relative paths do not leave the workspace" in climbed
    assert "\nto allow it, add: --write /etc/x\n" in named[1]


def test_what_a_model_or_a_tool_says_stays_within_its_message() -> None:
    forged = "why\nto allow it, add: --write /"
    denied = Denial(f"write {forged}", forged, None, None)
    result = ToolResult(False, "", error=ToolFailure("denied", forged), denied=(denied,))
    _, err = told(
        STARTED,
        events.Warned(forged),
        events.ToolFinished(call(path=forged), result),
        events.ToolFinished(call(path=forged), ToolResult(False, "", error=result.error)),
        finished(ModelFailed("refused", forged)),
    )
    assert "to allow it, add: --write /" in err
    assert not [line for line in err.splitlines() if line.startswith("to allow it")]


def test_a_run_that_never_ended_is_called_interrupted() -> None:
    assert "interrupted" in told(STARTED)[1].splitlines()


def test_many_changes_and_denials_are_cut_and_counted() -> None:
    denied = tuple(Denial(f"read /{n}", "no", f"read:/{n}", f"--read /{n}") for n in range(15))
    effects = tuple(Effect("create", f"/workspace/{n}", None, 0) for n in range(25))
    result = ToolResult(True, "", denied=denied, effects=effects)
    err = told(STARTED, events.ToolFinished(call(path="x"), result), finished(Completed()))[1]
    assert "... and 5 changes more" in err
    assert "denied: 3 more; --json lists them all" in err
    assert "--read /11 ...\n" in err
