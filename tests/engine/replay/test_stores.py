"""Replays of calls that had a store: named as such, no difference; and stores stay as they are."""

from __future__ import annotations

from tests.engine.conftest import OpenSession
from tests.engine.replay.conftest import Replay
from tests.engine.replay.test_replaying import states
from tests.undo.hand import tree

from capbox.engine.home import Home

NOTES = "store:notes"
LEFT = "not replayable: it had store:notes, and what that held is not on record"


async def test_a_call_with_a_store_cannot_be_executed_as_it_was(
    open_session: OpenSession, replay: Replay, home: Home
) -> None:
    async with open_session(NOTES, "write:/workspace") as session:
        for script in (
            "echo 1 >> /store/notes/n; wc -l < /store/notes/n",
            "cp /store/notes/n kept.txt",
        ):
            assert (await session.call("bash", {"script": script})).ok
        assert (await session.call("grep", {"pattern": "alpha", "path": "a.txt"})).ok
        run = session.calls_run
    before = tree(home.stores)
    report = await replay(run)
    assert states(report) == [("bash", LEFT), ("bash", LEFT), ("grep", "identical")]
    assert (report.difference, report.identical) == (None, False)
    assert tree(home.stores) == before


async def test_decisions_on_such_a_call_are_made_again(
    open_session: OpenSession, replay: Replay
) -> None:
    async with open_session(NOTES, "read:/workspace") as session:
        assert (await session.call("bash", {"script": "cat a.txt > /store/notes/n"})).ok
        run = session.calls_run
    report = await replay(run, holding=["tool:bash", "read:/workspace", "store:other"])
    assert report.difference is not None
    assert any("store /store/notes" in line for line in report.difference.lines)


async def test_a_tool_without_a_store_is_executed_under_the_same_grant(
    open_session: OpenSession, replay: Replay
) -> None:
    async with open_session(NOTES, "read:/workspace") as session:
        assert (await session.call("read", {"path": "a.txt"})).ok
        run = session.calls_run
    assert (await replay(run)).identical
