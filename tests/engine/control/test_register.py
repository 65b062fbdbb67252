"""Ending runs from elsewhere: on record first, with all that descends, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from capbox.agent.outcome import Revoked
from capbox.engine.approvers.queue import QueueApprover
from capbox.engine.control.requests import Requests
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.gate.approver import ForRun
from capbox.messages import JsonObject, ToolResult

OpenSession = Callable[..., Session]
LOOP = ": > /tmp/started; while :; do :; done"


def code(result: ToolResult) -> str | None:
    return None if result.error is None else result.error.code


def runs(engine: LocalEngine) -> list[JsonObject]:
    found = Requests(engine.register).answer({"do": "runs"})["runs"]
    assert isinstance(found, list)
    return [one for one in found if isinstance(one, dict)]


async def test_a_run_is_listed_while_it_is_open(
    open_session: OpenSession, engine: LocalEngine, workspace: object
) -> None:
    assert runs(engine) == []
    async with open_session("read:/workspace") as session:
        await session.call("read", {"path": "a.txt"})
        (listed,) = runs(engine)
        assert (listed["run"], listed["what"], listed["calls"], listed["calling"]) == (
            session.calls_run,
            "capbox call read",
            1,
            [],
        )
        assert listed["workspace"] == str(workspace)
    assert runs(engine) == []


@pytest.mark.parametrize("lent", [False, True])
async def test_a_revoked_run_holds_nothing_and_is_asked_for_nothing(
    open_session: OpenSession, engine: LocalEngine, approver: type, records: object, lent: bool
) -> None:
    person = approver(ForRun()) if lent else None
    grants = () if lent else ("read:/workspace",)
    async with open_session(*grants, approver=person) as session:
        before = await session.call("read", {"path": "a.txt"})
        run = str(session.calls_run)
        reply = Requests(engine.register).answer({"do": "revoke_run", "run": run})
        after = await session.call("read", {"path": "a.txt"})
    assert (code(before), reply, code(after)) == (None, {"runs": [run], "calls": []}, "denied")
    kinds = [e.get("what", e["kind"]) for e in records.entries(run)]
    assert kinds[-(3 + lent) :] == [*["revocation"] * (1 + lent), "denial", "closed"]


async def test_one_grant_ends_and_its_neighbours_stay(
    open_session: OpenSession, engine: LocalEngine
) -> None:
    async with open_session("read:/workspace/a.txt", "read:/workspace/b.txt") as session:
        await session.call("read", {"path": "a.txt"})
        (listed,) = runs(engine)
        grants = {g["grant"]: g["id"] for a in listed["authorities"] for g in a["grants"]}
        name = grants["read:/workspace/a.txt"]
        reply = Requests(engine.register).answer({"do": "revoke", "name": name})
        results = [await session.call("read", {"path": path}) for path in ("a.txt", "b.txt")]
        (listed,) = runs(engine)
        lapsed = {g["grant"]: g["lapsed"] for a in listed["authorities"] for g in a["grants"]}
    assert "error" not in reply
    assert list(map(code, results)) == ["denied", None]
    assert (lapsed["read:/workspace/a.txt"], lapsed["read:/workspace/b.txt"]) == ("revoked", None)
    assert results[0].denied[0].reason == "revoked: read:/workspace/a.txt"


async def test_the_record_comes_first_and_what_is_at_work_stops(
    open_session: OpenSession, engine: LocalEngine, cache: object, records: object
) -> None:
    results: list[ToolResult] = []

    async def loop(session: Session) -> None:
        results.append(await session.call("bash", {"script": LOOP}))

    async with open_session("read:/workspace") as ended, open_session("read:/workspace") as other:
        await other.call("read", {"path": "a.txt"})
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(loop, ended)
                while not any((cache / "scratch").glob("*/started")):
                    await anyio.lowlevel.checkpoint()
                run = str(ended.calls_run)
                assert Requests(engine.register).answer({"do": "revoke_run", "run": run}) == {
                    "runs": [run],
                    "calls": ["bash"],
                }
        after = await other.call("read", {"path": "b.txt"})
    assert (list(map(code, results)), code(after)) == (["revoked"], None)
    kinds = [e.get("what", e["kind"]) for e in records.entries(run)]
    assert kinds == ["opened", "intent", "revocation", "outcome", "closed"]


async def test_a_revoked_task_ends(
    open_session: OpenSession, engine: LocalEngine, script: Callable[..., object], cache: object
) -> None:
    model = script([("bash", {"script": LOOP})], "done")
    async with open_session("read:/workspace") as session:
        with anyio.fail_after(30):
            async with session.run("spin for ever", model) as events:
                kinds, told = [], []
                async for event in events:
                    kinds.append(type(event).__name__)
                    told.append(event)
                    if kinds[-1] == "ToolStarted":
                        while not any((cache / "scratch").glob("*/started")):
                            await anyio.lowlevel.checkpoint()
                        (listed,) = runs(engine)
                        assert (listed["what"], listed["turns"]) == ("spin for ever", 1)
                        engine.register.revoke_run(str(listed["run"]), "by the test")
    assert kinds[-1] == "RunFinished"
    assert told[-1].outcome == Revoked()
    assert runs(engine) == []


async def test_it_is_told_why_a_grant_that_is_listed_counts_no_more(
    open_session: OpenSession, engine: LocalEngine
) -> None:
    grants = ("read:/workspace/a.txt uses=1", "read:/workspace/b.txt expires=0s")
    async with open_session(*grants) as session:
        await session.call("read", {"path": "a.txt"})
        requests = Requests(engine.register)
        (listed,) = runs(engine)
        lapsed = [g["lapsed"] for a in listed["authorities"] for g in a["grants"]]
        assert sorted(filter(None, lapsed)) == ["expired", "used up (uses=1)"]
        whole = listed["authorities"][0]["id"]
        assert "error" not in requests.answer({"do": "revoke", "name": whole})
        (listed,) = runs(engine)
        assert {g["lapsed"] for a in listed["authorities"] for g in a["grants"]} == {"revoked"}


async def test_a_tool_that_waits_for_an_answer_is_not_said_to_have_been_at_work(
    open_session: OpenSession, engine: LocalEngine
) -> None:
    board = QueueApprover(60)
    async with open_session(approver=board) as session, anyio.create_task_group() as tasks:
        tasks.start_soon(session.call, "read", {"path": "a.txt"})
        await anyio.wait_all_tasks_blocked()
        while not board.pending():
            await anyio.lowlevel.checkpoint()
        run = str(session.calls_run)
        reply = Requests(engine.register).answer({"do": "revoke_run", "run": run})
    assert reply == {"runs": [run], "calls": ["read (it waited for an answer)"]}


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({}, "unknown request"),
        ({"do": "grant"}, "unknown request"),
        ({"do": ["runs"]}, "unknown request"),
        ({"do": "runs", "run": "x"}, "runs takes"),
        ({"do": "revoke"}, "revoke takes"),
        ({"do": "revoke", "name": 7}, "revoke takes"),
        ({"do": "revoke", "name": "x", "by": "me"}, "revoke takes"),
        ({"do": "revoke", "name": "x"}, "nothing of that name"),
        ({"do": "revoke", "name": ""}, "nothing of that name"),
        ({"do": "revoke_run", "run": ""}, "nothing of that name"),
    ],
)
async def test_what_is_not_understood_does_nothing(
    open_session: OpenSession, engine: LocalEngine, request_: JsonObject, error: str
) -> None:
    async with open_session("read:/workspace") as session:
        await session.call("read", {"path": "a.txt"})
        assert str(Requests(engine.register).answer(request_)["error"]).startswith(error)
        assert (await session.call("read", {"path": "b.txt"})).ok
