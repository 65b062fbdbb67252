"""Who calls a tool: a model or principal, or the guest of a call that is under way.

What differs between them is all here; everything else is the one way through the gate. Does not:
decide, or know the guest's frames.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

from capbox.authority.access import ToolAccess
from capbox.gate.rights.labels import Reading
from capbox.gate.seat import Seat
from capbox.messages import ToolResult


def _nothing(result: ToolResult) -> None:
    """Note nothing: what the call did is its own result alone."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`access` is what a call by it is; `within` the entry of the call whose guest it is, if any.

    What that call has read until now (`reading`) counts as known to the guest. No clock runs while
    `paused`; `details` are for whoever is asked; `note` hears of what was done, however it ended.
    """

    access: type[ToolAccess] = ToolAccess
    within: int | None = None
    reading: Reading | None = None
    paused: Callable[[], AbstractContextManager[None]] = nullcontext
    details: tuple[str, ...] = ()
    note: Callable[[ToolResult], None] = _nothing

    @asynccontextmanager
    async def turn(self, seat: Seat) -> AsyncIterator[None]:
        """Wait until nothing else is asked in this run; that time is a person's."""
        with self.paused():
            async with seat.asking:
                yield


PRINCIPAL = Caller()
