"""Scripts: what parses, and what the person who wrote a bad one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox.messages import Usage
from capbox.models.script import (
    Heard,
    ScriptedCall,
    ScriptedReply,
    ScriptError,
    chosen,
    parse_script,
    read_script,
)


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("[]", ()),
        ("[{}]", (ScriptedReply(),)),
        ('[{"text": "hé"}, {"text": "b"}]', (ScriptedReply(text="hé"), ScriptedReply(text="b"))),
        (
            '[{"tool_calls": [{"name": "read", "arguments": {"path": "a"}}, {"name": "ls"}]}]',
            (
                ScriptedReply(
                    tool_calls=(ScriptedCall("read", '{"path": "a"}'), ScriptedCall("ls", "{}"))
                ),
            ),
        ),
        (
            '[{"tool_calls": [{"name": "read", "arguments": "{not json"}]}]',
            (ScriptedReply(tool_calls=(ScriptedCall("read", "{not json"),)),),
        ),
        (
            '[{"thinking": "t", "usage": {"input_tokens": 3, "cache_read_tokens": 2}}]',
            (ScriptedReply(thinking="t", usage=Usage(3, 0, 2, 0)),),
        ),
        ('[{"fault": "cut"}]', (ScriptedReply(fault="cut"),)),
        ('[{"after": "x", "system": "y"}]', (ScriptedReply(after="x", system="y"),)),
    ],
)
def test_a_script_is_one_reply_an_element(text: str, parsed: tuple[ScriptedReply, ...]) -> None:
    assert parse_script(text, "s.json") == parsed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "script s.json: is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[" * 100_000, "script s.json: is nested too deeply"),
        ('{"text": "a"}', "script s.json: must be a list with one object per reply"),
        ('[{}, "a"]', 'script s.json, entry 1: a reply must be an object, not "a"'),
        (
            '[{"txt": "a"}]',
            "script s.json, entry 0: unknown key 'txt'; known: after, fault, seconds, stop,"
            " system, text, thinking, tool_calls, usage",
        ),
        ('[{"text": 1}]', "script s.json, entry 0: text must be a string"),
        ('[{"after": 1}]', "script s.json, entry 0: after must be a string"),
        ('[{"text": null}]', "script s.json, entry 0: text must be a string"),
        ('[{"tool_calls": {}}]', "script s.json, entry 0: tool_calls must be a list"),
        (
            '[{"tool_calls": [{"arguments": {}}]}]',
            "script s.json, entry 0: a tool call needs a name, a string",
        ),
        (
            '[{"tool_calls": [{"name": "read", "args": {}}]}]',
            "script s.json, entry 0: unknown key 'args'; known: arguments, id, name",
        ),
        (
            '[{"tool_calls": [{"name": "read", "arguments": [1]}]}]',
            "script s.json, entry 0: arguments of read must be an object, or a string to send as"
            " it is",
        ),
        (
            '[{"usage": {"input_tokens": -1}}]',
            "script s.json, entry 0: usage input_tokens must be a whole number, not negative",
        ),
    ],
)
def test_a_bad_script_is_named_with_its_entry_and_the_reason(text: str, said: str) -> None:
    assert str(parse_script(text, "s.json")) == said


def test_a_file_that_cannot_be_read_is_an_error_and_not_an_exception(tmp_path: Path) -> None:
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'[{"text": "\xe9"}]')
    missing = tmp_path / "missing.json"
    assert read_script(missing) == ScriptError(str(missing), None, "No such file or directory")
    assert read_script(tmp_path) == ScriptError(str(tmp_path), None, "Is a directory")
    assert read_script(latin) == ScriptError(str(latin), None, "is not UTF-8 text")


ENTRIES = (
    ScriptedReply(text="first"),
    ScriptedReply(text="summary", system="You sum up"),
    ScriptedReply(text="after a", after="wrote a"),
    ScriptedReply(text="after b", after="wrote b"),
    ScriptedReply(text="second"),
    ScriptedReply(text="sums a", system="You sum up", after="wrote a"),
)


@pytest.mark.parametrize(
    ("system", "said", "replies", "text"),
    [
        ("", "Go.", 0, "first"),
        ("", "Go.", 1, "second"),
        ("", "Go.", 2, None),
        ("", "Go.\nwrote a", 1, "after a"),
        ("", "Go.\nwrote a\nwrote b", 9, "after b"),
        ("", "Go.\nwrote b\nwrote a\nYour last reply was empty.", 2, "after a"),
        ("You sum up.", "Go.", 0, "summary"),
        ("You sum up.", "Go.\nwrote b", 0, "summary"),
        ("You sum up.", "Go.\nwrote a\nwrote b", 0, "sums a"),
    ],
)
def test_an_entry_answers_what_it_is_for_and_the_others_their_number(
    system: str, said: str, replies: int, text: str | None
) -> None:
    place = chosen(ENTRIES, Heard(system, said, replies))
    assert (None if place is None else ENTRIES[place].text) == text
