"""A guest as its worker would speak for it: any frame at all, at a real gate with functions."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import pytest
from tests.gate.conftest import Desk, ScriptedApprover

from capbox.authority.limits import Limits
from capbox.gate.manifest import Manifest, Request
from capbox.gate.runner import Tool
from capbox.gate.seat import Seat
from capbox.messages import JsonObject, ToolCall, ToolResult
from capbox.sandbox.spec import Answer, Job, Outcome, Serve, Touched, UnderWay
from capbox.tools.functions.function import Function, function_of
from capbox.tools.functions.runner import FunctionRunner
from capbox.tools.jobs import LocalJobs
from capbox.tools.scripted import reply

Step = tuple[JsonObject, bytes] | Callable[[], object]


def asks(name: object, arguments: object = None, /, **more: Any) -> tuple[JsonObject, bytes]:
    """The frame of a well-behaved guest; `arguments` may be text, bytes or a value."""
    body = {} if arguments is None else arguments
    content = body if isinstance(body, bytes) else str(body).encode()
    if not isinstance(body, str | bytes):
        content = json.dumps(body).encode()
    return {"invoke": ["call", name], **more}, content


LIST: tuple[JsonObject, bytes] = ({"invoke": ["list"]}, b"")


class Worker:
    """A `Runner` whose guest sends the frames it is given; what it gets back is in `answers`."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.answers: list[dict[str, Any]] = []
        self.contents: list[bytes] = []
        self.touched: list[Touched] = []
        self.pauses = 0
        self.serve: Callable[[JsonObject, bytes], Awaitable[Answer]]
        self._within = LocalJobs()

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        def asked(header: JsonObject, content: bytes) -> Awaitable[Answer]:
            return serve(header, content, UnderWay(lambda: tuple(self.touched), self._paused))

        self.serve = asked

        async def guest(job: Job) -> Outcome:
            for step in self.steps:
                if callable(step):
                    found = step()
                    if isinstance(found, Awaitable):
                        await found
                    continue
                header, content = await asked(*step)
                assert header == {"invoke": 0}
                self.answers.append(json.loads(content))
                self.contents.append(content)
            return Outcome(reply("done"), tuple(self.touched))

        return await self._within.run(job, cut, guest, tuple(self.touched))

    def stop_run(self, run: str) -> None:
        self._within.stop_run(run)

    @contextmanager
    def _paused(self) -> Iterator[None]:
        self.pauses += 1
        yield

    @property
    def said(self) -> list[str]:
        """What each answer is: the function's text, or the code of an error."""
        return [str(a.get("content", a.get("error", {}).get("code"))) for a in self.answers]

    @property
    def ends(self) -> list[str]:
        """The first word of each: what was done, or why not."""
        return [one.partition(" ")[0] for one in self.said]

    @property
    def why(self) -> str:
        """The sentence of the last answer."""
        return str(self.answers[-1]["error"]["message"])


@dataclass
class Program:
    """A program that embeds capbox: its functions, and what they were called with."""

    desk: Desk
    worker: Worker = field(default_factory=Worker)
    sent: list[tuple[object, ...]] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    waiting: anyio.Event = field(default_factory=anyio.Event)

    def __post_init__(self) -> None:
        def send(to: list[str], text: str = "", cc: str | None = None) -> str:
            """Send a mail."""
            self.sent.append((to, text, cc))
            return f"sent to {', '.join(to)}"

        def boom() -> str:
            """Fail."""
            raise ValueError("no luck")

        async def wait() -> str:
            """Wait for ever."""
            self.waiting.set()
            await anyio.sleep_forever()
            return "never"

        def long() -> str:
            """Say a lot."""
            return "ab" * 5_000

        self.runner = FunctionRunner(self.functions)
        for call, sinks in ((send, {"to": "email", "cc": "email"}), (boom, {}), (long, {})):
            self.add(call, sinks)
        self.add(wait, {}, timeout=60.0)
        self.requests("invoke:*")

    def add(
        self, call: Callable[..., object], sinks: Mapping[str, Any], timeout: float = 5.0
    ) -> None:
        """Make a callable a function of this program."""
        found = function_of(call, effect="send", sinks=sinks, timeout=timeout)
        assert isinstance(found, Function), found
        self.functions[found.manifest.name] = found

    def requests(self, *texts: str) -> None:
        """Have the tool `bash` request these functions: `invoke:*`, `invoke:NAME` or nothing."""
        known = {"invoke:*": Request("invoke")}
        wanted = tuple(
            known.get(text) or Request("invoke", name=text.partition(":")[2]) for text in texts
        )
        old = self.desk.tools["bash"]
        manifest: Manifest = replace(old.manifest, optional=(*old.manifest.optional[:3], *wanted))
        self.desk.tools["bash"] = Tool(manifest, old.module, old.digest, self.worker)

    def seat(self, *texts: str, **more: Any) -> Seat:
        """Open a run of this program that holds these grants."""
        seat = self.desk.seat(*texts, **more)
        seat.functions = {name: one.tool(self.runner) for name, one in self.functions.items()}
        return seat

    async def run(self, seat: Seat, *steps: Step, limits: Limits | None = None) -> ToolResult:
        """Have a guest of `bash` take these steps."""
        self.worker.steps, self.worker.answers = list(steps), []
        call = ToolCall("c1", "bash", {"text": "x"})
        return await self.desk.gate.call(call, seat, limits)

    def kinds(self, run: str = "run-1") -> list[str]:
        """What is on record, in its order."""
        return [_kind(entry) for entry in self.desk.recorded(run)]


def _kind(entry: JsonObject) -> str:
    match entry["kind"]:
        case "intent":
            return f"{'guest: ' if 'within' in entry else ''}{entry['tool']} begins"
        case "outcome":
            return f"{entry['intent']} ends {entry['detail'] or entry['end']}"
        case _:
            return f"{entry['what']} {entry['subject']}"


@pytest.fixture
def program(desk: Desk) -> Program:
    """A program with functions, at a gate with the usual tools."""
    return Program(desk)


__all__ = ["LIST", "Program", "ScriptedApprover", "Worker", "asks"]
