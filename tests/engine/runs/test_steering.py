"""A person reaches into a run that is under way: what they say, hold, and ground."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import UnionType

import pytest
from tests.engine.hearing import hearing

from capbox import app
from capbox.agent.events import Event, RunFinished, RunStarted, ToolFinished, ToolStarted
from capbox.agent.incidents import Compressed, CompressionFailed, FellBack, Paused, Resumed, Steered
from capbox.agent.outcome import Cancelled, Completed
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.replay.recorded import run_on_record
from capbox.engine.session import Session
from capbox.engine.settings import Settings, SettingsError
from capbox.journal.event import RunId
from capbox.journal.head import Signer
from capbox.messages import ToolResult
from capbox.models.model import ModelError, ModelEvent, ModelRequest
from capbox.models.script import ScriptedReply
from capbox.models.scripted import ScriptedModel
from capbox.tools.functions.function import Function, function_of

pytestmark = pytest.mark.anyio
OpenSession = Callable[..., Session]
Script = Callable[..., ScriptedModel]
MAIL = ("send", {"to": "bob@example.com"})


def sending() -> dict[str, Function]:
    """A function that sends mail."""

    def send(to: str) -> str:
        """Send a mail."""
        return "sent"

    made = function_of(send, effect="send", sinks={"to": "email"}, timeout=5.0, name=None)
    assert isinstance(made, Function)
    return {"send": made}


@pytest.fixture
def mailing(engine: LocalEngine, workspace: Path) -> Session:
    """A session that may send to whom its principal names."""
    settings = Settings(workspace=workspace, grants=("tool:send arg.to=grounded",))
    return app.session(engine, settings, functions=app.functions(engine, sending()))


def results(events: list[Event]) -> list[ToolResult]:
    return [event.result for event in events if isinstance(event, ToolFinished)]


def of(events: list[Event], kind: type | UnionType) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize(
    ("said", "allowed"), [("bob@example.com, please", True), ("go on", False)], ids=str
)
async def test_what_is_said_to_a_run_grounds_values_from_then_on_in_a_replay_too(
    mailing: Session, script: Script, home: Home, said: str, allowed: bool
) -> None:
    found: list[Event] = []
    model = script([MAIL], [MAIL], "done")
    async with mailing as session, session.run("send it", model) as events:
        async for event in events:
            found.append(event)
            if isinstance(event, ToolFinished) and len(of(found, ToolFinished)) == 1:
                assert session.runs.steer(said)
    first, second = results(found)
    assert (first.denied != (), second.ok) == (True, allowed)
    assert of(found, Steered) == [Steered(said)]
    record = run_on_record(
        home.state, Signer.load(home.state / "journal.key"), RunId(first.journal or "")
    )
    report = await app.replaying(home, lambda line: None, lambda played: None).replay(record)
    assert report.difference is None and len(report.calls) == 2


async def test_earlier_words_of_the_person_ground_as_the_task_does(
    mailing: Session, script: Script
) -> None:
    sent = []
    async with mailing as session:
        for said in ((), ("it is for bob@example.com",)):
            async with session.run("send it", script([MAIL], "done"), said=said) as events:
                sent += [result.ok for result in results([event async for event in events])]
    assert sent == [False, True]


async def test_nobody_hears_what_is_said_where_nothing_runs(
    open_session: OpenSession, script: Script
) -> None:
    async with open_session() as session:
        assert not session.runs.steer("hello")
        session.runs.pause()
        session.runs.compact()
        async with session.run("work", script("done")) as events:
            found = [event async for event in events]
        assert isinstance(found[-1], RunFinished) and found[-1].outcome == Completed()
        assert not session.runs.steer("too late")
        assert session.runs.undelivered == ()


async def test_what_a_run_was_not_given_is_handed_back(
    open_session: OpenSession, script: Script
) -> None:
    loop = ("bash", {"script": "while :; do :; done"})
    async with (
        open_session("read:/workspace") as session,
        session.run("work", script([loop], "done")) as events,
    ):
        async for event in events:
            if isinstance(event, ToolStarted):
                assert session.runs.steer("and then the tests")
                session.runs.cancel()
        assert isinstance(event, RunFinished) and event.outcome == Cancelled()
    assert session.runs.undelivered == ("and then the tests",)


async def test_a_run_is_held_and_let_go_on(open_session: OpenSession, script: Script) -> None:
    found: list[Event] = []
    model = script([("read", {"path": "a.txt"})], "done")
    async with (
        open_session("read:/workspace") as session,
        session.run("look", model) as events,
    ):
        async for event in events:
            found.append(event)
            if isinstance(event, ToolStarted):
                session.runs.pause()
            if isinstance(event, Paused):
                session.runs.resume()
    assert [type(event) for event in found if isinstance(event, Paused | Resumed)] == [
        Paused,
        Resumed,
    ]
    assert found[-1].outcome == Completed()


async def test_a_run_is_summed_up_when_somebody_wants_it(
    open_session: OpenSession, script: Script
) -> None:
    looks = [[("read", {"path": "a.txt", "limit": n})] for n in range(1, 9)]
    model = script(*looks, "A summary.", "done")
    async with (
        open_session("read:/workspace") as session,
        session.run("look", model) as events,
    ):
        found = []
        async for event in events:
            found.append(event)
            if len(of(found, ToolFinished)) == 8 and isinstance(event, ToolFinished):
                session.runs.compact()
    assert len(of(found, Compressed | CompressionFailed)) == 1


async def test_a_model_that_cannot_be_reached_is_followed_by_the_next_one(
    open_session: OpenSession, script: Script
) -> None:

    class Broke(ScriptedModel):
        async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
            raise ModelError("quota", "nothing left")
            yield

    broken = Broke("scripted:a", ())
    other = hearing(ScriptedReply(text="done"))
    other.script = ScriptedModel("scripted:b", other.script.script)
    async with (
        open_session() as session,
        session.run("x", broken, fallbacks=(other,), effort="high") as events,
    ):
        found = [event async for event in events]
    assert found[-1].outcome == Completed(), found
    assert [event.model for event in of(found, FellBack)] == ["scripted:b"]
    started = of(found, RunStarted)[0]
    assert {"model:scripted:a", "model:scripted:b"} <= set(started.grants)
    assert other.requests[-1].effort == "high"


async def test_a_model_to_fall_back_on_without_a_price_is_refused_where_dollars_are_bounded(
    engine: LocalEngine, workspace: Path, script: Script
) -> None:
    class Unpriced(ScriptedModel):
        def most_usd(self, input_tokens: int, output_tokens: int) -> float | None:
            return None

    settings = Settings(workspace=workspace, budget_given=frozenset({"usd"}))
    async with app.session(engine, settings) as session:
        with pytest.raises(SettingsError, match="no price is known"):
            async with session.run("x", script("done"), fallbacks=(Unpriced("u", ()),)):
                pass
