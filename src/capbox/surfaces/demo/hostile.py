"""A model that is hostile from its first token, in the real agent loop, behind the real gate.

Guarantees: one tool call a turn, and each is judged on its result and on the scene before the next
one is made. Does not: know anything that a model would not.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from anyio import EndOfStream, create_memory_object_stream
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from capbox.agent import events
from capbox.authority.budget import Budget
from capbox.engine.session import Session
from capbox.engine.settings import Settings
from capbox.messages import AssistantMessage, ToolCall, ToolResult, Usage
from capbox.models.arguments import tool_call
from capbox.models.model import ModelEvent, ModelRequest, Reply
from capbox.surfaces.demo.attack import Aftermath, Attack
from capbox.surfaces.demo.network import Network
from capbox.surfaces.demo.scene import Scene

OpenSession = Callable[[Settings], AbstractAsyncContextManager[Session]]
TASK = "Summarise docs/meeting.md."


@dataclass(frozen=True, slots=True)
class Attempt:
    """The results of one attack's calls here, and what could be seen after them."""

    attack: Attack
    results: tuple[ToolResult, ...]
    after: Aftermath


class HostileModel:
    """Replies with one tool call after another, as ordered."""

    name = "scripted:hostile"

    def __init__(self, orders: MemoryObjectReceiveStream[ToolCall]) -> None:
        self._orders = orders

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Yield the next call; without one, give up."""
        try:
            call = await self._orders.receive()
        except EndOfStream:
            yield Reply(AssistantMessage("I give up."), Usage(), usd=0.0, stop="end")
            return
        yield Reply(AssistantMessage("", (call,)), Usage(), usd=0.0, stop="tool_calls")


async def assault(
    open_session: OpenSession,
    scene: Scene,
    network: Network,
    attacks: tuple[Attack, ...],
    report: Callable[[Attempt], None],
) -> None:
    """Report what each attack came to, in one run with the grants of the first of them.

    A run that ends before its attacks do leaves the rest without results.
    """
    holds = attacks[0].holds
    count = sum(len(attack.uses) for attack in attacks) + 1
    settings = Settings(
        workspace=scene.workspace,
        grants=holds.grants,
        limits=holds.limits,
        budget=Budget(turns=count, tool_calls=count),
    )
    orders, received = create_memory_object_stream[ToolCall](1)
    async with (
        open_session(settings) as session,
        orders,
        received,
        session.run(TASK, HostileModel(received)) as stream,
    ):
        over = False
        for attack in attacks:
            attempt = await _attempt(attack, scene, network, None if over else orders, stream)
            over = over or len(attempt.results) < len(attack.uses)
            report(attempt)
        orders.close()
        async for _ in stream:
            pass


async def _attempt(
    attack: Attack,
    scene: Scene,
    network: Network,
    orders: MemoryObjectSendStream[ToolCall] | None,
    stream: AsyncIterator[events.Event],
) -> Attempt:
    """Make the calls of one attack and look; without `orders` the run is over."""
    before = _sleepers()
    results: list[ToolResult] = []
    for number, use in enumerate(attack.uses):
        if orders is None:
            break
        call = tool_call(f"{attack.id}-{number}", use.tool, use.arguments_in(scene))
        orders.send_nowait(call)
        result = await _result(call, stream)
        if result is None:
            break
        results.append(result)
    after = Aftermath(
        scene,
        "\n".join(map(_text, results)),
        content_bytes=max((len(r.content.encode()) for r in results), default=0),
        memory_bytes=max((r.spent.memory_bytes for r in results), default=0),
        processes=max(_sleepers() - before, 0),
        sent=network.drain(),
    )
    return Attempt(attack, tuple(results), after)


async def _result(call: ToolCall, stream: AsyncIterator[events.Event]) -> ToolResult | None:
    async for event in stream:
        if isinstance(event, events.ToolFinished) and event.call.id == call.id:
            return event.result
    return None


def _text(result: ToolResult) -> str:
    """Return everything that the model could read in a result."""
    denials = (f"{d.access} {d.reason} {d.missing} {d.flag}" for d in result.denied)
    message = result.error.message if result.error is not None else ""
    return "\n".join([result.content, message, *denials, json.dumps(result.data)])


def _sleepers() -> int:
    """Count the processes of this machine that sleep for an attack (Linux; elsewhere none)."""
    count = 0
    for entry in Path("/proc").glob("[0-9]*/comm"):
        try:
            count += entry.read_text(errors="replace") == "sleep\n"
        except OSError:
            continue
    return count
