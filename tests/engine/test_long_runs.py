"""A long day: three hundred turns over a provider that fails in every way, in a small window."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

import pytest

from capbox.agent.events import Event, ModelReply, RunFinished, TextDelta, ToolFinished
from capbox.agent.incidents import Compressed, Recovering, ReplyTakenBack, Retrying
from capbox.agent.outcome import Completed
from capbox.authority.budget import Budget
from capbox.engine.session import Session
from capbox.messages import AssistantMessage, SummaryMessage, ToolCall, Usage
from capbox.models.facts import Facts
from capbox.models.model import ModelError, ModelEvent, ModelRequest, Reply
from capbox.models.model import TextDelta as Piece

TURNS = 300
FAULTS: tuple[ModelError | Reply, ...] = (
    ModelError("context_length", "400: too long"),
    ModelError("rate_limit", "429: slow down", retry_after=0.01),
    ModelError("overloaded", "529: busy", retry_after=0.01),
    ModelError("provider", "500: oops", retry_after=0.01),
    ModelError("cut", "the connection closed", retry_after=0.01),
    ModelError("stalled", "45 s of silence", retry_after=0.01),
    Reply(AssistantMessage(""), Usage(1, 0), 0.0, "end"),
    Reply(AssistantMessage("half an ans"), Usage(1, 9), 0.0, "length"),
    Reply(AssistantMessage("", (ToolCall("m", "write", {}, "{"),)), Usage(1, 9), 0.0, "tool_calls"),
    Reply(AssistantMessage("", (ToolCall("u", "nosuch", {}),)), Usage(1, 9), 0.0, "tool_calls"),
)


class Diligent:
    """Writes one file a turn, and fails on the way every few requests, once each time."""

    name = "diligent"
    facts = Facts(context_tokens=12_000)

    def __init__(self) -> None:
        self.chance = Random(6)
        self.written = 0
        self.failed = False

    def most_usd(self, input_tokens: int, output_tokens: int) -> float | None:
        return 0.0

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        taken = sum(len(str(message)) for message in request.messages) // 4
        self.failed = not self.failed and self.chance.random() < 0.2
        if self.failed:
            yield Piece("half")
            # A conversation that was just summed up is not too long.
            fault = self.chance.choice(FAULTS if taken > 6_000 else FAULTS[1:])
            if isinstance(fault, ModelError):
                raise fault
            yield fault
        elif not request.tools:
            yield self._reply("## Goal\nWrite the files.", taken)
        elif self.written == TURNS:
            yield self._reply("All written.", taken)
        else:
            self.written += 1
            path, content = f"f{self.written}.txt", f"{self.written}\n" * 50
            call = ToolCall(f"c{self.written}", "write", {"path": path, "content": content})
            yield self._reply("", taken, call)

    def _reply(self, text: str, taken: int, *calls: ToolCall) -> Reply:
        stop = "tool_calls" if calls else "end"
        return Reply(AssistantMessage(text, calls), Usage(taken, 20), 0.0, stop)


@pytest.mark.slow
async def test_three_hundred_turns_over_a_provider_that_fails_in_every_way(
    open_session: Callable[..., Session], workspace: Path
) -> None:
    budget = Budget(turns=2_000, tool_calls=2_000, tokens=100_000_000)
    async with (
        open_session("write:/workspace", budget=budget) as session,
        session.run("write them", Diligent()) as stream,
    ):
        events: list[Event] = [event async for event in stream]
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    assert (finished.outcome, finished.text) == (Completed(), "All written.")
    check_the_files(workspace)
    written = [e for e in events if isinstance(e, ToolFinished) and e.result.ok]
    assert [e.call.id for e in written] == [f"c{number}" for number in range(1, TURNS + 1)]
    summaries = [event.message for event in events if isinstance(event, Compressed)]
    assert len(summaries) >= 2
    assert all(isinstance(summary, SummaryMessage) for summary in summaries)
    in_a_row = [event.attempt for event in events if isinstance(event, Recovering)]
    assert (max(in_a_row) <= 3, len(in_a_row) > 10) == (True, True)
    assert sum(isinstance(event, Retrying) for event in events) > 10
    check_what_was_shown(events)


def check_the_files(workspace: Path) -> None:
    for number in range(1, TURNS + 1):
        assert (workspace / f"f{number}.txt").read_text() == f"{number}\n" * 50


def check_what_was_shown(events: list[Event]) -> None:
    """Half of a reply is never left standing."""
    shown = 0
    for event in events:
        match event:
            case TextDelta():
                assert shown == 0
                shown = 1
            case ReplyTakenBack() | ModelReply():
                shown = 0
            case _:
                pass
