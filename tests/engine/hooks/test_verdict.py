"""What a hook may say: each word beside what is no answer."""

from __future__ import annotations

import json

import pytest

from capbox.authority.limits import Limits
from capbox.engine.hooks.hook import EVENTS, EventName
from capbox.engine.hooks.verdict import Verdict, parse_verdict

OURS = Limits(wall_seconds=10)

ANSWERS: list[tuple[EventName, str, Verdict | str]] = [
    ("PreToolUse", "", Verdict()),
    ("PreToolUse", " \n", Verdict()),
    ("PreToolUse", "{}", Verdict()),
    ("PreToolUse", '{"deny": "no"}', Verdict(deny="no")),
    ("PreToolUse", '{"limits": {"wall_seconds": 5}}', Verdict(limits=Limits(wall_seconds=5))),
    ("PreToolUse", '{"limits": {}}', Verdict(limits=OURS)),
    ("PreToolUse", '{"limits": {"wall_seconds": 11}}', "a hook lowers limits"),
    ("PreToolUse", '{"limits": {"wall_seconds": -1}}', "wall_seconds is not a bound"),
    ("PreToolUse", '{"limits": {"wall_seconds": true}}', "limits holds numbers"),
    ("PreToolUse", '{"limits": {"memory_bytes": 1.5}}', "limits holds numbers"),
    ("PreToolUse", '{"limits": {"wall_seconds": "5"}}', "limits holds numbers"),
    ("PreToolUse", '{"limits": {"days": 5}}', "limits is a table of: wall_seconds"),
    ("PreToolUse", '{"limits": 5}', "limits is a table of: wall_seconds"),
    ("PreToolUse", '{"deny": ""}', "deny is a text that says something"),
    ("PreToolUse", '{"deny": true}', "deny is a text that says something"),
    ("PreToolUse", '{"deny": "no", "deny": "yes"}', "its answer is no JSON"),
    ("PreToolUse", '{"add": "x"}', "its answer has 'add'; a PreToolUse hook may say: deny"),
    ("PreToolUse", '{"allow": true}', "its answer has 'allow'"),
    ("PreToolUse", '{"grants": ["write:/"]}', "its answer has 'grants'"),
    ("PreToolUse", '{"arguments": {}}', "its answer has 'arguments'"),
    ("PreToolUse", "no", "its answer is no JSON"),
    ("PreToolUse", '"no"', "its answer is no JSON object"),
    ("PreToolUse", "[]", "its answer is no JSON object"),
    ("PreToolUse", "{}{}", "its answer is no JSON"),
    ("UserPromptSubmit", '{"add": "Be brief."}', Verdict(add="Be brief.")),
    ("UserPromptSubmit", '{"deny": "no"}', Verdict(deny="no")),
    ("UserPromptSubmit", '{"limits": {}}', "its answer has 'limits'"),
    ("RunStart", '{"deny": "no"}', Verdict(deny="no")),
    ("Stop", '{"go_on": "test it"}', Verdict(go_on="test it")),
    ("Stop", '{"deny": "no"}', "its answer has 'deny'"),
    ("PostToolUse", "{}", Verdict()),
    ("PostToolUse", '{"deny": "no"}', "its answer has 'deny'; a PostToolUse hook may say: nothing"),
    ("Notification", '{"go_on": "x"}', "its answer has 'go_on'"),
    ("RunEnd", '{"add": "x"}', "its answer has 'add'"),
]


@pytest.mark.parametrize(("event", "text", "found"), ANSWERS)
def test_an_answer_is_what_its_event_knows(
    event: EventName, text: str, found: Verdict | str
) -> None:
    told = parse_verdict(event, text, OURS)
    if isinstance(found, str):
        assert isinstance(told, str) and told.startswith(found)
    else:
        assert told == found


@pytest.mark.parametrize("event", EVENTS)
def test_no_answer_is_no_objection(event: EventName) -> None:
    assert parse_verdict(event, "", OURS) == Verdict()


def test_a_text_is_bounded_and_shows_what_hides_in_it() -> None:
    told = parse_verdict("PreToolUse", json.dumps({"deny": "\x1b[2J" + "x" * 9_000}), OURS)
    assert isinstance(told, Verdict) and told.deny is not None
    assert (len(told.deny), "\x1b" in told.deny) == (500, False)


@pytest.mark.parametrize(
    ("said", "record"),
    [
        (Verdict(), "no objection"),
        (Verdict(deny="no"), "denied: no"),
        (Verdict(limits=OURS, add="x"), "limits lowered, text added"),
        (Verdict(go_on="test"), "go on: test"),
    ],
)
def test_how_it_is_on_record(said: Verdict, record: str) -> None:
    assert str(said) == record
