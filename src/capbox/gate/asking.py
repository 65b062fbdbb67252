"""Asks for a missing grant, and turns the answer into a lease: never more than the ceiling holds.

Guarantees: at most ten questions a run, none twice after a no, none that no answer could grant;
every question, answer and lease is journaled. Does not: run anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from capbox.authority.access import Access, ToolAccess
from capbox.authority.authority import Authority, AuthorityError, Minted
from capbox.authority.decision import AuthorityId, Denied, Standing
from capbox.authority.holding import lend
from capbox.authority.paths import Layout
from capbox.authority.values.kinds import Value
from capbox.authority.web.places import FetchAccess
from capbox.gate.approver import Answer, AskRequest, For, ForRun, No, Once, Stop
from capbox.gate.rights.files import linked_to
from capbox.gate.seat import Seat
from capbox.journal.event import Decided
from capbox.messages import ToolFailure

ASKS_MAX = 10
_ENOUGH = f"{ASKS_MAX} questions were asked in this run, and no more will be"
STOPPED = ToolFailure("stopped_by_person", "the run was stopped by the person who was asked")


async def lease_for(
    denied: Denied,
    seat: Seat,
    question: AskRequest,
    call_id: str,
    standing: Callable[[], Standing],
) -> Authority | Denied:
    """Ask for one missing grant. A lease for longer than this call is noted in the seat.

    Raises JournalError. Call it with the seat's `asking` lock held.
    """
    access, name = denied.access, AuthorityId(f"{seat.run}/lease-{seat.asks + 1}")
    hindrance = _hindrance(denied, seat, name, standing())
    if hindrance is not None or seat.ceiling is None:
        return replace(denied, reason=f"{denied.reason}{hindrance}") if hindrance else denied
    question = replace(question, grant=_lasting(access, seat.ceiling, name, standing().now))
    answer = await _answered(access, seat, question, call_id)
    if isinstance(answer, str):
        return replace(denied, reason=f"{denied.reason}; {answer}")
    seconds = answer.seconds if isinstance(answer, For) else None
    wanted = access.missing if isinstance(answer, Once) else question.grant
    if isinstance(answer, Once) and isinstance(access, FetchAccess | ToolAccess):
        wanted += " uses=1"  # what was shown is this request, not others like it
    lease = lend(seat.ceiling, access, wanted, seconds=seconds, id=name, now=standing().now)
    if isinstance(lease, AuthorityError):
        return replace(denied, reason=lease.message)
    _note(lease, seat, call_id, answer)
    if isinstance(answer, ForRun) and isinstance(access, ToolAccess):
        # Seen and approved for the run, these values are the principal's own from here on.
        seat.grounds |= {Value(a.kind, v.text) for a in access.arguments for v in a.values}
    return lease


async def confirmed(
    minted: Minted, access: FetchAccess, seat: Seat, question: AskRequest, call_id: str
) -> Denied | None:
    """Have a person confirm the use of a grant that says `ask=`; return a refusal, if it is one.

    Raises JournalError. Call it with the seat's `asking` lock held.
    """
    asks = minted.grant.asks
    if asks is None or (not asks.each and minted.id in seat.confirmed):
        return None
    answer: Once | ForRun | For | str | None = _already(access, seat)
    if answer is None:
        question = replace(question, grant=str(minted.grant))
        answer = await _answered(access, seat, question, call_id)
    if isinstance(answer, str):
        return Denied(access, f"{minted.grant} asks before it is used; {answer}", None)
    seat.confirmed.add(minted.id)
    return None


async def _answered(
    access: Access, seat: Seat, question: AskRequest, call_id: str
) -> Once | ForRun | For | str:
    """Put the question, on record; return the yes, or why it is none."""
    seat.asks += 1
    seat.journal.append(Decided("ask", str(access), question.effect, call_id))
    answer = await seat.approver.ask(question)
    seat.journal.append(Decided("answer", str(access), _described(answer), call_id))
    match answer:
        case No(reason):
            seat.refused[str(access)] = reason
            return reason
        case Stop():
            seat.stopped = STOPPED
            return STOPPED.message
        case Once() | ForRun() | For():
            return answer
        case _:
            assert_never(answer)


def _already(access: Access, seat: Seat) -> str | None:
    """Say why nobody is asked once more, if so."""
    if str(access) in seat.refused:
        return seat.refused[str(access)]
    return _ENOUGH if seat.asks >= ASKS_MAX else None


def _hindrance(denied: Denied, seat: Seat, name: AuthorityId, standing: Standing) -> str | None:
    """Say why asking would be of no use, as the end of a sentence; None if it may be of use."""
    if seat.ceiling is None or denied.missing is None:
        return ""
    already = _already(denied.access, seat)
    if already is not None:
        return f"; {already}"
    allowed = seat.ceiling.decide(denied.access, standing)
    if isinstance(allowed, Denied):
        return f"; the operator's ceiling does not allow it ({allowed.reason})"
    if isinstance(denied.access, FetchAccess) and denied.access.doubt is not None:
        # Only a grant of the whole origin covers it: far more than the one request that is shown.
        return "; only a path with one reading can be asked for"
    if linked_to(denied.access, seat.layout) is not None:
        # A person would approve one name, and the guest would get what the link leads to. Where it
        # leads is not said: the answer would read any link for a model that holds nothing.
        return "; a link is on the way there, and only a path without links can be asked for"
    possible = lend(seat.ceiling, denied.access, id=name, now=standing.now)
    if isinstance(possible, AuthorityError):
        return "; the operator's ceiling does not hold it, and no answer lends more than that"
    return None


def _lasting(access: Access, ceiling: Authority, name: AuthorityId, now: float) -> str:
    """Return what a yes for longer lends: a whole origin, where the ceiling has it."""
    if isinstance(access, FetchAccess):
        lease = lend(ceiling, access, access.lasting, id=name, now=now)
        return access.lasting if isinstance(lease, Authority) else access.missing
    return access.missing


def _note(lease: Authority, seat: Seat, call_id: str, answer: Once | ForRun | For) -> None:
    paths = [m.grant.path for m in lease.grants if m.grant.path is not None]
    layout = Layout.of(seat.layout.workspace, paths, seat.layout.mounts)
    if isinstance(layout, Layout):
        seat.layout = layout
    if not isinstance(answer, Once):
        seat.leases = (*seat.leases, lease)
    grants = ", ".join(str(m.grant) for m in lease.grants)
    ends = [m.expires_ms / 1000 for m in lease.grants if m.expires_ms is not None]
    term = "for this call" if isinstance(answer, Once) else "for the run"
    if isinstance(answer, For):
        term = f"for {answer.seconds} s"
    seat.journal.append(Decided("lease", grants, term, call_id, lease.id, min(ends, default=None)))


def _described(answer: Answer) -> str:
    return f"yes, for {answer.seconds} s" if isinstance(answer, For) else type(answer).__name__
