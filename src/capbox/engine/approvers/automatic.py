"""The approver of the preset `auto`: yes to whatever the operator's ceiling holds.

Guarantees: what it lends is a grant of the ceiling, with its caveats and counters. Does not: exist
without a ceiling that the operator gave; nobody's default is a yes.
"""

from __future__ import annotations

import time

from capbox.authority.authority import Authority
from capbox.authority.decision import Allowed, Standing
from capbox.authority.grant import Grant
from capbox.gate.approver import Answer, AskRequest, ByRule, No


class AutoApprover:
    """Says yes within `ceiling`."""

    def __init__(self, ceiling: Authority) -> None:
        """Answer for this ceiling."""
        self._ceiling = ceiling

    @property
    def unasked(self) -> tuple[Grant, ...]:
        """Return what it may lend."""
        return tuple(minted.grant for minted in self._ceiling.grants)

    async def ask(self, request: AskRequest) -> Answer:
        """Return the grant of the ceiling that covers it, or no."""
        decision = self._ceiling.decide(request.access, Standing(time.time()))
        if not isinstance(decision, Allowed):
            return No(f"the operator's ceiling does not hold it ({decision.reason})", by="rule")
        grant = next(m.grant for m in self._ceiling.grants if m.id == decision.grant)
        return ByRule(str(grant))
