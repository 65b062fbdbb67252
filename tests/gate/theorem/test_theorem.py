"""The total effect of runs is at most what was granted, whatever happens; and who looks would see.

Each broken variant is a plausible mistake. The machine finds it in no more tries than the real one
gets, or it would say little about that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.gate.theorem.machine import Machine, Violation
from tests.gate.theorem.world import Parts, derived

from capbox.authority.authority import Authority, AuthorityError, Minted
from capbox.authority.caveats import ExpiresAt
from capbox.authority.decision import AuthorityId, GrantId, Standing
from capbox.authority.grant import Grant, PathSelector
from capbox.authority.paths import GrantPath
from capbox.gate.asking import hold
from capbox.gate.gate import Gate
from capbox.gate.holdings import Holdings, Reservation
from capbox.gate.seat import Seat
from capbox.journal.event import Event, RunClosed, RunId, RunOpened
from capbox.journal.log import Journal, RunJournal


def looking(examples: int, *, shrink: bool = False) -> settings:
    """Always the same examples: a CI that fails now and then is looked at now and then."""
    return settings(
        max_examples=examples,
        stateful_step_count=25,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
    )


class ForgetsRevocations(Holdings):
    """Remembers the last one."""

    def revoke(self, name: AuthorityId | GrantId) -> None:
        self._revoked = frozenset({name})


class CountsAfterwards(Holdings):
    """Looks at the counter before a call, and moves it after."""

    def reserve(self, *given: object) -> Reservation:
        reservation = super().reserve(*given)  # type: ignore[arg-type]
        self._uses.subtract(reservation.certain | reservation.possible)
        return reservation

    def settle(self, reservation: Reservation, exercised: object) -> None:
        self._uses.update(reservation.certain | (reservation.possible & exercised))  # type: ignore[operator]


class RefundsOnCrash(Holdings):
    """Gives back what a call had taken whose worker died: all that may have been used."""

    def settle(self, reservation: Reservation, exercised: object) -> None:
        if reservation.possible and exercised == reservation.possible:
            return self.cancel(reservation)
        return super().settle(reservation, exercised)  # type: ignore[arg-type]


class BelievesTheClock(Holdings):
    """Takes every time for the time."""

    def standing(self, now: float) -> Standing:
        self._latest = 0.0
        return super().standing(now)


class LetsGuestsFinish(Gate):
    """A revocation counts from the next call on."""

    def revoke(self, name: AuthorityId | GrantId) -> None:
        self._holdings.revoke(name)


Derived = Authority | AuthorityError


def changed(child: Derived, change: Callable[[Minted], Minted]) -> Derived:
    if isinstance(child, AuthorityError):
        return child
    return replace(child, grants=tuple(map(change, child.grants)))


def without_expiry(one: Minted) -> Minted:
    kept = tuple(c for c in one.grant.caveats if not isinstance(c, ExpiresAt))
    return replace(one, grant=replace(one.grant, caveats=kept))


def forgets_to_expire(parent: Authority, chosen: list[Grant], *rest: object) -> Derived:
    """Check everything of a child but when it ends."""
    endless = changed(parent, without_expiry)
    assert isinstance(endless, Authority)
    return derived(endless, chosen, *rest)  # type: ignore[arg-type]


def counts_by_itself(*given: object) -> Derived:
    """A child has its own counters, and leaves its ancestors' alone."""

    def own(one: Minted) -> Minted:
        return replace(one, counters=tuple(c for c in one.counters if c[0] == one.id))

    return changed(derived(*given), own)  # type: ignore[arg-type]


def forgets_its_parents(*given: object) -> Derived:
    """A child stands for itself, whatever becomes of those above."""
    child = changed(derived(*given), lambda one: replace(one, lineage=(one.id,)))  # type: ignore[arg-type]
    return replace(child, lineage=(child.id,)) if isinstance(child, Authority) else child


def gives_writing_for_reading(parent: Authority, chosen: list[Grant], *rest: object) -> Derived:
    """Compare paths, and not what is done there."""
    wider = changed(parent, lambda one: replace(one, grant=written(one.grant)))
    assert isinstance(wider, Authority)
    return derived(wider, chosen, *rest)  # type: ignore[arg-type]


def written(grant: Grant) -> Grant:
    return replace(grant, action="write") if grant.action == "read" else grant


def merges_leases(lease: Authority, seat: Seat, term: str) -> None:
    """Make one lease of two: what both are below."""
    if seat.leases and all(m.grant.path for one in (lease, seat.leases[-1]) for m in one.grants):
        above = PathSelector(GrantPath("/workspace"))
        lease = replace(
            lease,
            grants=tuple(replace(m, grant=Grant(m.grant.action, above)) for m in lease.grants),
        )
    hold(lease, seat, term)


class WritesLater(RunJournal):
    """Collects entries, and writes them when there are some."""

    waiting: tuple[Event, ...] = ()

    def append(self, event: Event) -> int:
        self.waiting = (*self.waiting, event)
        return self._next if len(self.waiting) < 4 else self.write()

    def write(self) -> int:
        waiting, self.waiting = self.waiting, ()
        return [super(WritesLater, self).append(one) for one in waiting][-1]

    def close(self, event: RunClosed) -> None:
        self.append(event)
        if self.waiting:
            self.write()
        self._heads.release(self.run)


def writes_later(journal: Journal, run: RunId, opened: RunOpened) -> RunJournal:
    begun = journal.begin(run, opened)
    late = WritesLater(journal._rows, journal._heads, journal._blobs, journal._signer, run=run)
    late._next, late._previous = begun._next, begun._previous
    return late


BROKEN = {
    "forgets revocations": Parts(holdings=ForgetsRevocations),
    "counts afterwards": Parts(holdings=CountsAfterwards),
    "refunds what a dead worker had taken": Parts(holdings=RefundsOnCrash),
    "believes the clock": Parts(holdings=BelievesTheClock),
    "lets guests finish": Parts(gate=LetsGuestsFinish),
    "forgets when a parent ends": Parts(derive=forgets_to_expire),
    "counts each child by itself": Parts(derive=counts_by_itself),
    "forgets whose child it is": Parts(derive=forgets_its_parents),
    "gives writing for reading": Parts(derive=gives_writing_for_reading),
    "merges two leases": Parts(hold=merges_leases),
    "writes the record later": Parts(begin=writes_later),
}


QUICKLY = {
    "forgets revocations",
    "counts afterwards",
    "lets guests finish",
    "writes the record later",
}


@pytest.mark.parametrize(
    "mistake",
    [pytest.param(name, marks=() if name in QUICKLY else pytest.mark.slow) for name in BROKEN],
)
def test_a_mistake_is_found(mistake: str) -> None:
    class Mistaken(Machine):
        parts = BROKEN[mistake]

    with pytest.raises(Violation):
        run_state_machine_as_test(Mistaken, settings=looking(300))


def test_what_is_done_is_paid_for_by_what_was_granted() -> None:
    run_state_machine_as_test(Machine, settings=looking(25, shrink=True))


@pytest.mark.slow
def test_what_is_done_is_paid_for_by_what_was_granted_in_many_more_orders() -> None:
    run_state_machine_as_test(Machine, settings=looking(300, shrink=True))
