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
from capbox.messages import AssistantMessage, SummaryMessage, Usage
from capbox.store.journal import read
from capbox.store.runs import StoredRun, open_runs

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
