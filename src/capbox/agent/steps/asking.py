"""Asking a model for one whole reply.

Guarantees: a `Reply`, or how it failed; the stream is closed when `ask` returns or raises, whatever
became of it. Does not: retry; the machine decides that.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import assert_never

from capbox.agent import events
from capbox.agent.limits.spending import Turn
from capbox.models.model import Model, ModelError, Reply, TextDelta, ThinkingDelta

Tell = Callable[[events.Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Broken:
    """There is no whole reply; `begun`: pieces of one came, and were told."""

    error: ModelError
    begun: bool


async def ask(model: Model, turn: Turn, tell: Tell | None) -> Reply | Broken:
    """Ask, telling the pieces of the reply as they come (None: nobody)."""
    stream, begun = model.stream(turn.request), False
    try:
        async for event in stream:
            if isinstance(event, Reply):
                return event
            begun = True
            if tell is not None:
                await tell(_told(event))
    except ModelError as error:
        turn.failed(error, begun=begun)
        return Broken(error, begun)
    finally:
        # Left in the middle, a generator would close whenever it is collected, and with it the
        # connection to the provider.
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
    return Broken(ModelError("cut", "the stream ended without a whole reply"), begun)


def _told(event: TextDelta | ThinkingDelta) -> events.Event:
    match event:
        case TextDelta(text):
            return events.TextDelta(text)
        case ThinkingDelta(text):
            return events.ThinkingDelta(text)
        case _:
            assert_never(event)
