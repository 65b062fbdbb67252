"""A gate with scripted tools, over real authorities, real directories and a real journal."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from capbox.authority.authority import Authority
from capbox.authority.budget import Budget
from capbox.authority.decision import AuthorityId
from capbox.authority.grant import Grant
from capbox.authority.limits import Limits
from capbox.authority.parse import parse_grant
from capbox.authority.paths import HostPath, Layout
from capbox.gate.approver import Answer, Approver, AskRequest, DenyApprover
from capbox.gate.gate import Gate
from capbox.gate.holdings import Holdings
from capbox.gate.manifest import Manifest, parse_manifest
from capbox.gate.runner import Tool
from capbox.gate.seat import Seat
from capbox.journal.event import RunId, RunOpened
from capbox.journal.head import Signer
from capbox.journal.log import Journal
from capbox.messages import Json, JsonObject, ToolCall, ToolResult
from capbox.sandbox.spec import Job, Module, Outcome
from capbox.store.journal import read
from capbox.tools.scripted import ScriptedRunner, reply

NOW = 1_800_000_000.0
EVERY_TOOL = ("tool:read", "tool:write", "tool:bash")
MANIFESTS = {
    "read": ("read", '[paths]\npath = "read"\n[requests]\nrequired = ["read:*"]'),
    "write": ("write", '[paths]\npath = "write"\n[requests]\nrequired = ["write:*"]'),
    "bash": ("execute", '[requests]\noptional = ["read:*", "write:*", "env:*"]'),
}


def manifest(name: str) -> Manifest:
    """A small manifest: `path` and `text`, both optional texts."""
    access, rest = MANIFESTS[name]
    text = f"""
name = "{name}"
version = "1"
description = "for tests"
license = "Apache-2.0"
abi = "json"
module = "toolbox.wasm"
access = "{access}"
[input_schema]
type = "object"
additionalProperties = false
[input_schema.properties]
path = {{ type = "string" }}
text = {{ type = "string" }}
{rest}
"""
    parsed = parse_manifest(text, name)
    assert isinstance(parsed, Manifest), parsed
    return parsed


def grants(*texts: str) -> list[Grant]:
    """Parse grants that are known to be good."""
    parsed = [parse_grant(text) for text in texts]
    assert all(isinstance(grant, Grant) for grant in parsed), parsed
    return [grant for grant in parsed if isinstance(grant, Grant)]


def authority(*texts: str, name: str = "root", limits: Limits | None = None) -> Authority:
    """Mint a root authority at NOW."""
    minted = Authority.root(
        grants(*texts), limits=limits or Limits(), budget=Budget(), id=AuthorityId(name), now=NOW
    )
    assert isinstance(minted, Authority), minted
    return minted


class ScriptedApprover:
    """Gives the answers in order, and keeps the questions."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.questions: list[AskRequest] = []

    async def ask(self, request: AskRequest) -> Answer:
        self.questions.append(request)
        return self.answers.pop(0)


async def done(job: Job) -> Outcome:
    """The default answer of every tool."""
    return Outcome(reply("done"))


def returning(outcome: Outcome) -> Callable[[Job], Awaitable[Outcome]]:
    """An answer that is always the same."""

    async def answer(job: Job) -> Outcome:
        return outcome

    return answer


@dataclass
class Desk:
    """A gate, one seat at it, and what was run."""

    directory: Path
    journal: Journal
    signer: Signer
    now: float = NOW
    answer: Callable[[Job], Awaitable[Outcome]] = done
    holdings: Holdings = field(default_factory=Holdings)
    tools: dict[str, Tool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.workspace = self.directory / "workspace"
        self.scratch = self.directory / "scratch"
        for path in (self.workspace, self.scratch):
            path.mkdir()
        self.runner = ScriptedRunner(lambda job: self.answer(job))
        module = Module(HostPath("/nowhere/toolbox.wasm"), "00", shipped=True)
        for name in MANIFESTS:
            self.tools[name] = Tool(manifest(name), module, f"digest-of-{name}", self.runner)
        self.gate = Gate(
            self.tools,
            holdings=self.holdings,
            clock_ns=lambda: int(self.now * 1e9),
            entropy=lambda size: b"s" * size,
        )

    def seat(
        self,
        *texts: str,
        tools: Sequence[str] = EVERY_TOOL,
        ceiling: Sequence[str] | None = None,
        approver: Approver | None = None,
        limits: Limits | None = None,
        run: str = "run-1",
    ) -> Seat:
        """Open a run that holds these grants."""
        held = authority(*tools, *texts, limits=limits)
        paths = [m.grant.path for m in held.grants if m.grant.path is not None]
        layout = Layout.of(HostPath(str(self.workspace)), paths)
        assert isinstance(layout, Layout)
        opened = RunOpened("test", str(self.workspace), held.id, (), (), (), self.now)
        return Seat(
            authority=held,
            layout=layout,
            scratch=HostPath(str(self.scratch)),
            journal=self.journal.begin(RunId(run), opened),
            ceiling=None if ceiling is None else authority(*ceiling, name="ceiling"),
            approver=approver or DenyApprover(),
            environment={"HOME": "/home/u", "TOKEN": "secret"},
        )

    async def call(self, seat: Seat, tool: str, **arguments: Json) -> ToolResult:
        """Make one call."""
        return await self.gate.call(ToolCall("c1", tool, arguments), seat)

    def recorded(self, run: str = "run-1") -> list[JsonObject]:
        """Return what the journal holds of a run, without its header."""
        records = read(self.journal.directory, RunId(run))
        return [r.content for r in records[1:] if r.content is not None]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A gate over an empty workspace."""
    signer = Signer(b"k" * 32)
    journal = Journal(tmp_path / "journal", signer)
    yield Desk(tmp_path, journal, signer)
    journal.close()
