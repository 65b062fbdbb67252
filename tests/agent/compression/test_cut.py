"""Where a conversation is cut: never between a call and its result, and no source is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.agent.compression.cut import cut_of, sources_of
from capbox.agent.transcript import since_summary
from capbox.messages import (
    AssistantMessage,
    Message,
    SummaryMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)

LONG = "x" * 2_000
TASK, SAID = UserMessage(LONG), UserMessage("and short")
CALL = AssistantMessage("", (ToolCall("c1", "read", {}), ToolCall("c2", "read", {})))
ONE, TWO = ToolMessage("c1", "read", "a", False), ToolMessage("c2", "read", "b", False)


@pytest.mark.parametrize(
    ("transcript", "kept"),
    [
        ([TASK, AssistantMessage(LONG), CALL, ONE, TWO], 3),
        ([TASK, AssistantMessage(LONG), CALL, ONE, TWO, SAID], 4),
        # The last turn is too long to be kept; half of it is no turn.
        ([TASK, SAID, CALL, ONE, ToolMessage("c2", "read", LONG, False)], 0),
        ([TASK, AssistantMessage(LONG), SummaryMessage(LONG, 0), SAID, CALL, ONE, TWO], None),
        ([TASK, SummaryMessage(LONG, 0), AssistantMessage(LONG), CALL, ONE, TWO], 3),
        ([TASK, SAID, SummaryMessage(LONG, 1), AssistantMessage(LONG * 3), TASK, SAID], 1),
        ([TASK], None),
        ([], None),
    ],
)
def test_what_is_kept(transcript: list[Message], kept: int | None) -> None:
    cut = cut_of(transcript)
    assert (None if cut is None else cut.kept) == kept


def test_what_a_summary_had_kept_is_kept_once_more_past_it() -> None:
    cut = cut_of([TASK, AssistantMessage(LONG), SAID, SummaryMessage(LONG, 2), CALL, ONE, TWO])
    assert cut is not None
    assert (cut.kept, len(cut.older)) == (5, 2)


def test_each_further_try_keeps_less() -> None:
    turns = [m for n in range(20) for m in (UserMessage(f"{n}" * 50), AssistantMessage("y" * 100))]
    kept = [cut.kept for t in range(4) if (cut := cut_of(turns, tightness=t)) is not None]
    assert kept == sorted(kept, reverse=True)
    assert (kept[0] > kept[-1], len(kept)) == (True, 4)


@st.composite
def transcripts(draw: st.DrawFn) -> list[Message]:
    """Draw a conversation as a run makes one, with summaries in between."""
    text = st.text("ab", max_size=300)
    messages: list[Message] = [UserMessage("task")]
    for number in range(draw(st.integers(0, 12))):
        match draw(st.integers(0, 3)):
            case 0:
                messages.append(UserMessage(draw(text)))
            case 1:
                cut = cut_of(messages)
                if cut is not None:
                    messages.append(SummaryMessage(draw(text), cut.kept, cut.sources))
            case _:
                count = draw(st.integers(0, 3))
                calls = tuple(ToolCall(f"{number}-{n}", "read", {}) for n in range(count))
                messages.append(AssistantMessage(draw(text), calls))
                messages += [
                    ToolMessage(call.id, "read", draw(text), False, (f"web:{call.id}",))
                    for call in calls
                ]
    return messages


@given(transcripts(), st.integers(0, 3))
def test_no_cut_splits_a_call_from_its_result_or_loses_a_source(transcript, tightness) -> None:
    cut = cut_of(transcript, tightness=tightness)
    if cut is None:
        return
    held = since_summary([*transcript, SummaryMessage("new", cut.kept, cut.sources)])
    assert not isinstance(held[1] if len(held) > 1 else None, ToolMessage)
    assert set(sources_of(transcript)) == set(sources_of(held))
    assert [*cut.older, *held[1:]] == list(since_summary(transcript))
