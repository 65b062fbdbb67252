"""Holding a run: nothing further starts, its clock stands still, until it is let go on.

Guarantees: told once when it takes effect, and once when it ends. Does not: interrupt what has
begun; a reply or a call under way comes to its end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from anyio import Event

from capbox.agent.events import Event as RunEvent
from capbox.agent.incidents import Paused, Resumed
from capbox.agent.limits.stopwatch import Stopwatch

Tell = Callable[[RunEvent], Awaitable[None]]


class Pausing:
    """Of one run; `hold` and `let_go` may be called from anywhere in its event loop."""

    def __init__(self, stopwatch: Stopwatch, tell: Tell) -> None:
        """Begin with nothing held."""
        self._stopwatch = stopwatch
        self._tell = tell
        self._held: Event | None = None
        self._told: Event | None = None
        self._clock = ExitStack()

    def hold(self) -> None:
        """Let nothing further start."""
        if self._held is None:
            self._held = Event()
            self._clock.enter_context(self._stopwatch.paused())

    def let_go(self) -> None:
        """Go on."""
        if self._held is not None:
            self._clock.close()
            self._held.set()
            self._held = None

    async def passed(self) -> None:
        """Return when nothing is held."""
        while (held := self._held) is not None:
            if self._told is not held:
                self._told = held
                await self._tell(Paused())
            await held.wait()
            if self._told is held:
                self._told = None
                await self._tell(Resumed())
