"""Sessions that end and are gone on with, by another command in the same directories."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from capbox import app
from capbox.agent import events
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.sessions.conversation import Conversation
from capbox.engine.sessions.resuming import GO_ON, resumed, settings_with
from capbox.engine.settings import Settings
from capbox.gate.approver import Approver
from capbox.messages import ToolResult
from capbox.models.model import Model
from capbox.tools.loop.person import AskPerson


@dataclass
class Went:
    """How a run went: its events, and what the person was told."""

    talk: Conversation | None
    told: list[events.Event] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    @property
    def results(self) -> list[ToolResult]:
        """What the calls of the run came to."""
        return [e.result for e in self.told if isinstance(e, events.ToolFinished)]

    @property
    def codes(self) -> list[str | None]:
        """The error code of each call."""
        return [None if r.error is None else r.error.code for r in self.results]

    @property
    def run(self) -> str:
        """The run's id."""
        return next(e.run for e in self.told if isinstance(e, events.RunStarted))

    @property
    def warned(self) -> list[str]:
        """The warnings."""
        return [e.message for e in self.told if isinstance(e, events.Warned)]


GoOn = Callable[..., Awaitable[Went]]


@pytest.fixture
def begin(engine: LocalEngine, workspace: Path) -> GoOn:
    """Begin a session with a task."""

    async def run(
        model: Model, *grants: str, approver: Approver | None = None, **settings: object
    ) -> Went:
        wanted = Settings(**{"workspace": workspace, "grants": grants, **settings})
        went = Went(None)
        async with (
            app.session(engine, wanted, approver=approver) as session,
            session.run("the task", model) as stream,
        ):
            went.told = [event async for event in stream]
        return went

    return run


@pytest.fixture
def go_on(engine: LocalEngine, home: Home, workspace: Path) -> GoOn:
    """Go on with a session, as `capbox resume` does."""

    async def run(
        model: Model,
        *grants: str,
        typed: str | None = None,
        task: str = GO_ON,
        approver: Approver | None = None,
        ask_user: AskPerson | None = None,
        plans: bool | None = None,
        **further: object,
    ) -> Went:
        talk = await resumed(engine.sessions, typed, workspace, "a test")
        try:
            asked = Settings(**{"workspace": workspace, "grants": grants, **further})
            settings, notes = settings_with(
                asked, talk.restored, engine.tools, lambda one: app.granting(home, one)
            )
            went = Went(talk, notes=notes)
            async with app.session(engine, settings, approver=approver) as session:
                session.companions.plans = plans
                async with session.run(task, model, conversation=talk, ask_user=ask_user) as stream:
                    went.told = [event async for event in stream]
        finally:
            talk.held.release()
        return went

    return run


@pytest.fixture
def edit(home: Home) -> Callable[..., None]:
    """Edit the store by hand, as people may."""

    def execute(statement: str, *values: object) -> None:
        with closing(sqlite3.connect(home.state / "runs.db")) as database:
            database.execute(statement, values)
            database.commit()

    return execute
