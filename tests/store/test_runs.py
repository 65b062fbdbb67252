"""Runs and their events: stored from the start, whole or absent, read back as they were."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import nullcontext
from pathlib import Path

import anyio
import pytest

from capbox.journal.errors import JournalError
from capbox.messages import AssistantMessage, Usage
from capbox.store.errors import StoreError
from capbox.store.runs import StoredEvent, StoredRun, open_runs
from capbox.store.sessions import StoredSession

RUN = StoredRun("r1", 100.5, "tidy up", "/home/a/project", "scripted:x.json")


async def test_a_run_is_there_before_its_first_event(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(RUN)
        assert (await store.get("r1"), await store.events("r1")) == (RUN, ())


async def test_a_finished_run_reads_back_whole_in_another_process_life(tmp_path: Path) -> None:
    usage = Usage(10, 20, 30, 40)
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(RUN)
        await store.append("r1", {"type": "run_started", "n": [1, None, "é"]}, at=101.0)
        await store.append("r1", {"type": "run_finished"}, at=102.0)
        await store.finish("r1", ended_at=102.5, outcome="completed", usage=usage, usd=0.25)
    async with open_runs(tmp_path / "runs.db") as store:
        assert await store.get("r1") == StoredRun(
            "r1", 100.5, "tidy up", "/home/a/project", "scripted:x.json", 102.5, "completed",
            usage, 0.25,
        )  # fmt: skip
        assert await store.events("r1") == (
            StoredEvent(0, 101.0, {"type": "run_started", "n": [1, None, "é"]}),
            StoredEvent(1, 102.0, {"type": "run_finished"}),
        )


async def test_the_newest_runs_come_first_and_no_more_than_asked(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        for number in (2, 1, 3):
            await store.begin(StoredRun(f"r{number}", float(number), "t", "/w", "m"))
        assert [run.id for run in await store.newest(2)] == ["r3", "r2"]


async def test_events_are_read_in_pages(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(RUN)
        for number in range(5):
            await store.append("r1", {"n": number}, at=0.0)
        page = await store.events("r1", after=1, limit=2)
        assert [event.event for event in page] == [{"n": 2}, {"n": 3}]


async def test_numbers_have_no_gap_when_many_write_at_once(tmp_path: Path) -> None:
    file = tmp_path / "runs.db"
    async with open_runs(file) as one, open_runs(file) as two:
        await one.begin(RUN)
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                store = two if number % 2 else one
                tasks.start_soon(lambda s=store: s.append("r1", {}, at=0.0))
        assert [event.seq for event in await one.events("r1")] == list(range(20))


async def test_events_of_one_run_are_not_those_of_another(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(RUN)
        await store.begin(StoredRun("r2", 1.0, "t", "/w", "m"))
        await store.append("r1", {"of": "r1"}, at=0.0)
        await store.append("r2", {"of": "r2"}, at=0.0)
        assert await store.events("r2") == (StoredEvent(0, 0.0, {"of": "r2"}),)


async def test_what_cannot_be_stored_is_refused_by_name(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(RUN)
        with pytest.raises(StoreError, match="run r1 exists already"):
            await store.begin(RUN)
        with pytest.raises(StoreError, match="there is no run r9"):
            await store.append("r9", {}, at=0.0)
        with pytest.raises(StoreError, match="no run r9 that has not ended"):
            await store.finish("r9", ended_at=0.0, outcome="completed", usage=Usage(), usd=None)
        assert (await store.get("r9"), await store.get("r1")) == (None, RUN)


@pytest.mark.parametrize(
    ("session", "refused"), [("s1", None), ("s2", "there is no run r1, or no session s2")]
)
async def test_an_event_and_what_was_said_with_it_are_stored_together_or_not_at_all(
    tmp_path: Path, session: str, refused: str | None
) -> None:
    said = AssistantMessage("hi")
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(RUN)
        await store.sessions.begin(StoredSession("s1", "t", "/w", "m", 0.0, 0.0))
        with nullcontext() if refused is None else pytest.raises(StoreError, match=refused):
            await store.append("r1", {"type": "reply"}, at=1.0, saying=(session, said))
        events, messages = await store.events("r1"), await store.sessions.messages("s1")
    stored = refused is None
    assert [event.event for event in events] == [{"type": "reply"}] * stored
    assert [(one.run, one.at, one.message) for one in messages] == [("r1", 1.0, said)] * stored


async def test_nothing_is_stored_where_that_fails_which_comes_before_it(tmp_path: Path) -> None:
    called: list[int] = []

    def fails() -> None:
        called.append(threading.get_ident())
        raise JournalError("r1", "the disk is full")

    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(RUN)
        with pytest.raises(JournalError):
            await store.append("r1", {"n": 1}, at=1.0, after=fails)
        await store.append("r1", {"n": 2}, at=2.0)
        assert [event.event for event in await store.events("r1")] == [{"n": 2}]
    assert called != [threading.get_ident()]


async def test_a_run_ends_once(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(RUN)
        await store.finish("r1", ended_at=1.0, outcome="cancelled", usage=Usage(), usd=None)
        with pytest.raises(StoreError, match="not ended"):
            await store.finish("r1", ended_at=2.0, outcome="completed", usage=Usage(), usd=None)
        stored = await store.get("r1")
        assert stored is not None and stored.outcome == "cancelled"


async def test_text_that_no_encoding_takes_is_stored_all_the_same(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(StoredRun("r1", 0.0, "read \udcff.txt", "/w/\udcfe", "m"))
        await store.append("r1", {"text": "half \ud800"}, at=0.0)
        stored = await store.get("r1")
        assert stored is not None
        assert (stored.task, stored.workspace) == ("read \\udcff.txt", "/w/\\udcfe")
        assert (await store.events("r1"))[0].event == {"text": "half \ud800"}


async def test_ids_are_values_and_not_sql(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(StoredRun("'; DROP TABLE runs; --", 0.0, "t", "/w", "m"))
        assert await store.get("'; DROP TABLE runs; --") is not None
        assert await store.get("' OR '1'='1") is None


async def test_a_cancelled_caller_still_stores_what_it_began_to_store(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await store.begin(RUN)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await store.append("r1", {"type": "run_finished"}, at=1.0)
        assert await store.events("r1") == (StoredEvent(0, 1.0, {"type": "run_finished"}),)


async def test_an_edited_event_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "runs.db"
    async with open_runs(file) as store:
        await store.begin(RUN)
        await store.append("r1", {}, at=0.0)
    with sqlite3.connect(file) as other:
        other.execute("UPDATE events SET json = '{'")
    other.close()
    async with open_runs(file) as store:
        with pytest.raises(StoreError, match="event 0 is not JSON"):
            await store.events("r1")
