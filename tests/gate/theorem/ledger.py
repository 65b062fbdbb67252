"""The bookkeeping of a sceptic: what was given, what was done, and whether the one pays the other.

Nothing here is taken from capbox. A grant is a node with a bound; it hangs below the grants it may
have been made from. Everything that was done is a unit that one standing grant must pay for, and
each grant above that one too. Where it could be several, any way to pay for all units at once will
do: so this never complains without cause, and complains whenever no way is left.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

ENDLESS = 10**9


@dataclass(eq=False, slots=True)
class Given:
    """One grant. `holder` is the run that holds it, "" for the operator's ceiling.

    `call` is set for what was lent for one call; `parents` are those it may come from, none for
    what a principal gave.
    """

    id: str
    authority: str
    action: str
    target: str
    uses: int | None
    ends: float | None
    holder: str
    parents: tuple[Given, ...] = ()
    call: str | None = None
    revoked: bool = False

    def covers(self, action: str, target: str) -> bool:
        """Say whether it is about this."""
        if "tool" in (action, self.action):
            return (action, target) == (self.action, self.target)
        below = target == self.target or target.startswith(f"{self.target}/")
        return below and (self.action == "write" or action == "read")

    @property
    def fallen(self) -> bool:
        """Say whether it was revoked, or all that it may come from."""
        above = bool(self.parents) and all(parent.fallen for parent in self.parents)
        return self.revoked or above

    def stands(self, now: float) -> bool:
        """Say whether it has neither fallen nor ended."""
        here = not self.revoked and (self.ends is None or now < self.ends)
        return here and (not self.parents or any(p.stands(now) for p in self.parents))

    def within(self, other: Given) -> bool:
        """Say whether it gives no more than another one."""
        fewer = other.uses is None or (self.uses is not None and self.uses <= other.uses)
        sooner = other.ends is None or (self.ends is not None and self.ends <= other.ends)
        return other.covers(self.action, self.target) and fewer and sooner


@dataclass(slots=True)
class Ledger:
    """All grants that were ever given, and all units that were ever done."""

    given: list[Given] = field(default_factory=list)
    units: list[tuple[Given, ...]] = field(default_factory=list)
    _checked: int = 0

    def payers(
        self, run: str, action: str, target: str, now: float, call: str | None
    ) -> tuple[Given, ...]:
        """Return the standing grants of a run, or of one call of it, that are about this."""
        return tuple(
            one
            for one in self.given
            if one.holder == run
            and one.call in (None, call)
            and one.covers(action, target)
            and one.stands(now)
        )

    def revoke(self, name: str) -> None:
        """Take back a grant, or all of an authority."""
        for one in self.given:
            one.revoked = one.revoked or name in (one.id, one.authority)

    def paid(self) -> bool:
        """Say whether all units can be paid for at once: a flow by way of grants to the roots."""
        if self._checked == len(self.units):
            return True
        left: dict[object, Counter[object]] = defaultdict(Counter)
        for number, unit in enumerate(self.units):
            left["start"][number] = 1
            for payer in unit:
                left[number][payer.id, "in"] = 1
        for one in self.given:
            left[one.id, "in"][one.id, "out"] = ENDLESS if one.uses is None else one.uses
            for parent in one.parents:
                left[one.id, "out"][parent.id, "in"] = ENDLESS
            if not one.parents:
                left[one.id, "out"]["end"] = ENDLESS
        if any(not _augmented(left) for _ in self.units):
            return False
        self._checked = len(self.units)
        return True


def _augmented(left: dict[object, Counter[object]]) -> bool:
    """Send one unit more through what is left; False if that is not possible."""
    way: dict[object, object] = {"start": None}
    todo: list[object] = ["start"]
    while todo and "end" not in way:
        here = todo.pop()
        for there, room in left[here].items():
            if room > 0 and there not in way:
                way[there] = here
                todo.append(there)
    if "end" not in way:
        return False
    there: object = "end"
    while there != "start":
        here = way[there]
        left[here][there] -= 1
        left[there][here] += 1
        there = here
    return True
