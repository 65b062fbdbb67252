"""Keeps rules from lending again, in the same run, what a person took back.

A revocation ends the lease; the rule that lent it, or another one that names the same, would lend
it anew at the next access, with nobody asked.

Guarantees: while a grant that the run held is revoked, no rule lends what has anything in common
with it. Does not: keep a person from lending it, who is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from capbox.authority.decision import Standing
from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.engine.approvers.denial import denied_in, without
from capbox.gate.approver import Answer, Approver, AskRequest, ByRule, No
from capbox.gate.seat import Seat


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Passes on what `approver` says, but for a rule about what was taken back from `seat`."""

    approver: Approver
    seat: Seat
    standing: Callable[[], Standing]

    async def ask(self, request: AskRequest) -> Answer:
        """Return the answer, or no."""
        answer = await self.approver.ask(request)
        rule = parse_grant(answer.grant) if isinstance(answer, ByRule) else None
        if not isinstance(rule, Grant):
            return answer
        for grant in self._taken():
            # To take back reading is to take back writing too, and the other way round.
            whole = replace(grant, action="read" if grant.path is not None else grant.action)
            if without((rule,), denied_in((whole,), self.seat.layout)) != (rule,):
                return No(f"{grant} was taken back, and no rule lends it again", by="rule")
        return answer

    def _taken(self) -> Iterator[Grant]:
        revoked = self.standing().revoked
        for one in (self.seat.authority, *self.seat.leases):
            for minted in one.grants:
                if not revoked.isdisjoint((*one.lineage, *minted.lineage)):
                    yield minted.grant
