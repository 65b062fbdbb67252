"""Lends to a run what was approved for always in its workspace: leases like those of any answer.

Guarantees: nothing beyond the ceiling; each lease is on record; what does not fit what is there now
is reported and not lent. Does not: lend where nobody would be asked: there is no ceiling there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from capbox.authority.authority import Authority, AuthorityError
from capbox.authority.decision import AuthorityId, GrantId
from capbox.authority.holding import lend
from capbox.authority.paths import Layout
from capbox.engine.stored.grants import StoredGrant, StoredGrants
from capbox.gate.asking import hold
from capbox.gate.runner import Tool
from capbox.gate.seat import Seat
from capbox.journal.counting import Used


def stored_id(run: str, name: str) -> AuthorityId:
    """Return the id of the lease that a run holds by the stored grant `name`."""
    return AuthorityId(f"{run}/always-{name}")


def lend_stored(
    stored: StoredGrants,
    seat: Seat,
    digests: Mapping[str, str],
    report: Callable[[str], None],
    resume: Callable[[GrantId, Used], None],
) -> None:
    """Add every stored grant that counts here to what the run holds. Raises JournalError.

    `resume` has what is counted go on where it stopped.
    """
    ceiling = seat.ceiling
    if ceiling is None:
        return
    seat.remember = lambda request, lease: stored.keep(request, seat.layout, lease)
    found = stored.of(seat.layout)
    if isinstance(found, str):
        report(found)
        return
    for one, lent in usable(found, ceiling, seat.layout, digests, seat.run):
        problem = lent if isinstance(lent, str) else None
        if isinstance(lent, Authority) and one.count is not None:
            grant = lent.grants[0].id
            used = stored.hold(one, seat.run, grant)
            if isinstance(used, str):
                problem = used
            else:
                resume(grant, used)
        if isinstance(lent, Authority) and problem is None:
            hold(lent, seat, f"always, as {one.id}")
            report(f"lent from before: {one.grant} (always; capbox revoke {one.id})")
        else:
            forget = f"to forget it: capbox grants remove {one.id}"
            report(f"the stored grant {one.id} ({one.grant}) is not used: {problem}; {forget}")


def lent_always(
    file: Path, layout: Layout, tools: Mapping[str, Tool]
) -> tuple[tuple[str, str], ...]:
    """Return the id and the text of each stored grant in `file` that counts in a workspace.

    None where the file cannot be used, which each run reports.
    """
    found = StoredGrants(file, time.time).of(layout)
    if isinstance(found, str):
        return ()
    digests = {name: tool.digest for name, tool in tools.items()}
    return tuple((o.id, str(o.grant)) for o in found if o.problem(layout, digests) is None)


def usable(
    found: Iterable[StoredGrant],
    ceiling: Authority,
    layout: Layout,
    digests: Mapping[str, str],
    run: str,
) -> Iterator[tuple[StoredGrant, Authority | str]]:
    """Yield each approval with the lease of the run that it comes to, or why it is none."""
    for one in found:
        problem = one.problem(layout, digests)
        if problem is not None:
            yield one, problem
            continue
        name, now = stored_id(run, one.id), time.time()
        lease = lend(ceiling, None, str(one.grant), id=name, now=now)
        yield one, lease.message if isinstance(lease, AuthorityError) else lease
