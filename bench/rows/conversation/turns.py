"""What a turn of the loop costs besides its model and its tool, in a short and a long conversation.

A turn is measured from a model's whole reply, which calls one tool, to the next request for it: the
reply and the result told, stored and journaled, the next request made. What the call takes from the
gate's entry on is taken off (`gate_alone` has that). Both are runs of sessions on disk, and take
their turns in turns.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
from anyio import to_thread

from bench.clock import IDLE_SECONDS, Act, in_turns, yardstick
from bench.row import Row, Rows, timed
from bench.rows.gate import PLAIN, no_guest, seated
from capbox import app
from capbox.agent import events
from capbox.agent.outcome import Completed, Outcome
from capbox.authority.budget import Budget
from capbox.authority.limits import Limits
from capbox.engine.local import LocalEngine
from capbox.engine.sessions.conversation import begun
from capbox.engine.settings import Settings
from capbox.gate.gate import Gate
from capbox.gate.seat import Seat
from capbox.journal.event import TurnEnded
from capbox.messages import (
    AssistantMessage,
    Message,
    ToolCall,
    ToolMessage,
    ToolResult,
    Usage,
    UserMessage,
)
from capbox.models.facts import Facts
from capbox.models.model import ModelEvent, ModelRequest, Reply

SHORT = 200
LONG = 10_000
_FIRST = 3  # turns that are not measured
_MANY = 1_000_000_000


async def turns(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """Measure turns at 200 and at 10,000 messages; the median turn has that many before it."""
    async with AsyncExitStack() as stack:
        stack.enter_context(no_guest(engine))
        engine.gate = gate = Timed(engine.gate)  # type: ignore[assignment]
        acts: dict[str, Act] = {"bash": yardstick}
        for name, messages in (("short", SHORT), ("long", LONG)):
            before = max(messages - rounds, 2) // 2  # turns of two messages each
            acts[name] = await stack.enter_async_context(_running(engine, gate, workspace, before))
        seat = await stack.enter_async_context(seated(engine, workspace, PLAIN))
        acts["loop_turn_sync"] = _syncing(seat)
        taken = await in_turns(acts, rounds, IDLE_SECONDS)
    what = f"a turn without its model and its call, after an idle pause; {SHORT} messages before"
    ratio = taken["long"] / taken["short"]
    durable = "what of it makes the journal durable: three files synced, as the disk takes it"
    longer = f"the same with {LONG:,} messages before"
    return {
        "loop_turn": timed({**taken, "loop_turn": taken["short"]}, "loop_turn", what),
        "loop_turn_long": Row(taken["long"] * 1e3, "ms", ratio, longer, "200 messages"),
        "loop_turn_sync": timed(taken, "loop_turn_sync", durable),
    }


def _syncing(seat: Seat) -> Act:
    async def act(number: int) -> None:
        seat.journal.append(TurnEnded(number + 1, "paced", Usage(), 0.0, "end"))
        await to_thread.run_sync(seat.journal.sync)

    return act


class Paced:
    """A model that calls a tool in each reply, one turn whenever it is let, and is then done."""

    name = "paced"
    facts = Facts(context_tokens=_MANY)

    def __init__(self) -> None:
        """Wait to be let."""
        self._go, self._come = anyio.Event(), anyio.Event()
        self._done = False
        self._replied = self._asked = 0.0
        self._turns = 0

    def most_usd(self, input_tokens: int, output_tokens: int) -> float | None:
        """Return what so many tokens cost at most: nothing."""
        return 0.0

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Yield a call of a tool when a turn is wanted, in the end a text."""
        self._asked = time.perf_counter()
        self._come.set()
        await self._go.wait()
        self._go = anyio.Event()
        self._turns += 1
        call = ToolCall(f"turn{self._turns}", "read", {"path": "0.txt", "limit": self._turns})
        usage = Usage(100 * len(request.messages), 20)
        self._replied = time.perf_counter()
        if self._done:
            yield Reply(AssistantMessage("Done."), usage, 0.0, "end")
        else:
            yield Reply(AssistantMessage("", (call,)), usage, 0.0, "tool_calls")

    async def turn(self) -> float:
        """Give one reply, and return the seconds until the loop asks for the next."""
        self._come = anyio.Event()
        self._go.set()
        await self._come.wait()
        return self._asked - self._replied

    async def ready(self) -> None:
        """Return when the first request is there."""
        await self._come.wait()

    def end(self) -> None:
        """Give the last reply."""
        self._done = True
        self._go.set()


class Timed:
    """A gate that knows how long its calls took altogether."""

    def __init__(self, gate: Gate) -> None:
        """Lead to `gate`."""
        self._gate = gate
        self.seconds = 0.0

    async def call(self, call: ToolCall, seat: Seat, limits: Limits | None = None) -> ToolResult:
        """Call there."""
        began = time.perf_counter()
        result = await self._gate.call(call, seat, limits)
        self.seconds += time.perf_counter() - began
        return result

    def __getattr__(self, name: str) -> object:
        return getattr(self._gate, name)


@asynccontextmanager
async def _running(
    engine: LocalEngine, gate: Timed, workspace: Path, before: int
) -> AsyncIterator[Act]:
    """Yield what takes a turn in a run that goes on from so many turns."""
    model, heard = Paced(), Heard()
    budget = Budget(turns=_MANY, tool_calls=_MANY, tokens=_MANY * _MANY, wall_seconds=36_000)
    settings = Settings(workspace=workspace, grants=("read:/workspace",), budget=budget)
    talk = replace(begun(engine.home.state, "bench"), history=tuple(said(before)))

    async def turn(_number: int) -> float:
        calls = gate.seconds
        return await model.turn() - (gate.seconds - calls)

    async with (
        app.session(engine, settings) as session,
        session.run("go on", model, conversation=talk) as stream,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(heard.listen, stream)
        await model.ready()
        for number in range(_FIRST):
            await turn(number)
        yield turn
        model.end()
        await heard.over.wait()
    talk.held.release()
    if heard.outcome != Completed():
        raise RuntimeError(f"the run that is measured failed: {heard.outcome}")


class Heard:
    """Who reads the events of a run, and forgets all but the end."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self.over = anyio.Event()
        self.outcome: Outcome | None = None

    async def listen(self, stream: AsyncIterator[events.Event]) -> None:
        """Read them all."""
        async for event in stream:
            if isinstance(event, events.RunFinished):
                self.outcome = event.outcome
        self.over.set()


def said(turns: int) -> Iterator[Message]:
    """Yield two messages a turn: a call and its result."""
    for number in range(turns):
        call = ToolCall(f"old{number}", "read", {"path": f"{number}.txt"})
        yield AssistantMessage(f"Next is file {number}.", (call,))
        yield ToolMessage(call.id, call.name, f"line {number} of it\n" * 10, is_error=False)
    yield UserMessage("And now?")
