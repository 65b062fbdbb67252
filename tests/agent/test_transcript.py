"""What a request holds of a long conversation."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.agent.steps.voice import Voice
from capbox.agent.transcript import NO_RESULT, in_context, since_summary
from capbox.messages import (
    AssistantMessage,
    Message,
    SummaryMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)

A, B, C = UserMessage("a"), AssistantMessage("b"), UserMessage("c")
ONE, TWO = SummaryMessage("one", kept=1), SummaryMessage("two", kept=3)


@pytest.mark.parametrize(
    ("transcript", "held"),
    [
        ([], []),
        ([A, B], [A, B]),
        ([A, B, ONE], [ONE, B]),
        ([A, B, ONE, C], [ONE, B, C]),
        ([A, B, C, SummaryMessage("all", kept=0), A], [SummaryMessage("all", kept=0), A]),
        # The summary before it is summed up too, and is no part of what is kept.
        ([A, B, ONE, C, TWO, A], [TWO, B, C, A]),
        ([A, SummaryMessage("more", kept=9)], [SummaryMessage("more", kept=9), A]),
    ],
)
def test_a_request_holds_the_last_summary_what_it_kept_and_what_came_after(
    transcript: list[Message], held: list[Message]
) -> None:
    assert in_context(transcript) == tuple(held)


CALLS = AssistantMessage("", (ToolCall("c1", "read", {}), ToolCall("c2", "write", {})))
READ = ToolMessage("c1", "read", "text", is_error=False)
LOST = ToolMessage("c2", "write", NO_RESULT, is_error=True)


@pytest.mark.parametrize(
    ("transcript", "held"),
    [
        ([A, CALLS, READ], [A, CALLS, READ, LOST]),
        ([A, CALLS, READ, C], [A, CALLS, READ, LOST, C]),
        ([A, CALLS, READ, CALLS, READ, LOST], [A, CALLS, READ, LOST, CALLS, READ, LOST]),
        (
            [A, CALLS],
            [A, CALLS, ToolMessage("c1", "read", NO_RESULT, is_error=True), LOST],
        ),
    ],
)
def test_a_call_whose_run_was_ended_has_a_result_that_says_so(
    transcript: list[Message], held: list[Message]
) -> None:
    assert in_context(transcript) == tuple(held)
    assert since_summary(transcript) == tuple(transcript)


@given(
    st.lists(st.sampled_from([A, B, C, CALLS, READ, ONE, TWO, SummaryMessage("all", kept=0)])),
    st.integers(0, 9),
)
def test_what_was_kept_up_message_by_message_is_what_would_be_made_anew(
    transcript: list[Message], begun: int
) -> None:
    anyio.run(_say_all, transcript, min(begun, len(transcript)))


async def _say_all(transcript: list[Message], begun: int) -> None:
    voice = Voice(transcript[:begun], None)
    for place in range(begun, len(transcript)):
        assert voice.context == in_context(transcript[:place])
        await voice.say(transcript[place])
    assert voice.context == in_context(transcript)
