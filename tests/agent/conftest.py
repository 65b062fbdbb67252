"""A run of a scripted model, its events collected, for every test of the loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import anyio
import pytest

from capbox.agent import events
from capbox.agent.limits.stopwatch import Stopwatch
from capbox.agent.loop import AskMore, Run
from capbox.agent.plan import CallTool, OfferedTool, RunPlan
from capbox.authority.budget import Budget
from capbox.messages import ToolCall, ToolResult
from capbox.models.model import Model
from capbox.models.script import Script, ScriptedCall, ScriptedReply
from capbox.models.scripted import ScriptedModel

TOOLS = (
    OfferedTool("read", "Read a file.", {"type": "object"}, reads_only=True),
    OfferedTool("write", "Write a file.", {"type": "object"}),
)


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
class Stage:
    """Where a run is played: change what a test is about, then `play`."""

    clock: Clock
    gate: Gate
    plan: RunPlan
    told: list[events.Event]

    def run(self, *, call_tool: CallTool | None = None, ask_more: AskMore | None = None) -> Run:
        """Prepare the run."""
        stopwatch = Stopwatch(self.clock)
        return Run(self.plan, call_tool or self.gate, stopwatch=stopwatch, ask_more=ask_more)

    async def emit(self, event: events.Event) -> None:
        """Collect an event."""
        self.told.append(event)

    async def play(
        self,
        script: Script | Model,
        *,
        budget: Budget | None = None,
        call_tool: CallTool | None = None,
        ask_more: AskMore | None = None,
    ) -> events.RunFinished:
        """Run to the end."""
        model = ScriptedModel("scripted", script) if isinstance(script, tuple) else script
        self.plan = replace(self.plan, model=model, budget=budget or self.plan.budget)
        return await self.run(call_tool=call_tool, ask_more=ask_more).run(self.emit)

    def kinds(self) -> list[str]:
        """Return the types of the events told, in order."""
        return [str(event.to_json()["type"]) for event in self.told]


@pytest.fixture
def stage() -> Stage:
    """Return a stage with a read-only `read`, a `write`, and a gate that allows everything."""
    plan = RunPlan("r1", "do it", ScriptedModel("scripted", ()), TOOLS, ("read:/workspace",))
    return Stage(Clock(), Gate(), plan, [])


@pytest.fixture
def calling() -> Callable[..., ScriptedReply]:
    """Return a maker of replies that call tools by name, each with the arguments `{}`."""

    def reply(*names: str, arguments: Sequence[str] = ()) -> ScriptedReply:
        given = [*arguments, *["{}"] * (len(names) - len(arguments))]
        return ScriptedReply(
            tool_calls=tuple(ScriptedCall(n, a) for n, a in zip(names, given, strict=True))
        )

    return reply
