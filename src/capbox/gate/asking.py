"""Asks for a missing grant, and turns the answer into a lease: never more than the ceiling holds.

Guarantees: at most ten questions a run, none twice after a no, none that no answer could grant;
every question, answer and lease is journaled. Does not: run anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from capbox.authority.access import Access, ToolAccess
from capbox.authority.authority import Authority, AuthorityError, Minted
from capbox.authority.decision import AuthorityId, Denied, Standing
from capbox.authority.holding import lend
from capbox.authority.paths import Layout
from capbox.authority.values.draws import Draw, Overspent
from capbox.authority.values.kinds import Value
from capbox.authority.web.places import FetchAccess
from capbox.gate.approver import (
    Always,
    Answer,
    AskRequest,
    ByRule,
    For,
    ForRun,
    ForUses,
    No,
    Once,
    Stop,
    Yes,
)
from capbox.gate.rights.files import linked_to
from capbox.gate.seat import SEEN_MAX, Seat
from capbox.journal.event import Decided
from capbox.messages import ToolFailure

ASKS_MAX = 10
_ENOUGH = f"{ASKS_MAX} questions were asked in this run, and no more will be"
ONE_CALL = "for this call"
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
    access, name = denied.access, AuthorityId(f"{seat.run}/lease-{seat.numbered + 1}")
    hindrance = _hindrance(denied, seat, name, standing())
    if hindrance is not None or seat.ceiling is None:
        return replace(denied, reason=f"{denied.reason}{hindrance}")
    question = replace(question, grant=_lasting(access, seat.ceiling, name, standing().now))
    answer = await _answered(access, seat, question, call_id)
    if isinstance(answer, str):
        return replace(denied, reason=f"{denied.reason}; {answer}")
    if isinstance(answer, ByRule) and answer.grant in seat.ruled:
        # Attack: a script asks on, and each lease of the rule has its counters begin at nothing.
        return replace(denied, reason=f"{denied.reason}; a rule lends once in a run")
    now, moment = standing(), seat.recording.moment_ns
    # What was said for a minute lasts as long in a replay, which knows when it was said.
    now = now if moment is None else replace(now, now=moment / 1e9)
    lease = _lent(answer, seat, question, name, now)
    if isinstance(lease, str):
        return replace(denied, reason=lease)
    if isinstance(answer, ByRule):
        seat.ruled.add(answer.grant)
    _note(lease, seat, call_id, answer)
    if isinstance(answer, Always):
        kept = replace(question, grant=_wanted(answer, access, question))
        _remember(lease, seat, kept, call_id)
    if isinstance(answer, ForRun | Always) and isinstance(access, ToolAccess):
        # Seen and approved for the run, these values are the principal's own from here on.
        seat.grounds |= {Value(a.kind, v.text) for a in access.arguments for v in a.values}
    return lease


def hold(lease: Authority, seat: Seat, term: str, call_id: str | None = None) -> None:
    """Add a lease to what the run holds, on record. Raises JournalError."""
    _record(lease, seat, term, call_id)
    seat.leases = (*seat.leases, lease)


def _lent(
    answer: Yes, seat: Seat, question: AskRequest, name: AuthorityId, standing: Standing
) -> Authority | str:
    """Return the lease that a yes mints, or why it mints none."""
    if seat.ceiling is None:
        return "the run was revoked while this was asked for"
    seconds = answer.seconds if isinstance(answer, For) else None
    access, wanted = question.access, _wanted(answer, question.access, question)
    lease = lend(seat.ceiling, access, wanted, seconds=seconds, id=name, now=standing.now)
    if isinstance(lease, AuthorityError):
        return lease.message
    if isinstance(lease.decide(access, standing), Denied):
        # A rule may say less than it seems to; asking once more would get the same answer.
        return f"what was lent does not allow it: {wanted}"
    return lease


def _wanted(answer: Yes, access: Access, question: AskRequest) -> str:
    """Return the grant that a yes lends."""
    match answer:
        case ByRule(grant):
            return grant
        case ForUses(int(count)) | Always(int(count)):
            return f"{question.grant} uses={count}"
        case Once() if isinstance(access, FetchAccess | ToolAccess):
            return f"{access.missing} uses=1"  # what was shown is this request, not others like it
        case _:
            return question.grant


async def confirmed(
    minted: Minted, access: FetchAccess, seat: Seat, question: AskRequest, call_id: str
) -> Denied | None:
    """Have a person confirm the use of a grant that says `ask=`; return a refusal, if it is one.

    Raises JournalError. Call it with the seat's `asking` lock held.
    """
    asks = minted.grant.asks
    if asks is None or (not asks.each and minted.id in seat.confirmed):
        return None
    answer: Yes | str | None = _already(access, seat)
    if answer is None:
        question = replace(question, grant=str(minted.grant))
        answer = await _answered(access, seat, question, call_id)
    if isinstance(answer, str):
        return Denied(access, f"{minted.grant} asks before it is used; {answer}", None)
    seat.confirmed.add(minted.id)
    return None


async def _answered(access: Access, seat: Seat, question: AskRequest, call_id: str) -> Yes | str:
    """Put the question, on record; return the yes, or why it is none."""
    asked = seat.purse.reserve(Draw("asks"))
    if isinstance(asked, Overspent):
        return str(asked)
    seat.asks += 1
    seat.numbered += 1
    seat.journal.append(Decided("ask", str(access), question.effect, call_id))
    answer = await seat.approver.ask(question)
    seat.recording.answered(access, answer)
    if isinstance(answer, ByRule) or (isinstance(answer, No) and answer.by == "rule"):
        seat.asks -= 1  # what is bounded is how often a person is asked
        asked.settle(asks=0)
    seat.journal.append(Decided("answer", str(access), _described(answer), call_id))
    match answer:
        case No(reason, by):
            # A rule answers as often as it is asked: what it said need not be kept without end.
            if by != "rule" or len(seat.refused) < SEEN_MAX:
                seat.refused[_effect(access)] = reason
            return reason
        case Stop():
            seat.stopped = STOPPED
            return STOPPED.message
        case _:
            return answer


def _already(access: Access, seat: Seat) -> str | None:
    """Say why nobody is asked once more, if so."""
    if _effect(access) in seat.refused:
        return seat.refused[_effect(access)]
    return _ENOUGH if seat.asks >= ASKS_MAX else None


def _effect(access: Access) -> str:
    # Attack: a model that was refused a call has a script make it, and the person is asked anew.
    return access.called if isinstance(access, ToolAccess) else str(access)


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


def _note(lease: Authority, seat: Seat, call_id: str, answer: Yes) -> None:
    match answer:
        case Once():
            _record(lease, seat, ONE_CALL, call_id)
        case For(seconds):
            hold(lease, seat, f"for {seconds} s", call_id)
        case Always():
            hold(lease, seat, "always", call_id)
        case _:
            hold(lease, seat, "for the run", call_id)


def _record(lease: Authority, seat: Seat, term: str, call_id: str | None) -> None:
    paths = [m.grant.path for m in lease.grants if m.grant.path is not None]
    layout = Layout.of(seat.layout.workspace, paths, seat.layout.mounts)
    grants = ", ".join(str(m.grant) for m in lease.grants)
    ends = [m.expires_ms / 1000 for m in lease.grants if m.expires_ms is not None]
    seat.journal.append(Decided("lease", grants, term, call_id, lease.id, min(ends, default=None)))
    if isinstance(layout, Layout):
        seat.layout = layout


def _remember(lease: Authority, seat: Seat, question: AskRequest, call_id: str) -> None:
    """Have later runs hold it too; the lease of this run is on record already."""
    problem: str | None = "no approval is kept here"
    if seat.remember is not None:
        problem = seat.remember(question, lease.grants[0].id)
    if problem is not None:
        subject = f"always {question.grant}"
        seat.journal.append(Decided("denial", subject, problem, call_id, lease.id))


def _described(answer: Answer) -> str:
    match answer:
        case For(seconds):
            return f"yes, for {seconds} s"
        case ForUses(count):
            return f"yes, {count} uses"
        case Always(int(count)):
            return f"yes, {count} uses, always"
        case ByRule(grant):
            return f"yes, by the rule {grant}"
        case _:
            return type(answer).__name__
