"""Gives a run what its session held: counters where they stopped, leases, and what it knows.

Guarantees: a lease comes back only as far as the ceiling of now holds it, and is on record like any
other; what does not come back is reported; the labels of all that was read are there before the
first call. Does not: mint. Grants come back by the principal's settings (see `resuming`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from capbox.authority.authority import AuthorityError
from capbox.authority.decision import AuthorityId, GrantId
from capbox.authority.holding import lend
from capbox.authority.values.label import bounded
from capbox.engine.sessions.conversation import Conversation
from capbox.gate.asking import hold
from capbox.gate.rights.labels import SOURCES_MAX
from capbox.gate.seat import Seat
from capbox.journal.counting import Used


def restore(
    talk: Conversation,
    seat: Seat,
    resume: Callable[[GrantId, Used], None],
    report: Callable[[str], None],
) -> None:
    """Have `seat` go on where the session stopped. Raises JournalError.

    `resume` has a grant's counters go on.
    """
    back = talk.restored
    for minted in seat.authority.grants:
        used = back.used.get(str(minted.grant))
        if used is not None:
            resume(minted.id, used)
    for number, (text, term) in enumerate(back.leases):
        if seat.ceiling is None:
            report(f"not lent again: {text}: nobody can be asked here, so nothing is lent")
            continue
        name = AuthorityId(f"{seat.run}/resumed-{number + 1}")
        lease = lend(seat.ceiling, None, text, id=name, now=time.time())
        if isinstance(lease, AuthorityError):
            report(f"not lent again: {text}: {lease.message}")
            continue
        used = back.used.get(text)
        if used is not None:
            resume(lease.grants[0].id, used)
        hold(lease, seat, term)
        report(f"lent again, as before: {text} ({term})")
    seat.context.sources = bounded(seat.context.sources | talk.sources, SOURCES_MAX)
