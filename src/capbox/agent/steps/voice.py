"""What a run tells, and what it has said.

Guarantees: events one at a time, in order; a message is kept before anything is done because of
it. Does not: forget; `transcript` only grows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from anyio import Lock

from capbox.agent.events import Event
from capbox.agent.transcript import Context, since_summary
from capbox.messages import Message, SummaryMessage

Emit = Callable[[Event], Awaitable[None]]
Keep = Callable[[Message], Awaitable[None]]


class Voice:
    """Of one run; `emit` is there once it runs."""

    def __init__(self, history: Iterable[Message], keep: Keep | None) -> None:
        """Begin with what was said before; `keep` is awaited for each message that joins."""
        self.transcript: list[Message] = list(history)
        self.emit: Emit = _unheard
        self._keep = keep
        self._telling = Lock(fast_acquire=True)
        self._context = Context(since_summary(self.transcript))

    @property
    def context(self) -> tuple[Message, ...]:
        """Return what a request holds of the transcript now."""
        return self._context.messages

    async def say(self, message: Message) -> None:
        """Add to the transcript what was said."""
        if self._keep is not None:
            await self._keep(message)
        self.transcript.append(message)
        if isinstance(message, SummaryMessage):
            self._context = Context(since_summary(self.transcript))
        else:
            self._context.add(message)

    async def tell(self, event: Event) -> None:
        """Tell an event."""
        async with self._telling:
            await self.emit(event)


async def _unheard(event: Event) -> None:
    """Tell nobody: the run has not begun."""
