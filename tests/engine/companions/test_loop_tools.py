"""The tools of the loop in a run: at the gate, on record, and without a trace on its labels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from capbox import app
from capbox.agent.events import Event, ToolFinished
from capbox.box import Box
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.replay.recorded import run_on_record
from capbox.engine.session import Session
from capbox.journal.event import RunId
from capbox.journal.head import Signer
from capbox.messages import ToolResult
from capbox.models.model import Model, ModelEvent, ModelRequest
from capbox.models.scripted import ScriptedModel
from capbox.tools.loop.finding import OFFERED_MAX
from capbox.tools.loop.person import AskPerson, Question

pytestmark = pytest.mark.anyio
OpenSession = Callable[..., Session]
Script = Callable[..., ScriptedModel]


def saying(*answers: str) -> AskPerson:
    """A person who gives these answers in order."""
    left = list(answers)

    async def ask(question: Question) -> str | None:
        return left.pop(0)

    return ask


async def told(
    session: Session, model: ScriptedModel, ask_user: AskPerson | None = None
) -> list[Event]:
    """Run to the end and return all events."""
    async with session.run("work", model, ask_user=ask_user) as events:
        return [event async for event in events]


def results(events: list[Event]) -> list[ToolResult]:
    """The results of the calls, in order."""
    return [event.result for event in events if isinstance(event, ToolFinished)]


def code(result: ToolResult) -> str | None:
    """The error's code, or None."""
    return None if result.error is None else result.error.code


async def test_each_is_journaled_before_and_after_and_leaves_no_effect_or_label(
    open_session: OpenSession, script: Script, records: object
) -> None:
    model = script(
        [("todo", {"items": ["[x] look"]}), ("brief", {"text": "half"})],
        [("ask_user", {"question": "go on?"}), ("sleep", {"seconds": 0})],
        "done",
    )
    async with open_session() as session:
        found = results(await told(session, model, saying("yes")))
    assert [(r.ok, r.content.partition(";")[0]) for r in found] == [
        (True, "1 items, 1 done"),
        (True, "told"),
        (True, "yes"),
        (True, "slept 0 s"),
    ]
    assert [(r.effects, r.sources) for r in found] == [((), ())] * 4
    entries = records.entries(found[0].journal)
    tools = [entry["tool"] for entry in entries if entry["kind"] == "intent"]
    ended = [entry["end"] for entry in entries if entry["kind"] == "outcome"]
    assert (sorted(tools), ended) == (["ask_user", "brief", "sleep", "todo"], ["ok"] * 4)


async def test_arguments_are_checked_and_calls_are_counted(
    open_session: OpenSession, script: Script
) -> None:
    model = script(
        [("todo", {"items": "all"}), ("brief", {"text": "half", "loud": True}), ("brief", {})],
        "done",
    )
    async with open_session() as session:
        events = await told(session, model)
    assert [code(r) for r in results(events)] == ["invalid_arguments"] * 3
    assert events[-1].spent.tool_calls == 3


async def test_they_are_not_there_for_direct_calls_and_not_beside_chosen_tools(
    open_session: OpenSession, script: Script
) -> None:
    async with open_session() as session:
        assert code(await session.call("todo", {"items": []})) == "unknown_tool"
    for settings in ({"tools": ("read",)}, {"preset": "search-only"}):
        async with open_session(**settings) as session:
            events = await told(session, script([("brief", {"text": "half"})], "done"))
        assert [code(r) for r in results(events)] == ["unknown_tool"]
    async with open_session(tools=("brief",)) as session:
        events = await told(session, script([("brief", {"text": "half"})], "done"))
    assert (events[0].tools, [r.ok for r in results(events)]) == (("brief",), [True])


@pytest.mark.parametrize(
    ("answers", "outcomes", "changed"),
    [
        (("accept",), ["planning", None, None, None], True),
        (("refuse",), ["planning", None, "refused", "planning"], False),
        ((), ["planning", None, "nobody", "planning"], False),
    ],
)
async def test_what_changes_something_waits_for_the_yes_to_a_plan(
    open_session: OpenSession,
    script: Script,
    workspace: Path,
    records: object,
    answers: tuple[str, ...],
    outcomes: list[str | None],
    changed: bool,
) -> None:
    write = ("write", {"path": "a.txt", "content": "new\n"})
    model = script(
        [("plan", {"action": "enter"})],
        [write, ("read", {"path": "a.txt"})],
        [("plan", {"action": "exit", "text": "write a.txt"}), write],
        "done",
    )
    async with open_session("write:/workspace") as session:
        found = results(await told(session, model, saying(*answers) if answers else None))
    assert [code(result) for result in found[1:]] == outcomes
    assert (workspace / "a.txt").read_text() == ("new\n" if changed else "alpha\n")
    said = [e for e in records.entries(found[0].journal) if e["kind"] == "decision"]
    assert {(e["what"], e["result"]) for e in said if e["what"] != "plan"} == {
        ("denial", "planning")
    }
    turns = ["entered", "left"] if changed else ["entered"]
    assert [e["result"] for e in said if e["what"] == "plan"] == turns


async def test_a_script_cannot_do_what_planning_forbids(
    open_session: OpenSession, script: Script, workspace: Path
) -> None:
    model = script([("plan", {"action": "enter"}), ("bash", {"script": "echo x > a.txt"})], "done")
    async with open_session("write:/workspace") as session:
        found = results(await told(session, model))
    assert ([code(r) for r in found], (workspace / "a.txt").read_text()) == (
        [None, "planning"],
        "alpha\n",
    )


async def test_a_session_goes_on_planning_in_its_next_run(
    open_session: OpenSession, script: Script
) -> None:
    async with open_session("write:/workspace") as session:
        await told(session, script([("plan", {"action": "enter"})], "done"))
        model = script([("write", {"path": "a.txt", "content": "x"})], "done")
        assert [code(r) for r in results(await told(session, model))] == ["planning"]


@pytest.mark.parametrize(("alone", "codes"), [(True, [None, None]), (False, [None, "nobody"])])
async def test_only_the_operator_lets_a_plan_go_on_without_a_person(
    open_session: OpenSession, script: Script, home: Home, alone: bool, codes: list[str | None]
) -> None:
    home.config.mkdir(parents=True, exist_ok=True)
    (home.config / "config.toml").write_text(f"plans_alone = {str(alone).lower()}\n")
    model = script(
        [("plan", {"action": "enter"}), ("plan", {"action": "exit", "text": "all of it"})], "done"
    )
    async with open_session() as session:
        assert [code(r) for r in results(await told(session, model))] == codes


@pytest.mark.parametrize(
    ("options", "answer", "sent"),
    [
        ([], "to bob@example.com, please", True),
        (["bob@example.com"], "bob@example.com", False),
        (["bob@example.com "], "bob@example.com ", False),
        (["bob@example.com\n"], "bob@example.com", False),
        (["Bob@Example.com"], "bob@example.com", False),
        (["bob@example.com"], "2: bob@example.com", False),
        ([], "you know whom", False),
    ],
)
async def test_what_a_person_types_grounds_and_what_they_choose_does_not(
    engine: LocalEngine,
    workspace: Path,
    script: Script,
    options: list[str],
    answer: str,
    sent: bool,
) -> None:
    mails: list[str] = []
    box = Box(workspace=workspace, grants=["tool:send arg.to=grounded"], engine=engine)

    @box.tool(effect="send", sinks={"to": "email"})
    def send(to: str) -> str:
        """Send a mail."""
        mails.append(to)
        return "sent"

    model = script(
        [("ask_user", {"question": "to whom?", "options": options})],
        [("send", {"to": "bob@example.com"})],
        "done",
    )
    async for _ in box_run(box, model, saying(answer)):
        pass
    assert mails == (["bob@example.com"] if sent else [])


class Overheard:
    """A model that keeps what it was asked."""

    def __init__(self, model: ScriptedModel) -> None:
        self.name, self.model = model.name, model
        self.requests: list[ModelRequest] = []

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        self.requests.append(request)
        return self.model.stream(request)

    def most_usd(self, input_tokens: int, output_tokens: int) -> float | None:
        return self.model.most_usd(input_tokens, output_tokens)


async def box_run(box: Box, model: Model, person: AskPerson) -> object:
    """Open the box and yield the events of one run."""
    async with box:
        async for event in box.run("send it", model=model, ask_user=person):
            yield event


async def test_of_many_tools_the_model_is_told_of_those_that_it_finds(
    engine: LocalEngine, workspace: Path, script: Script
) -> None:
    names = [f"act_{number}" for number in range(OFFERED_MAX)]
    box = Box(workspace=workspace, grants=[f"tool:{name}" for name in names], engine=engine)
    for name in names:

        @box.tool(effect="none", name=name)
        def act() -> str:
            """Do one thing."""
            return "done"

    script_ = script([("tool_search", {"query": "act 7"})], [("act_7", {})], "done")
    model = Overheard(script_)
    found = [e async for e in box_run(box, model, saying())]
    specs = [[tool.name for tool in request.tools] for request in model.requests]
    assert "act_7" not in specs[0] and "tool_search" in specs[0]
    assert specs[1][: len(specs[0])] == specs[0] and "act_7" in specs[1]
    assert [r.ok for r in results(found)] == [True, True]


async def test_a_run_with_them_replays_as_it_was(
    engine: LocalEngine, home: Home, workspace: Path, script: Script
) -> None:
    box = Box(workspace=workspace, grants=["tool:send arg.to=grounded"], engine=engine)

    @box.tool(effect="send", sinks={"to": "email"})
    def send(to: str) -> str:
        """Send a mail."""
        return "sent"

    mail = ("send", {"to": "bob@example.com"})
    model = script(
        [("plan", {"action": "enter"}), mail],
        [mail, ("brief", {"text": "refused"})],
        [("plan", {"action": "exit", "text": "send it"}), mail],
        [("ask_user", {"question": "to whom?"})],
        [mail],
        "done",
    )
    found = results([e async for e in box_run(box, model, saying("accept", "bob@example.com"))])
    assert [code(r) for r in found] == [
        *(None, "planning", "planning", None),
        *(None, "denied", None, None),
    ]
    signer = Signer.load(home.state / "journal.key")
    record = run_on_record(home.state, signer, RunId(found[0].journal))
    player = app.replaying(home, lambda line: None, lambda played: None)
    report = await player.replay(record)
    assert report.difference is None
    assert [played.state for played in report.calls] == [
        *("from the record",) * 3,
        "from the record",
        *("from the record",) * 2,
    ]
