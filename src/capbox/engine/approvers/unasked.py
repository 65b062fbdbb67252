"""What a run may be lent with nobody asked: by `auto`, by a policy, and by approvals for always.

Guarantees: minted from the ceiling, as the lease of a run would be. Does not: lend anything; it
tells `capbox blast-radius` what to count.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from capbox.authority.authority import Authority
from capbox.authority.decision import AuthorityId
from capbox.authority.holding import lend
from capbox.authority.paths import Layout
from capbox.engine.approvers.automatic import AutoApprover
from capbox.engine.approvers.policy import PolicyApprover
from capbox.engine.stored.grants import StoredGrants
from capbox.engine.stored.lending import usable
from capbox.gate.approver import Approver


@dataclass(frozen=True, slots=True)
class Unasked:
    """Leases that need no question, and sentences that say where they come from."""

    leases: tuple[Authority, ...]
    notes: tuple[str, ...]


def unasked(
    approver: Approver | None,
    ceiling: Authority,
    stored: StoredGrants,
    layout: Layout,
    digests: Mapping[str, str],
) -> Unasked:
    """Return what `approver` lends without asking anybody, and what is kept for this workspace."""
    leases: list[Authority] = []
    notes: list[str] = []
    if isinstance(approver, AutoApprover | PolicyApprover):
        who = "--preset auto" if isinstance(approver, AutoApprover) else "the policy"
        given: list[str] = []
        for number, grant in enumerate(approver.unasked):
            name = AuthorityId(f"{ceiling.id}/unasked-{number}")
            lease = lend(ceiling, None, str(grant), id=name, now=time.time())
            if isinstance(lease, Authority):
                leases.append(lease)
                given += [str(grant)] if grant.action != "tool" else []
        if given:
            notes.append(f"lent without a question by {who}: {', '.join(given)}")
    found = stored.of(layout)
    if isinstance(found, str):
        return Unasked(tuple(leases), (*notes, found))
    for one, lent in usable(found, ceiling, layout, digests, ceiling.id):
        if isinstance(lent, Authority):
            leases.append(lent)
            notes.append(f"lent without a question, as {one.id} is for always: {one.grant}")
    return Unasked(tuple(leases), tuple(notes))
