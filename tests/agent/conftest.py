"""A run of a scripted model, its events collected, for every test of the loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import anyio
import pytest

from capbox.agent import events
from capbox.agent.limits.stopwatch import Stopwatch
from capbox.agent.loop import Run
from capbox.agent.plan import CallTool, OfferedTool, RunPlan
from capbox.authority.budget import Budget
from capbox.messages import Message, ToolCall, ToolResult
from capbox.models.facts import UNKNOWN, Facts
from capbox.models.model import Model, ModelError, ModelEvent, ModelRequest
from capbox.models.script import Script, ScriptedCall, ScriptedReply
from capbox.models.scripted import ScriptedModel

TOOLS = (
    OfferedTool("read", "Read a file.", {"type": "object"}, reads_only=True),
    OfferedTool("write", "Write a file.", {"type": "object"}),
)

E = TypeVar("E")


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        """Start at an odd moment, as monotonic clocks do."""
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


class Gate:
    """Answers every call with its own arguments, and remembers the calls it was given."""

    def __init__(self) -> None:
        """Nothing was called yet."""
        self.calls: list[ToolCall] = []

    async def __call__(self, call: ToolCall) -> ToolResult:
        """Answer ok."""
        self.calls.append(call)
        await anyio.lowlevel.checkpoint()
        return ToolResult(True, f"{call.name} {dict(call.arguments)}")


@dataclass
class Told:
    """A model that streams the events it was given, one list a turn, and keeps the requests."""

    turns: list[list[ModelEvent | ModelError]]
    name: str = "told"
    facts: Facts = UNKNOWN
    requests: list[ModelRequest] = field(default_factory=list)
    open: int = 0

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Stream the next list."""
        self.requests.append(request)
        self.open += 1
        try:
            for event in self.turns[len(self.requests) - 1]:
                await anyio.lowlevel.checkpoint()
                if isinstance(event, ModelError):
                    raise event
                yield event
        finally:
            self.open -= 1

    def last_messages(self) -> tuple[Message, ...]:
        """Return the conversation of the last request."""
        return self.requests[-1].messages


@dataclass
class Stage:
    """Where a run is played: change what a test is about, then `play`."""

    clock: Clock
    gate: Gate
    plan: RunPlan
    told: list[events.Event]
    waits: list[float] = field(default_factory=list)

    def run(self, *, call_tool: CallTool | None = None, **more: Any) -> Run:
        """Prepare the run, with what else a `Run` takes; it waits in no time, and by no chance."""
        given = {"stopwatch": Stopwatch(self.clock), "wait": self.wait, "chance": lambda: 0.5}
        return Run(self.plan, call_tool or self.gate, **{**given, **more})

    async def wait(self, seconds: float) -> None:
        """Take note of a wait, and let the clock go."""
        self.waits.append(seconds)
        self.clock.seconds += seconds
        await anyio.lowlevel.checkpoint()

    async def emit(self, event: events.Event) -> None:
        """Collect an event."""
        self.told.append(event)

    async def play(
        self,
        script: Script | Model,
        *,
        budget: Budget | None = None,
        **more: Any,
    ) -> events.RunFinished:
        """Run to the end; `more` is what `run` takes."""
        model = ScriptedModel("scripted", script) if isinstance(script, tuple) else script
        self.plan = replace(self.plan, model=model, budget=budget or self.plan.budget)
        return await self.run(**more).run(self.emit)

    def kinds(self) -> list[str]:
        """Return the types of the events told, in order."""
        return [str(event.to_json()["type"]) for event in self.told]

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one class that were told."""
        return [event for event in self.told if isinstance(event, kind)]


@pytest.fixture
def stage() -> Stage:
    """Return a stage with a read-only `read`, a `write`, and a gate that allows everything."""
    plan = RunPlan("r1", "do it", ScriptedModel("scripted", ()), TOOLS, ("read:/workspace",))
    return Stage(Clock(), Gate(), plan, [])


@pytest.fixture
def told() -> type[Told]:
    """Return the class of models that play what they are given."""
    return Told


@pytest.fixture
def calling() -> Callable[..., ScriptedReply]:
    """Return a maker of replies that call tools by name, each with the arguments `{}`."""

    def reply(*names: str, arguments: Sequence[str] = ()) -> ScriptedReply:
        given = [*arguments, *["{}"] * (len(names) - len(arguments))]
        return ScriptedReply(
            tool_calls=tuple(ScriptedCall(n, a) for n, a in zip(names, given, strict=True))
        )

    return reply
