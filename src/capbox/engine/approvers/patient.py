"""Waiting for an answer takes no time of a run's. Does not: bound how long somebody thinks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capbox.gate.approver import Answer, Approver, AskRequest

if TYPE_CHECKING:
    from capbox.agent.limits.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Patient:
    """An approver while whose `approver` is asked `stopwatch` stands still."""

    approver: Approver
    stopwatch: Stopwatch

    async def ask(self, request: AskRequest) -> Answer:
        """Return the answer of the person behind it."""
        with self.stopwatch.paused():
            return await self.approver.ask(request)
