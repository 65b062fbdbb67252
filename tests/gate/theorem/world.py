"""A process with real gate, holdings and journal, whose tools do what a hostile guest would try.

`Parts` are what can be broken on purpose. The clock is a number that tests set. A crash leaves the
directory as it is at that moment, and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gate.conftest import MANIFESTS, grants, manifest

from capbox.authority.authority import Authority, AuthorityError
from capbox.authority.budget import Budget
from capbox.authority.decision import AuthorityId
from capbox.authority.grant import Grant
from capbox.authority.limits import Limits
from capbox.authority.paths import HostPath, Layout
from capbox.engine.control.register import Register, RunUnderWay
from capbox.gate.approver import Answer, AskRequest, No
from capbox.gate.asking import hold
from capbox.gate.gate import Gate
from capbox.gate.holdings import Holdings
from capbox.gate.runner import Tool
from capbox.gate.seat import Repeats, Seat
from capbox.journal.event import RunClosed, RunId, RunOpened
from capbox.journal.head import Signer
from capbox.journal.log import Journal, RunJournal
from capbox.messages import ToolCall, ToolResult
from capbox.sandbox.spec import Broken, Job, Module, Outcome, Touched, stopped
from capbox.tools.scripted import ScriptedRunner, reply

SIGNER = Signer(b"k" * 32)
WORKSPACE = "/workspace"


def derived(
    parent: Authority, chosen: list[Grant], name: AuthorityId, now: float
) -> Authority | AuthorityError:
    """Make a child as capbox does."""
    return parent.attenuate(chosen, id=name, now=now)


@dataclass(frozen=True)
class Parts:
    """What the theorem rests on, each of which a test may replace by a broken one."""

    holdings: Callable[[], Holdings] = Holdings
    gate: Callable[..., Gate] = Gate
    derive: Callable[..., Authority | AuthorityError] = derived
    hold: Callable[[Authority, Seat, str], None] = hold
    begin: Callable[[Journal, RunId, RunOpened], RunJournal] = Journal.begin


@dataclass(eq=False)
class UnderWay:
    """One call: `started` once a guest works for it; `end` tells the guest to act, and how."""

    id: str
    seat: Seat
    tool: str
    action: str
    path: str
    task: asyncio.Task[ToolResult] | None = None
    started: bool = False
    end: asyncio.Event = field(default_factory=asyncio.Event)
    how: str = "acts"


class Person:
    """Gives the answer that was set, to everything; `asked` hears each question first."""

    def __init__(self) -> None:
        self.answer: Answer = No()
        self.asked: Callable[[AskRequest], None] = lambda request: None

    async def ask(self, request: AskRequest) -> Answer:
        self.asked(request)
        return self.answer


class Process:
    """One life of a process. `acted` hears of each effect, at the moment that it happens."""

    def __init__(self, directory: Path, parts: Parts, acted: Callable[[UnderWay], None]) -> None:
        self.directory = directory
        self.now = 0.0
        self.parts = parts
        self.person = Person()
        self.seats: dict[str, Seat] = {}
        self.calls: list[UnderWay] = []
        self._acted = acted
        self._loop = asyncio.new_event_loop()
        self.workspace = directory / "workspace"
        for folder in (self.workspace, directory / "scratch"):
            folder.mkdir(parents=True, exist_ok=True)
        for name in "abc":
            (self.workspace / name).touch()
        self.journal = Journal(directory / "journal", SIGNER)
        self.holdings = parts.holdings()
        runner = ScriptedRunner(self._guest)
        module = Module(HostPath("/nowhere/toolbox.wasm"), "00", shipped=True)
        self.gate = parts.gate(
            {name: Tool(manifest(name), module, f"digest-{name}", runner) for name in MANIFESTS},
            holdings=self.holdings,
            clock_ns=lambda: int(self.now * 1e9),
            entropy=lambda size: b"s" * size,
        )
        self.register = Register(self.gate, lambda: self.holdings.standing(self.now))

    def root(self, name: str, *texts: str) -> Authority:
        """Mint what a principal says."""
        minted = Authority.root(
            grants(*texts),
            limits=Limits(),
            budget=Budget(),
            id=AuthorityId(name),
            now=self.now,
        )
        assert isinstance(minted, Authority), minted
        return minted

    def open(self, run: str, authority: Authority, ceiling: Authority | None) -> Seat:
        """Open a run."""
        opened = RunOpened("test", str(self.workspace), authority.id, (), (), (), self.now)
        named = [WORKSPACE, *(f"{WORKSPACE}/{name}" for name in "abc")]
        layout = Layout.of(HostPath(str(self.workspace)), named)  # type: ignore[arg-type]
        assert isinstance(layout, Layout)
        seat = self.seats[run] = Seat(
            authority=authority,
            layout=layout,
            scratch=HostPath(str(self.directory / "scratch")),
            journal=self.parts.begin(self.journal, RunId(run), opened),
            ceiling=ceiling,
            approver=self.person,
            repeats=Repeats(counting=False),
        )
        self.register.add(RunUnderWay(seat, "a run", self.now))
        return seat

    def start(self, call: UnderWay) -> None:
        """Begin a call; it is refused at once, or its guest waits for `finish`."""
        arguments = {} if call.tool == "bash" else {"path": call.path}
        self.calls.append(call)
        work = self.gate.call(ToolCall(call.id, call.tool, arguments), call.seat)
        call.task = self._loop.create_task(work)
        self.settle()

    def finish(self, call: UnderWay, how: str) -> None:
        """Have the guest do what it is there for, and end so."""
        call.how = how
        call.end.set()
        self.settle()

    def settle(self) -> None:
        """Let everything happen that can."""
        for _ in range(25):
            self._loop.run_until_complete(asyncio.sleep(0))
        for call in self.under_way:
            assert call.task is not None
            if call.task.done():
                call.task.result()

    @property
    def under_way(self) -> list[UnderWay]:
        """Return the calls whose guest is at work."""
        return [c for c in self.calls if c.started and c.task is not None and not c.task.done()]

    def end(self) -> None:
        """End in good order: what still works is interrupted, and every run closed."""
        self._cancel()
        for seat in self.seats.values():
            seat.journal.close(RunClosed("ended", self.now))
        self.bury()

    def within(self, end: Callable[[Register], object]) -> None:
        """Have the loop of this process end something."""

        async def ended() -> None:
            end(self.register)

        self._loop.run_until_complete(ended())
        self.settle()

    def copy(self, to: Path) -> None:
        """Leave to the next process what lies on the disk now; this one never goes on."""
        shutil.copytree(self.directory, to, symlinks=True)

    def bury(self) -> None:
        """Free what a test process holds for this one."""
        if self._loop.is_closed():
            return
        self._cancel()
        self._loop.close()
        self.journal.close()

    def _cancel(self) -> None:
        tasks = [call.task for call in self.calls if call.task is not None]
        for task in tasks:
            task.cancel()
        waiting: Coroutine[Any, Any, object] = asyncio.wait(tasks) if tasks else asyncio.sleep(0)
        self._loop.run_until_complete(waiting)

    async def _guest(self, job: Job) -> Outcome:
        """Wait, then use whatever mount lets it; a worker looks at the clock before each effect."""
        name = json.loads(job.request)["call"]["id"]
        call = next(one for one in self.calls if one.id == name)
        call.started = True
        await call.end.wait()
        if job.expires_ns is not None and self.now * 1e9 >= job.expires_ns:
            return Outcome(stopped("time"))
        covering = [m for m in job.mounts if f"{call.path}/".startswith(f"{m.guest}/")]
        writable = any(rule.write for mount in covering for rule in mount.rules)
        if not covering or not (writable or call.action == "read") or call.how == "idles":
            return Outcome(reply("nothing was done"))
        self._acted(call)
        if call.how == "dies":
            return Outcome(Broken("the worker died"), effects_whole=False)
        host = HostPath(str(self.workspace) + call.path.removeprefix(WORKSPACE))
        return Outcome(reply("done"), (Touched(call.action, call.path, host),))  # type: ignore[arg-type]
