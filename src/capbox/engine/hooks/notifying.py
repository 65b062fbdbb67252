"""An approver that tells hooks of a question before it is asked.

Guarantees: the question is asked all the same, whatever a hook does. Does not: answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from capbox.engine.hooks.hooks import Hooks
from capbox.gate.approver import Answer, Approver, AskRequest


@dataclass(frozen=True, slots=True)
class Notifying:
    """Tells `hooks`, then asks `approver`."""

    approver: Approver
    hooks: Hooks

    async def ask(self, request: AskRequest) -> Answer:
        """Return the answer of the approver."""
        await self.hooks.about("Notification", message=f"a question waits: {request.effect}")
        return await self.approver.ask(request)
