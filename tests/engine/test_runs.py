"""Runs in a session: with a scripted model, on real files, with the real tools."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from capbox.agent.events import RunFinished, RunStarted, ToolFinished, ToolStarted
from capbox.agent.outcome import Cancelled, Completed, ToolCallLimit
from capbox.authority.budget import Budget
from capbox.box import Box
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.engine.settings import SettingsError
from capbox.gate.approver import Once, Stop
from capbox.journal.verify import Closed
from capbox.models.scripted import ScriptedModel
from capbox.store.errors import StoreError
from capbox.store.runs import StoredRun, open_runs
from capbox.tools.loop.offer import NAMES

OpenSession = Callable[..., Session]
Script = Callable[..., ScriptedModel]
LOOP = ("bash", {"script": ": > /tmp/started; while :; do :; done"})


async def finished(session: Session, task: str, model: ScriptedModel) -> list[object]:
    """Run to the end and return all events."""
    async with session.run(task, model) as events:
        return [event async for event in events]


async def stored(home: Home) -> tuple[StoredRun, ...]:
    """Return the stored runs, newest first."""
    async with open_runs(home.state / "runs.db") as store:
        return await store.newest()


async def test_a_run_edits_what_is_granted_is_refused_the_rest_and_goes_on(
    open_session: OpenSession, script: Script, workspace: Path
) -> None:
    model = script(
        [("edit", {"path": "a.txt", "old": "alpha", "new": "omega"})],
        [("write", {"path": "b.txt", "content": "no"})],
        "done",
    )
    async with open_session("write:/workspace/a.txt", "read:/workspace") as session:
        events = await finished(session, "edit", model)
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    assert [(r.ok, [d.missing for d in r.denied]) for r in results] == [
        (True, []),
        (False, ["write:/workspace/b.txt"]),
    ]
    assert isinstance(events[-1], RunFinished) and events[-1].outcome == Completed()
    texts = [(workspace / name).read_text() for name in ("a.txt", "b.txt")]
    assert texts == ["omega\n", "beta\n"]


async def test_a_run_is_stored_with_its_events_and_closed_in_the_journal(
    open_session: OpenSession, script: Script, workspace: Path, home: Home, records: object
) -> None:
    model = script([("read", {"path": "a.txt"})], "done")
    async with open_session("read:/workspace") as session:
        events = await finished(session, "look", model)
    (run,) = await stored(home)
    async with open_runs(home.state / "runs.db") as store:
        kept = await store.events(run.id)
    assert (run.task, run.workspace, run.model) == ("look", str(workspace), "scripted")
    assert (run.outcome, run.ended_at is not None) == ("completed", True)
    told = "run_started model_reply tool_started tool_finished model_reply run_finished"
    assert [e.event["type"] for e in kept] == told.split()
    assert isinstance(events[0], RunStarted) and events[0].run == run.id
    assert records.verdicts() == (Closed(run.id, 6),)
    kinds = [entry["kind"] for entry in records.entries(run.id)]
    assert kinds == ["opened", "turn", "intent", "outcome", "turn", "closed"]


async def test_the_model_is_offered_only_tools_that_can_work(
    open_session: OpenSession, script: Script
) -> None:
    offered = {}
    for grants in ((), ("read:/workspace",), ("write:/workspace",)):
        async with open_session(*grants) as session:
            started = (await finished(session, "look", script("done")))[0]
        loop = {*NAMES, "recall", "skill"} - {"tool_search"}
        offered[grants] = tuple(name for name in started.tools if name not in loop)
        assert set(started.tools) - set(offered[grants]) == loop
    assert offered == {
        (): ("bash", "javascript", "python"),
        ("read:/workspace",): ("bash", "glob", "grep", "javascript", "python", "read", "tree"),
        ("write:/workspace",): (
            "apply_patch",
            "bash",
            "edit",
            "glob",
            "grep",
            "javascript",
            "python",
            "read",
            "tree",
            "write",
        ),
    }


async def test_a_tool_that_was_not_chosen_is_refused(
    open_session: OpenSession, script: Script
) -> None:
    model = script([("bash", {"script": "echo hi"}), ("read", {"path": "a.txt"})], "done")
    async with open_session("read:/workspace", tools=("read",)) as session:
        events = await finished(session, "look", model)
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    assert [(r.ok, [d.access for d in r.denied]) for r in results] == [
        (False, ["tool bash"]),
        (True, []),
    ]


async def test_an_unknown_tool_cannot_be_chosen(open_session: OpenSession, script: Script) -> None:
    async with open_session(tools=("rm",)) as session:
        with pytest.raises(
            SettingsError, match="there is no such tool; there are: apply_patch, ask_user"
        ):
            await finished(session, "look", script("done"))


async def test_read_only_calls_of_one_reply_finish_in_the_order_they_were_made(
    open_session: OpenSession, script: Script, workspace: Path
) -> None:
    names = [f"{n}.txt" for n in range(10)]
    for name in names:
        (workspace / name).write_text(f"this is {name}\n")
    model = script([("read", {"path": name}) for name in names], "done")
    async with open_session("read:/workspace") as session:
        events = await finished(session, "look", model)
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    assert [name in r.content for name, r in zip(names, results, strict=True)] == [True] * 10


async def test_a_budget_ends_a_run(open_session: OpenSession, script: Script) -> None:
    model = script([("read", {"path": "a.txt"}), ("read", {"path": "b.txt"})], "done")
    async with open_session("read:/workspace", budget=Budget(tool_calls=1)) as session:
        events = await finished(session, "look", model)
    assert events[-1].outcome == ToolCallLimit(1)


async def test_a_lease_lets_the_run_go_on_and_stop_ends_it(
    open_session: OpenSession, script: Script, approver: type
) -> None:
    model = script([("read", {"path": "a.txt"})], [("read", {"path": "b.txt"})], "done")
    person = approver(Once(), Stop())
    async with open_session(tools=("read",), approver=person) as session:
        events = await finished(session, "look", model)
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    assert [r.ok for r in results] == [True, False]
    assert events[-1].to_json()["outcome"] == "stopped_by_person"


async def test_revoking_a_run_stops_its_tool_and_denies_every_later_call(
    open_session: OpenSession, script: Script
) -> None:
    model = script([LOOP], [("read", {"path": "a.txt"})], "done")
    codes = []
    with anyio.fail_after(30):
        async with (
            open_session("read:/workspace") as session,
            session.run("loop", model) as events,
        ):
            async for event in events:
                if isinstance(event, ToolStarted) and event.call.name == "bash":
                    session.revoke(session.authorities[0])
                if isinstance(event, ToolFinished):
                    codes.append(event.result.error.code)
    # The first is stopped on its way or refused before it, as the two happen to meet.
    assert codes[0] in ("revoked", "denied")
    assert codes[1:] == ["denied"]


# --- leaving early, by every door -----------------------------------------------------------------


async def leave_by_break(box: Box, model: ScriptedModel) -> None:
    async for event in box.run("loop", model=model):
        if isinstance(event, ToolStarted):
            break


async def leave_and_keep_the_iterator(box: Box, model: ScriptedModel) -> object:
    events = box.run("loop", model=model)
    async for event in events:
        if isinstance(event, ToolStarted):
            return events
    raise AssertionError("no tool was started")


async def leave_by_cancellation(box: Box, model: ScriptedModel) -> None:
    with anyio.CancelScope() as scope:
        async for event in box.run("loop", model=model):
            if isinstance(event, ToolStarted):
                scope.cancel()


async def leave_by_an_exception(box: Box, model: ScriptedModel) -> None:
    with pytest.raises(KeyError):
        async for event in box.run("loop", model=model):
            if isinstance(event, ToolStarted):
                raise KeyError(event.call.name)


@pytest.mark.parametrize(
    "leave",
    [
        leave_by_break,
        leave_and_keep_the_iterator,
        leave_by_cancellation,
        leave_by_an_exception,
    ],
)
async def test_leaving_early_interrupts_the_run_and_closes_its_record(
    engine: LocalEngine, workspace: Path, script: Script, home: Home, records: object,
    leave: Callable[[Box, ScriptedModel], object],
) -> None:  # fmt: skip
    with anyio.fail_after(30):
        async with Box(workspace=workspace, grants=["read:/workspace"], engine=engine) as box:
            kept = await leave(box, script([LOOP], "done"))
        assert [type(v) for v in records.verdicts()] == [Closed]
        (run,) = await stored(home)
        assert run.outcome == "cancelled"
        del kept
        gc.collect()
        await anyio.lowlevel.checkpoint()


async def test_cancelling_everything_around_a_box_still_closes_its_record(
    engine: LocalEngine, workspace: Path, script: Script, records: object
) -> None:
    with anyio.fail_after(30), anyio.CancelScope() as scope:
        async with Box(workspace=workspace, grants=["read:/workspace"], engine=engine) as box:
            async for event in box.run("loop", model=script([LOOP], "done")):
                if isinstance(event, ToolStarted):
                    scope.cancel()
    assert [type(v) for v in records.verdicts()] == [Closed]


async def test_several_runs_of_one_session_stay_apart(
    open_session: OpenSession, script: Script, records: object
) -> None:
    outcomes: list[object] = []

    async def one(session: Session, number: int) -> None:
        write = ("bash", {"script": f"echo {number} >> /tmp/mine; cat /tmp/mine"})
        events = await finished(session, f"task {number}", script([write], "done"))
        (told,) = [e.result.content for e in events if isinstance(e, ToolFinished)]
        outcomes.append((events[-1].outcome, told == f"{number}\n"))

    async with open_session() as session, anyio.create_task_group() as tasks:
        for number in range(4):
            tasks.start_soon(one, session, number)
    assert outcomes == [(Completed(), True)] * 4
    assert [type(v) for v in records.verdicts()] == [Closed] * 4


async def test_a_run_that_cannot_be_stored_does_not_start(
    open_session: OpenSession, script: Script, home: Home, records: object
) -> None:
    (home.state / "runs.db").write_text("not a database")
    async with open_session("read:/workspace") as session:
        with pytest.raises(StoreError):
            await finished(session, "look", script("done"))
        after = await session.call("read", {"path": "a.txt"})
    assert after.ok
    assert [type(v) for v in records.verdicts()] == [Closed, Closed]


async def test_a_run_whose_store_is_lost_half_way_is_interrupted_and_says_why(
    open_session: OpenSession, script: Script, home: Home
) -> None:
    model = script([("read", {"path": "a.txt"})], "done")
    seen: list[object] = []
    async with open_session("read:/workspace") as session:
        with pytest.raises(StoreError):
            async with session.run("look", model) as events:
                async for event in events:
                    seen.append(event)
                    if isinstance(event, RunStarted):
                        ruin(home.state / "runs.db")
        after = await session.call("read", {"path": "a.txt"})
    assert (seen[-1].outcome, after.ok) == (Cancelled(), True)


def ruin(database: Path) -> None:
    """Take the tables away under a running program."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("DROP TABLE events")
