"""A program goes on with sessions, and nothing that was taken away comes back with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from capbox.agent.events import Event, RunFinished, RunStarted, ToolFinished
from capbox.agent.incidents import Steered
from capbox.agent.outcome import Completed
from capbox.box import Box, SessionError, SettingsError
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.workspaces.register import Workspaces

READ_A = [("read", {"path": "a.txt"})]
WRITE_A = [("write", {"path": "a.txt", "content": "changed\n"})]
NOTE = [("note", {"text": "hello"})]
MakeBox = Callable[..., Box]


@pytest.fixture
def make_box(engine: LocalEngine, workspace: Path) -> MakeBox:
    """Make a box on the workspace that uses the test's engine."""

    def made(*grants: str, **more: object) -> Box:
        where = {} if "workspace_name" in more else {"workspace": workspace}
        return Box(**{**where, "grants": grants, "engine": engine, **more})

    return made


async def told(box: Box, task: str, **more: object) -> list[Event]:
    """The events of one run."""
    return [event async for event in box.run(task, **more)]


def codes(events: list[Event]) -> list[str | None]:
    """What each call came to: the code of its error, None: it did what it should."""
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    return [None if one.error is None else one.error.code for one in results]


async def test_a_run_goes_on_with_the_session_that_another_run_of_the_box_began(
    make_box: MakeBox, script: Callable
) -> None:
    model = script(READ_A, "first", "second")
    async with make_box("read:/workspace") as box:
        assert box.session is None
        await told(box, "one", model=model)
        began = box.session
        events = await told(box, "two", model=model, session=began)
        assert isinstance(events[-1], RunFinished)
        assert (events[-1].outcome, events[-1].text) == (Completed(), "second")
        assert [(one.id, one.messages) for one in await box.sessions()] == [(began, 6)]
        await told(box, "three", model=script("other"))
        assert box.session != began


async def test_a_box_that_resumes_holds_what_the_session_held_and_no_more(
    make_box: MakeBox, script: Callable, workspace: Path
) -> None:
    model = script(READ_A, "first", READ_A, WRITE_A, "second", READ_A, "third")
    async with make_box("read:/workspace") as box:
        await told(box, "one", model=model)
        began = box.session
    async with make_box(resume="last") as box:
        assert codes(await told(box, "two", model=model)) == [None, "denied"]
        # Every run of it goes on with the session.
        events = await told(box, "three", model=model)
        assert (codes(events), events[-1].text) == ([None], "third")
        assert box.session == began
    assert (workspace / "a.txt").read_text() == "alpha\n"


async def test_what_was_revoked_does_not_come_back(make_box: MakeBox, script: Callable) -> None:
    model = script(READ_A, "first", READ_A, "second")
    async with make_box("read:/workspace") as box:
        async for event in box.run("one", model=model):
            if isinstance(event, ToolFinished):
                box.revoke()
    async with make_box(resume="last") as box:
        assert codes(await told(box, "two", model=model)) == ["denied"]
        assert "read:/workspace does not come back: it was revoked" in box.notes


async def test_a_revoked_box_has_nothing_for_its_sessions_either(
    make_box: MakeBox, script: Callable
) -> None:
    model = script(READ_A, "first", READ_A, "second")
    async with make_box("read:/workspace") as box:
        assert codes(await told(box, "one", model=model)) == [None]
        box.revoke()
        events = await told(box, "two", model=model, session=box.session)
        assert codes(events) == ["denied"]


@pytest.fixture
def registered(workspace: Path, home: Home) -> str:
    """The workspace under a name, with grants and instructions of its own."""
    home.prepare()
    workspaces = Workspaces(home)
    one = workspaces.add(workspace, "notes")
    workspaces.keep(replace(one, grants=("write:/workspace",), budget={"calls": 2}))
    return "notes"


@pytest.mark.parametrize(
    ("grants", "found"),
    [((), [None, None]), (("read:/workspace",), ["denied", None])],
)
async def test_a_registered_workspace_grants_where_the_program_grants_nothing(
    make_box: MakeBox,
    script: Callable,
    registered: str,
    grants: tuple[str, ...],
    found: list[str | None],
) -> None:
    async with make_box(*grants, workspace_name=registered) as box:
        assert codes(await told(box, "one", model=script(WRITE_A, READ_A, "done"))) == found


async def test_what_a_workspace_grants_does_not_come_back_with_a_session_that_held_less(
    make_box: MakeBox, script: Callable, registered: str, workspace: Path
) -> None:
    model = script(READ_A, "first", WRITE_A, "second")
    async with make_box("read:/workspace", workspace_name=registered) as box:
        await told(box, "one", model=model)
    async with make_box(workspace_name=registered, resume="last") as box:
        assert codes(await told(box, "two", model=model)) == ["denied"]
    assert (workspace / "a.txt").read_text() == "alpha\n"


@pytest.mark.parametrize("granted", [True, False])
async def test_a_function_comes_back_only_where_the_session_held_it(
    make_box: MakeBox, script: Callable, granted: bool
) -> None:
    written: list[str] = []
    model = script("first", NOTE, "second")

    def with_note(*grants: str, **more: object) -> Box:
        box = make_box(*grants, **more)

        @box.tool(effect="write")
        def note(text: str) -> str:
            "Note it."
            written.append(text)
            return "noted"

        return box

    async with with_note(*["tool:note"] * granted) as box:
        await told(box, "one", model=model)
    async with with_note(resume="last") as box:
        events = await told(box, "two", model=model)
    assert (written == ["hello"], None in codes(events)) == (granted, granted)


async def test_a_session_of_another_box_is_none_of_this_one(
    make_box: MakeBox, script: Callable
) -> None:
    async with make_box() as box:
        await told(box, "one", model=script("first"))
        other = box.session
    async with make_box("write:/workspace") as box:
        with pytest.raises(SessionError, match=r"no run of this box began it.*resume="):
            await told(box, "two", model=script("first", WRITE_A, "x"), session=other)


async def test_a_session_that_somebody_else_works_in_is_refused(
    make_box: MakeBox, script: Callable
) -> None:
    model = script("first", READ_A, "second")
    async with make_box("read:/workspace") as box:
        await told(box, "one", model=model)
    async with make_box(resume="last") as box:
        with pytest.raises(SessionError) as refused:
            async with make_box(resume="last"):
                pass
        assert refused.value.held
        async for event in box.run("two", model=model):
            if isinstance(event, RunStarted):
                with pytest.raises(SessionError, match="another run of this box"):
                    await told(box, "three", model=model)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"resume": "last"}, SessionError, "there is none in"),
        ({"resume": "../../etc"}, SessionError, "that is no id"),
        ({"workspace_name": "nosuch"}, SettingsError, "there is no such workspace"),
        (
            {"workspace": "/tmp", "workspace_name": "notes"},
            SettingsError,
            "names a workspace, and workspace= another folder",
        ),
    ],
)
async def test_what_cannot_be_gone_on_with_is_named(
    make_box: MakeBox, settings: dict[str, str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        async with make_box(**settings):
            pass


async def test_a_run_without_a_model_says_which_is_missing(make_box: MakeBox) -> None:
    async with make_box() as box:
        with pytest.raises(SettingsError, match="which one"):
            await told(box, "one")


async def test_a_person_steers_a_run_under_way(make_box: MakeBox, script: Callable) -> None:
    model = script(READ_A, "first", "second")
    async with make_box("read:/workspace") as box:
        assert box.runs.steer("nobody is there") is False
        events: list[Event] = []
        async for event in box.run("one", model=model):
            events.append(event)
            if isinstance(event, ToolFinished):
                assert box.runs.steer("and b.txt") is True
    assert [event.text for event in events if isinstance(event, Steered)] == ["and b.txt"]
