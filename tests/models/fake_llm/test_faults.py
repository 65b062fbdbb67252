"""Faults: what can be written, and what is refused before the server starts."""

from __future__ import annotations

import pytest

from capbox.messages import Json
from capbox.models.fake_llm.faults import (
    Cut,
    ErrorEvent,
    Fault,
    FaultError,
    MalformedEvent,
    Overflow,
    Refused,
    Slow,
    Spoiled,
    Spoiling,
    Stall,
    parse_fault,
    parse_faults,
    spoiled,
)
from capbox.models.fake_llm.plan import PlannedReply, plan_of
from capbox.models.script import EarlyStop, ScriptedCall, ScriptedReply, ScriptError

NAMES = (
    "cut, error_event, malformed_event, overflow, stall, slow, malformed_tool_json, unknown_tool,"
    " huge_tool_call, duplicate_ids, refusal, length, empty or an object with a status"
)


@pytest.mark.parametrize(
    ("fault", "seconds", "parsed"),
    [
        (None, None, None),
        ("cut", None, Cut()),
        ("error_event", None, ErrorEvent()),
        ("malformed_event", None, MalformedEvent()),
        ("overflow", None, Overflow()),
        ("malformed_tool_json", None, Spoiled("malformed_tool_json")),
        ("refusal", None, Spoiled("refusal")),
        ("slow", 0.5, Slow(0.5)),
        ("slow", None, "the fault slow needs seconds, a number not below 0"),
        ("stall", 2, Stall(2.0)),
        ({"status": 429}, None, Refused(429)),
        ({"status": 529, "retry_after": 0}, None, Refused(529, 0.0)),
        ("cot", None, f"fault 'cot' is unknown: {NAMES}"),
        (7, None, f"fault 7 is unknown: {NAMES}"),
        ("stall", None, "the fault stall needs seconds, a number not below 0"),
        ("stall", -1, "the fault stall needs seconds, a number not below 0"),
        ("stall", True, "the fault stall needs seconds, a number not below 0"),
        ("cut", 2, "seconds belong to the faults stall and slow"),
        (None, 2, "seconds belong to the faults stall and slow"),
        ({}, None, "the status of a fault must be a whole number from 400 to 599"),
        ({"status": 200}, None, "the status of a fault must be a whole number from 400 to 599"),
        ({"status": "429"}, None, "the status of a fault must be a whole number from 400 to 599"),
        (
            {"status": 429, "retry_after": "2"},
            None,
            "retry_after of a fault must be seconds, a number not below 0",
        ),
        (
            {"status": 429, "after": 2},
            None,
            "unknown key 'after' in fault; known: retry_after, status",
        ),
    ],
)
def test_a_fault_is_read_or_refused_with_a_reason(
    fault: Json, seconds: Json, parsed: Fault | str | None
) -> None:
    expected = FaultError(parsed) if isinstance(parsed, str) else parsed
    assert parse_fault(ScriptedReply(fault=fault, seconds=seconds)) == expected


@pytest.mark.parametrize(
    ("fault", "seconds", "parsed"),
    [
        (None, None, ()),
        ("cut", None, (Cut(),)),
        (["cut", {"status": 429}, "empty"], None, (Cut(), Refused(429), Spoiled("empty"))),
        (["slow", "cut"], 0.5, (Slow(0.5), Cut())),
        ([], None, "a list of faults holds one at least, and seconds are of stall and slow"),
        (["cut"], 2, "a list of faults holds one at least, and seconds are of stall and slow"),
        (["slow", "cut"], None, "the fault slow needs seconds, a number not below 0"),
        (["cut", "cot"], None, f"fault 'cot' is unknown: {NAMES}"),
        (["cut", None], None, f"fault None is unknown: {NAMES}"),
        ([["cut"]], None, f"fault ['cut'] is unknown: {NAMES}"),
    ],
)
def test_faults_in_a_list_strike_one_after_another(
    fault: Json, seconds: Json, parsed: tuple[Fault, ...] | str
) -> None:
    expected = FaultError(parsed) if isinstance(parsed, str) else parsed
    assert parse_faults(ScriptedReply(fault=fault, seconds=seconds)) == expected


def test_a_plan_holds_each_reply_with_its_fault_or_names_the_bad_entry() -> None:
    plain, cut = ScriptedReply(text="a"), ScriptedReply(text="b", fault="cut")
    assert plan_of((plain, cut), "s") == (PlannedReply(plain), PlannedReply(cut, (Cut(),)))
    assert plan_of((plain, ScriptedReply(fault="cot")), "s.json") == ScriptError(
        "s.json", 1, f"fault 'cot' is unknown: {NAMES}"
    )


CALLS = (ScriptedCall("read", '{"path": "a"}'), ScriptedCall("glob", "{}"))


@pytest.mark.parametrize(
    ("how", "text", "calls", "stop"),
    [
        (
            "malformed_tool_json",
            "Hello",
            (ScriptedCall("read", '{"path": "a"'), ScriptedCall("glob", "{")),
            None,
        ),
        (
            "unknown_tool",
            "Hello",
            (ScriptedCall("no_such_tool", '{"path": "a"}'), ScriptedCall("no_such_tool", "{}")),
            None,
        ),
        (
            "duplicate_ids",
            "Hello",
            tuple(ScriptedCall(call.name, call.arguments, "call_same") for call in CALLS),
            None,
        ),
        ("refusal", "I will not.", (), "refused"),
        ("length", "He", (), "length"),
        ("empty", "", (), None),
    ],
)
def test_a_spoiled_reply_is_another_one(
    how: Spoiling, text: str, calls: tuple[ScriptedCall, ...], stop: EarlyStop | None
) -> None:
    reply = spoiled(ScriptedReply(text="Hello", tool_calls=CALLS), how)
    assert reply == ScriptedReply(text=text, tool_calls=calls, stop=stop)


def test_a_huge_call_is_megabytes_of_arguments() -> None:
    reply = spoiled(ScriptedReply(tool_calls=CALLS), "huge_tool_call")
    assert [call.name for call in reply.tool_calls] == ["read", "glob"]
    assert all(len(call.arguments) > 4_000_000 for call in reply.tool_calls)
