"""A run that is over, executed once more: alike, or with the reason why it cannot be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from anyio import create_task_group
from tests.engine.conftest import OpenSession, Records, ScriptedApprover
from tests.engine.replay.conftest import Replay
from tests.engine.results.test_paging import Paging
from tests.undo.hand import tree

from capbox.agent.events import ToolFinished
from capbox.box import Box
from capbox.engine.budgets.given import budget_of
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.replay.kept import ReplayError, tape_of
from capbox.engine.replay.replaying import Report
from capbox.engine.session import Session
from capbox.gate.approver import For, ForRun, No, Once
from capbox.messages import ToolCall
from capbox.models.scripted import ScriptedModel
from capbox.sandbox.undo.keeper import Bounds


def states(report: Report) -> list[tuple[str, str]]:
    """Return tool and state of each call, with the reason if there is one."""
    return [(one.tool, f"{one.state}: {one.reason}".rstrip(": ")) for one in report.calls]


async def scripts(session: Session, *lines: str) -> list[str]:
    """Run each line in bash and return what it wrote."""
    results = [await session.call("bash", {"script": line}) for line in lines]
    assert all(result.ok for result in results), results
    return [result.content for result in results]


CHANGES = (
    "mkdir -p deep/er; echo one > deep/er/new.txt; mv b.txt deep/b.txt; ls -R",
    "cat deep/b.txt a.txt; rm a.txt; echo more >> deep/b.txt; wc -c deep/b.txt",
    "mv deep moved; ls -R; cat moved/b.txt; cat moved/er/new.txt",
    "echo again > a.txt; chmod 755 moved/b.txt; ls a.txt moved; cat a.txt",
)


async def test_clock_randomness_and_what_bash_keeps_between_calls_are_as_they_were(
    open_session: OpenSession, replay: Replay
) -> None:
    async with open_session("read:/workspace") as session:
        wrote = await scripts(
            session,
            "x=5; cd /tmp; echo kept > s; date +%s%N; echo $RANDOM",
            "echo $x; pwd; cat s; date +%s%N; echo $RANDOM; head -c 8 /dev/urandom | od -x",
        )
    report = await replay(session.calls_run)
    assert (report.identical, states(report)) == (True, [("bash", "identical")] * 2)
    assert wrote[0] != wrote[1]


async def test_the_tree_is_what_it_was_before_each_call_and_stays_what_it_is(
    open_session: OpenSession, replay: Replay, workspace: Path
) -> None:
    async with open_session("write:/workspace") as session:
        await scripts(session, *CHANGES)
    async with open_session("write:/workspace") as later:
        await scripts(later, "rm -r moved; echo later > a.txt; mkdir b.txt")
    before = tree(workspace)
    report = await replay(session.calls_run)
    assert (report.difference, states(report)) == (None, [("bash", "identical")] * 4)
    assert (await replay(later.calls_run)).identical
    assert tree(workspace) == before
    assert (workspace / "a.txt").read_text() == "later\n"


async def test_it_is_replayed_after_an_undo_too(open_session: OpenSession, replay: Replay) -> None:
    async with open_session("write:/workspace") as session:
        await scripts(session, *CHANGES)
        run = session.calls_run
        await session.undo((), run=None, force=False)
    assert (await replay(run)).identical


async def test_what_a_person_changed_since_is_named_and_is_no_difference(
    open_session: OpenSession, replay: Replay, workspace: Path
) -> None:
    async with open_session("read:/workspace") as session:
        for path in ("a.txt", "b.txt"):
            await session.call("read", {"path": path})
        await session.call("glob", {"pattern": "*.txt"})
    report = await replay(session.calls_run)
    assert report.identical
    (workspace / "b.txt").write_text("by a person\n")
    changed = [("read", "identical"), ("read", "not replayable: /workspace/b.txt changed since")]
    report = await replay(session.calls_run)
    assert (states(report), report.difference) == ([*changed, ("glob", "identical")], None)
    assert not report.identical
    (workspace / "b.txt").unlink()
    report = await replay(session.calls_run)
    assert [state for _, state in states(report)] == [
        "identical",
        "not replayable: /workspace/b.txt changed since",
        "not replayable: /workspace changed since",
    ]


async def test_what_a_person_put_into_a_folder_of_the_run_is_no_difference(
    open_session: OpenSession, replay: Replay, workspace: Path
) -> None:
    async with open_session("write:/workspace") as session:
        await scripts(session, "cat a.txt", "mkdir d; echo 1 > d/1", "mkdir -p d/e; cat a.txt")
    assert (await replay(session.calls_run)).identical
    for name in ("d", "d/e"):
        (workspace / name / "mine").write_text("by a person\n")
    report = await replay(session.calls_run)
    assert (report.difference, [state for _, state in states(report)]) == (
        None,
        [
            "identical",
            *(f"not replayable: /workspace/{name} changed since" for name in ("d", "d/e")),
        ],
    )


async def test_a_change_with_the_old_time_of_change_is_noticed_too(
    open_session: OpenSession, replay: Replay, workspace: Path
) -> None:
    async with open_session("read:/workspace") as session:
        await session.call("read", {"path": "a.txt"})
    found = (workspace / "a.txt").stat()
    (workspace / "a.txt").write_text("other\n")
    os.utime(workspace / "a.txt", ns=(found.st_atime_ns, found.st_mtime_ns))
    report = await replay(session.calls_run)
    assert states(report) == [("read", "not replayable: /workspace/a.txt changed since")]


async def test_a_person_who_writes_between_two_calls_is_told_of(
    open_session: OpenSession, replay: Replay, workspace: Path
) -> None:
    async with open_session("write:/workspace") as session:
        await scripts(session, "echo one > new.txt")
        (workspace / "new.txt").write_text("a person\n")
        await scripts(session, "cat new.txt; echo two >> new.txt")
    report = await replay(session.calls_run)
    reason = "not replayable: /workspace/new.txt changed since"
    assert states(report) == [("bash", "identical"), ("bash", reason)]


async def test_the_first_difference_is_shown_and_ends_the_replay(
    open_session: OpenSession, replay: Replay
) -> None:
    async with open_session("read:/workspace") as session:
        await session.call("read", {"path": "a.txt"})
        # The number of a file is that of its copy.
        wrote = await scripts(session, "ls -i a.txt")
        await session.call("read", {"path": "b.txt"})
    report = await replay(session.calls_run)
    assert states(report) == [("read", "identical"), ("bash", "different")]
    assert report.difference is not None
    assert (report.difference.seq, report.difference.what) == (4, "the content of its result")
    assert f"-{wrote[0].rstrip()}" in report.difference.lines


async def test_refusals_questions_answers_and_leases_are_decided_again(
    open_session: OpenSession,
    approver: type[ScriptedApprover],
    script: Callable[..., ScriptedModel],
    replay: Replay,
    records: Records,
) -> None:
    asked = approver(Once(), No("not that one"), ForRun(), For(60))
    calls: list[tuple[str, dict[str, str]]] = [
        ("read", {"path": "a.txt"}),
        ("read", {"path": "b.txt"}),
        ("read", {"path": "a.txt"}),
        ("write", {"path": "new.txt", "content": "new\n"}),
        ("read", {"path": "new.txt"}),
        ("read", {"path": "b.txt"}),
        ("read", {"path": "/etc/passwd"}),
        ("read", {"path": 7}),
        ("nothing", {}),
    ]
    model = script(*([call] for call in calls), "done")
    async with open_session(ceiling=("write:/workspace",), approver=asked) as session:
        async with session.run("try", model) as events:
            async for _ in events:
                run = session.authorities
        assert run
    name = records.verdicts()[0].run
    entries = records.entries(str(name))
    assert sum(entry.get("what") == "lease" for entry in entries) == 3
    report = await replay(str(name))
    assert (report.difference, report.identical, len(report.calls)) == (None, True, len(calls))
    assert report.decisions >= 16


async def test_functions_are_answered_from_the_record(
    engine: LocalEngine, workspace: Path, replay: Replay
) -> None:
    calls: list[str] = []
    box = Box(workspace=workspace, grants=("tool:send", "read:/workspace"), engine=engine)

    @box.tool(effect="send", sinks={"to": "email"})
    def send(to: str) -> str:
        """Send a mail."""
        calls.append(to)
        return f"sent to {to}"

    async with box:
        assert (await box.call("send", to="Alice@Example.com")).ok
        result = await box.call("read", path="a.txt")
    report = await replay(result.journal)
    assert states(report) == [("send", "from the record"), ("read", "identical")]
    assert report.identical
    assert calls == ["Alice@example.com"]


INVOKED = """
cd /workspace
invoke send '{"to": "alice@a.example"}' > out.txt
invoke send '{"to": "mallory@b.example"}'
invoke nothing '{}'; invoke send '{"to": 7}'
cat a.txt > more.txt; invoke send '{"to": "alice@a.example"}' | sed s/sent/SENT/
invoke send '{"to": "alice@a.example"}'
invoke --list
"""


async def test_functions_that_a_guest_invokes_are_answered_from_the_record(
    engine: LocalEngine, workspace: Path, replay: Replay
) -> None:
    calls: list[str] = []
    invoke = "invoke:send arg.to=in(alice@a.example) uses=2"
    box = Box(workspace=workspace, grants=(invoke, "write:/workspace"), engine=engine)

    @box.tool(effect="send", sinks={"to": "email"})
    def send(to: str) -> str:
        """Send a mail."""
        calls.append(to)
        return f"sent {len(calls)} to {to}"

    async with box:
        first = await box.call("bash", script=INVOKED)
        second = await box.call("bash", script="cd /workspace; cat out.txt; invoke send '{}'")
    assert calls == ["alice@a.example"] * 2
    assert "SENT 2 to alice" in first.content and "used up" in first.content
    report = await replay(second.journal)
    assert (report.difference, states(report)) == (None, [("bash", "identical")] * 2)
    assert report.identical
    assert calls == ["alice@a.example"] * 2


async def test_the_value_of_a_variable_is_not_kept_and_its_call_is_left_out(
    open_session: OpenSession, replay: Replay, home: Home
) -> None:
    environ = {"TOKEN": "quite-a-secret-value"}
    script = 'echo ${#TOKEN} $TOKEN $SET; KEPT=$TOKEN; curl -H "X: $TOKEN" http://127.0.0.1:9/'
    grants = ("read:/workspace", "fetch:http://127.0.0.1:9/")
    async with open_session(*grants, env=("TOKEN", "SET=here"), environ=environ) as s:
        await s.call("bash", {"script": script})
        await s.call("read", {"path": "a.txt"})
    report = await replay(s.calls_run)
    reason = "it saw this machine's variable TOKEN, whose value is not kept"
    assert states(report) == [("bash", f"not replayable: {reason}"), ("read", "identical")]
    tapes = b"".join(file.read_bytes() for file in home.replay.iterdir())
    assert b"quite-a-secret-value" not in tapes and b"echo" in tapes


async def test_what_a_budget_refused_is_left_out_with_that_reason(
    open_session: OpenSession, replay: Replay
) -> None:
    """What other runs of the day, or agents, had spent by then is on no record of this one."""
    budget, given = budget_of({"calls": 3, "files": 1})
    limited = {"budget": budget, "budget_given": frozenset(given)}
    async with open_session("write:/workspace", **limited) as session:
        for name in ("one", "two", "three", "four"):
            await session.call("bash", {"script": f"echo {name} > {name}.txt"})
    report = await replay(session.calls_run)
    reason = "a budget did not allow all of it, and what others had spent is not on record"
    assert states(report) == [("bash", "identical"), *[("bash", f"not replayable: {reason}")] * 3]


async def test_a_run_that_goes_on_is_replayed_as_far_as_it_is_on_record(
    open_session: OpenSession, replay: Replay
) -> None:
    async with open_session("read:/workspace") as session:
        await session.call("read", {"path": "a.txt"})
        report = await replay(session.calls_run)
    assert (report.identical, report.run.closed) == (True, False)
    assert report.notes == ("the run goes on, or was killed: what is on record of it was replayed",)


async def test_without_a_tape_there_is_nothing_to_replay(
    engine: LocalEngine, open_session: OpenSession, replay: Replay, home: Home
) -> None:
    engine.tapes = None
    async with open_session("read:/workspace") as session:
        await session.call("read", {"path": "a.txt"})
    with pytest.raises(ReplayError, match="nothing was kept of it"):
        await replay(session.calls_run)
    assert not home.replay.exists()


async def test_a_tape_that_is_full_ends_the_replay_and_not_the_run(
    engine: LocalEngine, open_session: OpenSession, replay: Replay
) -> None:
    engine.tapes = Bounds(run_bytes=2_500)
    async with open_session("read:/workspace") as session:
        for _ in range(9):
            assert (await session.call("read", {"path": "a.txt"})).ok
    report = await replay(session.calls_run)
    assert 0 < len(report.calls) < 9
    assert (report.difference, report.identical) == (None, False)
    assert any("met its bound" in note for note in report.notes)


async def test_old_tapes_are_pruned_and_their_runs_say_so(
    open_session: OpenSession, replay: Replay, home: Home
) -> None:
    async with open_session("read:/workspace") as session:
        await session.call("read", {"path": "a.txt"})
    assert session.calls_run is not None
    tape_of(home.replay, session.calls_run, Bounds(days=0), 4e9)._first()  # type: ignore[arg-type]
    with pytest.raises(ReplayError, match="it was pruned, or removed"):
        await replay(session.calls_run)


@pytest.mark.attack
@pytest.mark.parametrize("ids", [("c", "c", "c"), ("c", "c/1", "c/1"), ("c", "c", "c+1")])
async def test_calls_that_a_model_gives_one_id_are_told_apart(
    engine: LocalEngine,
    open_session: OpenSession,
    approver: type[ScriptedApprover],
    replay: Replay,
    records: Records,
    ids: tuple[str, str, str],
) -> None:
    asked = approver(Once(), Once())
    settings = {"ceiling": ("read:/workspace",), "approver": asked}
    async with open_session("read:/workspace/a.txt", **settings) as session:
        await session.call("bash", {"script": "true"})
        seat = session._seats[0]
        async with create_task_group() as tasks:  # as the calls of one reply are: side by side
            for name, path in zip(ids, ("b.txt", "a.txt", "b.txt"), strict=True):
                call = ToolCall(name, "read", {"path": path})
                tasks.start_soon(engine.gate.call, call, seat)
        run = str(session.calls_run)
    report = await replay(run)
    assert (report.difference, states(report)[1:]) == (None, [("read", "identical")] * 3)
    intents = [one for one in records.entries(run) if one["kind"] == "intent"]
    assert len({one["call"] for one in intents}) == len(intents) == 4


async def test_a_long_result_that_was_read_page_by_page_is_there_again(
    open_session: OpenSession, replay: Replay
) -> None:
    async with (
        open_session("read:/workspace") as session,
        session.run("count", Paging()) as stream,
    ):
        events = [event async for event in stream]
    first, second = (event.result for event in events if isinstance(event, ToolFinished))
    assert "5000\t5000" in second.content
    report = await replay(first.journal)
    assert (report.difference, states(report)) == (
        None,
        [("bash", "identical"), ("read", "identical")],
    )
