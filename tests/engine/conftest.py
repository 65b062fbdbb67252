"""A workspace, sessions on it, and an approver that answers from a list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox import app
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.engine.settings import Settings
from capbox.gate.approver import Answer, AskRequest
from capbox.journal.event import RunId
from capbox.journal.head import Signer
from capbox.journal.verify import Verdict, verify
from capbox.messages import JsonObject
from capbox.models.script import ScriptedCall, ScriptedReply
from capbox.models.scripted import ScriptedModel
from capbox.store.journal import read

OpenSession = Callable[..., Session]


class ScriptedApprover:
    """Gives the answers in order, and keeps the questions."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.questions: list[AskRequest] = []

    async def ask(self, request: AskRequest) -> Answer:
        self.questions.append(request)
        return self.answers.pop(0)


class Records:
    """What the journal says."""

    def __init__(self, home: Home) -> None:
        self.directory = home.state / "journal"
        self.signer = Signer.load(home.state / "journal.key")

    def verdicts(self) -> tuple[Verdict, ...]:
        """Judge every run."""
        return verify(self.directory, self.signer)

    def entries(self, run: str) -> list[JsonObject]:
        """Read one run's entries."""
        return [r.content for r in read(self.directory, RunId(run)) if r.content is not None]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with two texts, and beside it a folder that is not part of it."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "a.txt").write_text("alpha\n")
    (folder / "b.txt").write_text("beta\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "o.txt").write_text("outside\n")
    return folder


@pytest.fixture
def approver() -> type[ScriptedApprover]:
    """The class of scripted approvers."""
    return ScriptedApprover


@pytest.fixture
def records(engine: LocalEngine, home: Home) -> Records:
    """The journal of the test's engine."""
    return Records(home)


@pytest.fixture
def open_session(engine: LocalEngine, workspace: Path) -> OpenSession:
    """Make a session on the workspace; grants are positional, other settings by name."""

    def opened(
        *grants: str, approver: ScriptedApprover | None = None, **settings: object
    ) -> Session:
        wanted = Settings(**{"workspace": workspace, "grants": grants, **settings})
        return app.session(engine, wanted, approver=approver)

    return opened


@pytest.fixture
def script() -> Callable[..., ScriptedModel]:
    """Make a model from replies: a text, or a list of (tool, arguments) to call."""

    def made(*replies: str | list[tuple[str, JsonObject]]) -> ScriptedModel:
        return ScriptedModel("scripted", tuple(_reply(reply) for reply in replies))

    return made


def _reply(reply: str | list[tuple[str, JsonObject]]) -> ScriptedReply:
    if isinstance(reply, str):
        return ScriptedReply(text=reply)
    calls = (ScriptedCall(name, json.dumps(arguments)) for name, arguments in reply)
    return ScriptedReply(tool_calls=tuple(calls))
