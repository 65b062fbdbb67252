"""How long a session of 10,000 messages takes to be opened again: store, journal and all.

It was had like any other, in some runs with many calls, but for a guest: its tool returns at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from bench.clock import IDLE_SECONDS, Act, in_turns, yardstick
from bench.row import Rows, timed
from bench.rows.gate import no_guest
from capbox import app
from capbox.agent.events import Event, RunFinished
from capbox.agent.outcome import Completed
from capbox.authority.budget import Budget
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.engine.sessions.conversation import Conversation, begun
from capbox.engine.sessions.resuming import resumed
from capbox.engine.settings import Settings
from capbox.messages import AssistantMessage, ToolCall, Usage
from capbox.models.model import ModelEvent, ModelRequest, Reply, TextDelta

MESSAGES = 10_000
RUNS = 10
CALLS = 3  # of a reply
_MANY = 1_000_000_000


async def opening(engine: LocalEngine, workspace: Path, rounds: int, scale: float) -> Rows:
    """Measure `resumed`, as `capbox resume` and `capbox chat` do it."""
    turns = int(MESSAGES * scale) // RUNS // (CALLS + 1)
    budget = Budget(turns=_MANY, tool_calls=_MANY, tokens=_MANY * _MANY, wall_seconds=36_000)
    settings = Settings(workspace=workspace, grants=("read:/workspace",), budget=budget)
    place = engine.sessions
    with no_guest(engine):
        async with app.session(engine, settings) as session:
            talk = begun(engine.home.state, "bench")
            for number in range(RUNS):
                await _run(session, Talkative(number, turns), talk)
                talk.held.release()
                talk = await resumed(place, talk.id, workspace, "bench")
            talk.held.release()
    found = 0

    async def opened(_number: int) -> None:
        nonlocal found
        again = await resumed(place, talk.id, workspace, "bench")
        again.held.release()
        found = len(again.history)

    acts: dict[str, Act] = {"bash": yardstick, "session_open": opened}
    taken = await in_turns(acts, rounds, IDLE_SECONDS)
    what = f"a session of {found:,} messages in {RUNS} runs is read back and its record checked"
    return {"session_open": timed(taken, "session_open", what)}


class Talkative:
    """A model that calls a tool `CALLS` times in each of its `turns` and is then done."""

    name = "talkative"

    def __init__(self, run: int, turns: int) -> None:
        """Be the model of this run."""
        self._run, self._turns, self._turn = run, turns, 0

    def most_usd(self, input_tokens: int, output_tokens: int) -> float | None:
        """Return what so many tokens cost at most: nothing."""
        return 0.0

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Yield the next reply."""
        self._turn += 1
        text = f"Turn {self._turn}: the next files of part {self._run}."
        yield TextDelta(text)
        calls = tuple(
            ToolCall(
                f"call_{self._run}_{self._turn}_{number}",
                "read",
                {"path": f"{number}.txt", "limit": self._turn},
            )
            for number in range(CALLS)
        )
        done = self._turn > self._turns
        message = AssistantMessage(text, () if done else calls)
        yield Reply(message, Usage(1_000, 20), 0.0, "end" if done else "tool_calls")


async def _run(session: Session, model: Talkative, talk: Conversation) -> None:
    last: Event | None = None
    async with session.run("read on", model, conversation=talk) as stream:
        async for event in stream:
            last = event
    if not isinstance(last, RunFinished) or last.outcome != Completed():
        raise RuntimeError(f"a run that is measured failed: {last}")
