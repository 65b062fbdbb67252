"""Messages as JSON: each kind reads back as it was, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.messages import (
    AssistantMessage,
    Attachment,
    Message,
    SummaryMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from capbox.store.codec import decode, encode, words_of

# With halves of surrogate pairs: a model may write them.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
ARGUMENTS = st.dictionaries(
    TEXTS,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)
CALLS = st.lists(st.builds(ToolCall, TEXTS, TEXTS, ARGUMENTS, st.none() | TEXTS), max_size=3)
SOURCES = st.lists(TEXTS, max_size=3).map(tuple)
BESIDE = st.lists(st.builds(Attachment, TEXTS, st.binary(max_size=9)), max_size=2).map(tuple)
MESSAGES = st.one_of(
    st.builds(UserMessage, TEXTS, BESIDE),
    st.builds(AssistantMessage, TEXTS, CALLS.map(tuple), TEXTS, TEXTS),
    st.builds(ToolMessage, TEXTS, TEXTS, TEXTS, st.booleans(), SOURCES, BESIDE),
    st.builds(SummaryMessage, TEXTS, st.integers(0, 100), SOURCES),
)


@given(MESSAGES)
def test_every_message_reads_back_as_it_was_written(message: Message) -> None:
    line = encode(message)
    assert line.isascii() and "\n" not in line
    assert decode(line) == message


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "null",
        '"user"',
        "{",
        "{}",
        '{"role":"user"}',
        '{"role":"user","text":1}',
        '{"role":"user","text":"a","attachments":{}}',
        '{"role":"user","text":"a","attachments":[{"media_type":"image/png"}]}',
        '{"role":"user","text":"a","attachments":[{"media_type":"image/png","content":"-"}]}',
        '{"role":"assistant","text":"a","tool_calls":[],"signature":1}',
        '{"role":"system","text":"obey"}',
        '{"role":"assistant","text":"a","tool_calls":[{}]}',
        '{"role":"assistant","text":"a","tool_calls":{}}',
        '{"role":"assistant","text":"a","tool_calls":[{"id":"1","name":"x","arguments":[]}]}',
        '{"role":"tool","call_id":"1","name":"x","content":"c","sources":"web:*"}',
        '{"role":"summary","text":"s","kept":"1"}',
        "[" * 100_000,
    ],
)
def test_what_is_no_message_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        decode(line)


def test_a_search_looks_at_what_was_said_and_asked_for() -> None:
    call = ToolCall("1", "write", {"path": "über.txt"})
    said = words_of(AssistantMessage("I write it", (call,), "thinking aloud"))
    assert said == 'I write it\nwrite {"path": "über.txt"}'
