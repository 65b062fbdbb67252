"""What changes about authority while runs go on: revocations and the counters of `uses=N`.

Guarantees: a use is reserved before a call starts, so that calls side by side cannot overrun a
bound; a revoked authority stays revoked, its descendants with it (they carry its id). Does not:
decide, or stop what is under way; the gate does.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from types import MappingProxyType

from capbox.authority.authority import Authority, Minted
from capbox.authority.caveats import Bytes, Rate, Uses
from capbox.authority.decision import AuthorityId, GrantId, Standing
from capbox.journal.counting import Used


@dataclass(frozen=True, slots=True)
class Reservation:
    """Counters that one call has taken a use of; `possible` ones may be given back."""

    certain: frozenset[GrantId] = frozenset()
    possible: frozenset[GrantId] = frozenset()


@dataclass(slots=True, eq=False)
class Tally:
    """What one call drew on counters, for the record."""

    uses: Counter[GrantId] = field(default_factory=Counter)
    bytes: Counter[GrantId] = field(default_factory=Counter)

    def listed(self, exercised: Iterable[GrantId]) -> tuple[tuple[str, int, int], ...]:
        """Return grant, uses and bytes, with one use more for each that the call `exercised`."""
        self.uses.update(exercised)
        names = sorted({*self.uses, *self.bytes})
        return tuple((name, self.uses[name], self.bytes[name]) for name in names)


class Holdings:
    """The live side of every authority of one process."""

    def __init__(self) -> None:
        """Start with nothing revoked and nothing used."""
        self._revoked: frozenset[AuthorityId | GrantId] = frozenset()
        self._uses: Counter[GrantId] = Counter()
        self._bytes: Counter[GrantId] = Counter()
        self._times: dict[GrantId, deque[float]] = {}
        self._latest = 0.0

    def standing(self, now: float) -> Standing:
        """Return a snapshot; reserved uses count. `now` is seconds since 1970."""
        # A clock that was set back must not bring back what had expired.
        self._latest = now = max(self._latest, now)
        return Standing(
            now,
            self._revoked,
            MappingProxyType(dict(self._uses)),
            MappingProxyType(dict(self._bytes)),
            MappingProxyType({grant: tuple(times) for grant, times in self._times.items()}),
        )

    def revoke(self, name: AuthorityId | GrantId) -> None:
        """End an authority, or one grant, and everything made from it, for good."""
        self._revoked |= {name}

    def reserve(
        self, live: Iterable[Minted], certain: Set[GrantId], possible: Set[GrantId]
    ) -> Reservation:
        """Take a use of every bounded grant that a call surely exercises, or may exercise.

        For a rate it counts at the latest standing that was asked for, and whatever comes of it.
        """
        sure: set[GrantId] = set()
        perhaps: set[GrantId] = set()
        for minted in live:
            if minted.id in certain:
                sure.update(_per_call(minted))
                self._tick(minted, self._latest)
            elif minted.id in possible:
                perhaps.update(_per_call(minted))
        reservation = Reservation(frozenset(sure), frozenset(perhaps - sure))
        self._uses.update(reservation.certain | reservation.possible)
        return reservation

    def settle(self, reservation: Reservation, exercised: Set[GrantId]) -> frozenset[GrantId]:
        """Give back what the call did not exercise, once it is known; return what it did."""
        self._uses.subtract(reservation.possible - exercised)
        return reservation.certain | (reservation.possible & exercised)

    def used(self, authorities: Iterable[Authority]) -> dict[GrantId, Used]:
        """Return what is used, or reserved, of the counters of these authorities."""
        names = {g for one in authorities for m in one.grants for g, _ in m.counters}
        found = {
            name: Used(self._uses[name], self._bytes[name], tuple(self._times.get(name, ())))
            for name in sorted(names)
        }
        return {name: used for name, used in found.items() if used != Used()}

    def resume(self, grant: GrantId, used: Used) -> None:
        """Go on counting where another process stopped. Before the grant is held by anybody."""
        self._uses[grant] += used.uses
        self._bytes[grant] += used.bytes
        self._times[grant] = deque(used.times)

    def cancel(self, reservation: Reservation) -> None:
        """Give back everything: the call never started."""
        self._uses.subtract(reservation.certain | reservation.possible)

    def draw(self, minted: Minted, now: float, tally: Tally | None = None) -> None:
        """Count one request; no other is decided between its decision and this."""
        for grant, bound in minted.counters:
            if isinstance(bound, Uses):
                self._uses[grant] += 1
                if tally is not None:
                    tally.uses[grant] += 1
        self._tick(minted, max(self._latest, now))

    def _tick(self, minted: Minted, now: float) -> None:
        for grant, bound in minted.counters:
            if isinstance(bound, Rate):
                times = self._times.setdefault(grant, deque())
                times.append(now)
                while len(times) > bound.count:  # as many as the bound looks at are remembered
                    times.popleft()

    def spend(self, minted: Minted, count: int, tally: Tally | None = None) -> bool:
        """Count `count` bytes sent or received; False if that is more than a bound leaves."""
        within = True
        for grant, bound in minted.counters:
            if isinstance(bound, Bytes):
                self._bytes[grant] += count
                if tally is not None:
                    tally.bytes[grant] += count
                within = within and self._bytes[grant] <= bound.count
        return within


def _per_call(minted: Minted) -> set[GrantId]:
    """Return the counters that a call draws on once, however often it uses the grant."""
    if minted.grant.action == "fetch":
        return set()
    return {grant for grant, bound in minted.counters if isinstance(bound, Uses)}
