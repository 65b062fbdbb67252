"""What a request holds of a long conversation."""

from __future__ import annotations

import pytest

from capbox.agent.transcript import in_context
from capbox.messages import AssistantMessage, Message, SummaryMessage, UserMessage

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
