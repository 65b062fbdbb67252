"""The runs of a session that are under way, as whoever gave it a task can reach into them.

Guarantees: what a person says to a run grounds values there from then on, and is kept for a replay
beside the calls that it came between. Does not: start or end the record of a run.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from capbox.authority.values.kinds import Value
from capbox.engine.grounding import Ground

if TYPE_CHECKING:
    from capbox.agent.loop import Run
    from capbox.gate.seat import Seat


@dataclass(frozen=True, slots=True, eq=False)
class UnderWay:
    """An open run, which its reader or the end of the session ends, whichever comes first.

    A reader that only breaks out of `async for` leaves the rest to the event loop, at a time of
    its own; a session must not wait for that, nor close the journal before it.
    """

    seat: Seat
    loop: Run
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _closing: anyio.Lock = field(default_factory=anyio.Lock)

    async def end(self) -> None:
        """Interrupt the run if it still goes on, and return when it is closed in the journal."""
        with anyio.CancelScope(shield=True):
            async with self._closing:
                await self.stack.aclose()


@dataclass(slots=True, eq=False)
class Runs:
    """Those of one session, the newest last. `undelivered` is what the last one was not given."""

    ground: Ground | None = None
    open: list[UnderWay] = field(default_factory=list)
    undelivered: tuple[str, ...] = ()

    def grounds(self, text: str) -> frozenset[Value]:
        """Return the values that a principal's words name."""
        return frozenset() if self.ground is None else self.ground(text)

    def cancel(self) -> None:
        """End all as cancelled; each still yields its last events."""
        for run in tuple(self.open):
            run.loop.cancel()

    async def end(self) -> None:
        """End all, and return when they are closed in the journal."""
        for run in tuple(self.open):
            await run.end()

    def steer(self, text: str) -> bool:
        """Give the newest a message of the person, before its next turn, or when it would be done.

        False: there is none, or it is over, so nothing will read it.
        """
        run = self.open[-1] if self.open else None
        if run is None or not run.loop.steer(text):
            return False
        named = self.grounds(text) - run.seat.grounds
        if named:
            run.seat.grounds |= named
            _keep(run, named)
        return True

    def pause(self) -> None:
        """Have all begin no further turn or call, and let their clocks stand still."""
        for run in self.open:
            run.loop.pause()

    def resume(self) -> None:
        """Have all go on after `pause`."""
        for run in self.open:
            run.loop.resume()

    def compact(self) -> None:
        """Have all sum up their conversations before the next turn, or before the end."""
        for run in self.open:
            run.loop.compact()

    def ended(self, run: UnderWay) -> None:
        """Note that a run is closed."""
        self.open.remove(run)
        self.undelivered = run.loop.undelivered


def _keep(run: UnderWay, named: frozenset[Value]) -> None:
    tape = run.seat.recording.tape
    if tape is not None and run.seat.called:  # else the tape begins with all that is grounded
        tape.append({"kind": "said", "grounds": sorted([v.kind, v.text] for v in named)})
