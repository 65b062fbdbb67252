"""What is recorded of a run: each turn under the model that answered, a summary like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox.agent import events, incidents
from capbox.engine.record import Recorder
from capbox.engine.sessions.conversation import begun
from capbox.journal.event import RunId, RunOpened
from capbox.journal.head import Signer
from capbox.journal.log import Journal
from capbox.messages import (
    AssistantMessage,
    Message,
    SummaryMessage,
    ToolCall,
    ToolMessage,
    ToolResult,
    Usage,
)
from capbox.store.journal import read
from capbox.store.runs import StoredRun, open_runs
from capbox.store.sessions import StoredSession

RUN = RunId("20260101-000000-aaaaaaaaaaaaaaaa")
SUMMARY = SummaryMessage("so far", 1, ("web:https://a.example",))
REPLY = events.ModelReply(AssistantMessage("hi"), Usage(1, 1), 0.1, "end")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal", Signer.load(tmp_path / "key"))


async def test_turns_are_those_of_the_model_that_answered_and_summaries_are_turns(
    journal: Journal, tmp_path: Path
) -> None:
    run = journal.begin(RUN, RunOpened("t", "/w", "a1", (), (), (), 1.0))
    told: tuple[events.Event, ...] = (
        REPLY,
        incidents.FellBack("one", "two", "busy"),
        REPLY,
        incidents.Compressed(SUMMARY, 900, 90, Usage(9, 8), 0.2),
        incidents.CompressionFailed("it was empty", False, Usage(9, 0), 0.3),
        incidents.CompressionFailed("no answer", True, Usage(), 0.0),
    )
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(StoredRun(RUN, 0.0, "do it", "/w", "one"))
        talk = begun(tmp_path, "do it")
        await store.sessions.begin(StoredSession(talk.id, "do it", "/w", "one", 0.0, 0.0))
        recorder = Recorder(store, run, "one", talk)
        for event in told:
            await recorder.record(event)
        kept = await store.events(RUN)
        talk.held.release()
    assert recorder.failure is None
    turns = [r.content for r in read(tmp_path / "journal", RUN) if r.content is not None]
    assert [(t["turn"], t["model"], t["usd"]) for t in turns if t["kind"] == "turn"] == [
        (1, "one", 0.1),
        (2, "two", 0.1),
        (3, "two", 0.2),
        (4, "two", 0.3),
    ]
    assert [e.event["type"] for e in kept] == [event.to_json()["type"] for event in told]
    assert kept[3].event["sources"] == ["web:https://a.example"]


async def test_a_reply_and_a_result_are_stored_once_whoever_tells_of_them_first(
    journal: Journal, tmp_path: Path
) -> None:
    run = journal.begin(RUN, RunOpened("t", "/w", "a1", (), (), (), 1.0))
    call = ToolCall("c1", "read", {})
    said = ToolMessage("c1", "read", "text", is_error=False)
    finished = events.ToolFinished(call, ToolResult(True, "text"), said)
    alone = events.ToolFinished(call, ToolResult(True, "text"))
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(StoredRun(RUN, 0.0, "do it", "/w", "one"))
        talk = begun(tmp_path, "do it")
        await store.sessions.begin(StoredSession(talk.id, "do it", "/w", "one", 0.0, 0.0))
        recorder = Recorder(store, run, "one", talk)
        stored: list[list[Message]] = []
        for told, joined in ((REPLY, REPLY.message), (finished, said), (alone, said)):
            for step in (recorder.record(told), recorder.keep(joined)):
                await step
                stored.append([one.message for one in await store.sessions.messages(talk.id)])
        talk.held.release()
    reply = REPLY.message
    assert stored == [
        [reply],  # with its event, before anybody hears of it
        [reply],
        [reply, said],
        [reply, said],
        [reply, said],  # this event says nothing of a message
        [reply, said, said],
    ]
