"""Faults: what can be written, and what is refused before the server starts."""

from __future__ import annotations

import pytest

from capbox.messages import Json
from capbox.models.fake_llm.faults import (
    Cut,
    ErrorEvent,
    Fault,
    FaultError,
    MalformedToolJson,
    Refused,
    Stall,
    parse_fault,
)
from capbox.models.fake_llm.plan import PlannedReply, plan_of
from capbox.models.script import ScriptedReply, ScriptError

NAMES = "cut, stall, malformed_tool_json, error_event or an object with a status"


@pytest.mark.parametrize(
    ("fault", "seconds", "parsed"),
    [
        (None, None, None),
        ("cut", None, Cut()),
        ("error_event", None, ErrorEvent()),
        ("malformed_tool_json", None, MalformedToolJson()),
        ("stall", 2, Stall(2.0)),
        ({"status": 429}, None, Refused(429)),
        ({"status": 529, "retry_after": 0}, None, Refused(529, 0.0)),
        ("cot", None, f"fault 'cot' is unknown: {NAMES}"),
        (7, None, f"fault 7 is unknown: {NAMES}"),
        ("stall", None, "the fault stall needs seconds, a number not below 0"),
        ("stall", -1, "the fault stall needs seconds, a number not below 0"),
        ("stall", True, "the fault stall needs seconds, a number not below 0"),
        ("cut", 2, "seconds belong to the fault stall"),
        (None, 2, "seconds belong to the fault stall"),
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


def test_a_plan_holds_each_reply_with_its_fault_or_names_the_bad_entry() -> None:
    plain, cut = ScriptedReply(text="a"), ScriptedReply(text="b", fault="cut")
    assert plan_of((plain, cut), "s") == (PlannedReply(plain), PlannedReply(cut, Cut()))
    assert plan_of((plain, ScriptedReply(fault="cot")), "s.json") == ScriptError(
        "s.json", 1, f"fault 'cot' is unknown: {NAMES}"
    )
