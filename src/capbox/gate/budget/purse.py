"""What a run may still spend: of its own budget, of its ancestors', and of the day's.

Guarantees: every draw is taken from each of them or from none, before anything happens; between
the look and the taking nothing is waited for, and the day's account is taken from in one
transaction, so no race overruns a bound; what was taken stays taken unless `settle` says what it
came to. Does not: know prices or clocks; the record is written by `note`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from capbox.authority.budget import DISTINCT
from capbox.authority.values.draws import Draw, Overspent, overspent, shown
from capbox.journal.tables.spending import Day

WARNED_AT: Final = (95, 80)
OWN, _ABOVE = "the budget of this run", "the budget of a run above this one"


@dataclass(slots=True, eq=False)
class Account:
    """One budget under way: `bounds` by resource, and what is used or reserved of each."""

    bounds: dict[str, float]
    used: dict[tuple[str, str], float] = field(default_factory=dict)

    def add(self, draws: Iterable[Draw]) -> None:
        """Count draws, whatever the bounds say; a negative amount is given back."""
        for draw in draws:
            distinct = draw.resource in DISTINCT
            if distinct and draw.key in self.used:
                continue
            for key in (draw.key, (draw.resource, "")) if distinct else (draw.key,):
                self.used[key] = self.used.get(key, 0) + draw.amount

    def used_of(self, draw: Draw) -> float:
        """Return what is used of the bound that `draw` is on."""
        return self.used.get((draw.resource, "") if draw.resource in DISTINCT else draw.key, 0)


def _unrecorded(text: str) -> None:
    """Keep no record: of a purse without bounds there is nothing to tell."""


@dataclass(slots=True, eq=False)
class Purse:
    """The accounts of one run: its own, then its ancestors'; `day` is everybody's.

    `note` writes a warning to the record, and shows it.
    """

    accounts: tuple[Account, ...] = field(default_factory=lambda: (Account({}),))
    day: Day | None = None
    note: Callable[[str], None] = _unrecorded
    _warned: Counter[tuple[int, str, str]] = field(default_factory=Counter)

    def own(self) -> dict[str, tuple[float, float]]:
        """Return what is used, or reserved, of each bound of the run itself, and the bound."""
        account = self.accounts[0]
        return {
            word: (account.used_of(Draw(word)), bound)
            for word, bound in account.bounds.items()
            if not word.startswith("sink_")
        }

    def bounds(self, resource: str) -> bool:
        """Say whether anything here bounds `resource`."""
        return any(resource in bounds for bounds, _, _ in self._looked_at())

    def left(self, resource: str) -> float | None:
        """Return how much of an amount is left in every account; None: it is not bounded."""
        left = [
            bounds[resource] - used_of(Draw(resource))
            for bounds, used_of, _ in self._looked_at()
            if resource in bounds
        ]
        return max(min(left), 0) if left else None

    def reserve(self, *draws: Draw) -> Reserved | Overspent:
        """Take all of `draws` from every account, or none from any. Raises JournalError."""
        refusal = self._refusal(draws)
        if refusal is not None:
            return refusal
        taken = None if self.day is None else self.day.take(draws)
        if isinstance(taken, Overspent):
            return taken
        for account in self.accounts:
            account.add(draws)
        return Reserved(self, draws, taken)

    def spend(self, *draws: Draw) -> Overspent | None:
        """Take what will not be given back. Raises JournalError."""
        reserved = self.reserve(*draws)
        if isinstance(reserved, Overspent):
            return reserved
        self.warn(draws)
        return None

    def note_changed(self, hosts: Iterable[str]) -> None:
        """Count files that were changed, whether they fit or not. Raises JournalError."""
        draws = tuple(Draw("files", 1, host) for host in dict.fromkeys(hosts))
        if self.day is not None:
            self.day.change(None, draws)
        for account in self.accounts:
            account.add(draws)
        self.warn(draws)

    def child(self, bounds: Mapping[str, float], note: Callable[[str], None]) -> Purse | Overspent:
        """Return the purse of an agent that this one makes: all that it spends is taken here too.

        Attack: two children that each hold what is left of their parent spend it twice.
        """
        return self.spend(Draw("children")) or Purse(
            (Account(dict(bounds)), *self.accounts), self.day, note
        )

    def follow(self, before: Purse) -> None:
        """Draw on the accounts of a purse that nobody draws on any more."""
        self.accounts, self._warned = before.accounts, before._warned

    def raise_to(self, bounds: Mapping[str, float]) -> None:
        """Allow the run itself more, as a person said; its ancestors and the day stay."""
        own = self.accounts[0].bounds
        own.update({word: max(own[word], bounds[word]) for word in own if word in bounds})

    def warn(self, draws: Iterable[Draw]) -> None:
        """Record each bound of which 80 or 95 % are used now, once. Raises JournalError."""
        # Once for each bound: a call may change thousands of files.
        subjects = {d.key if d.resource.startswith("sink_") else d.resource: d for d in draws}
        for number, (bounds, used_of, whose) in enumerate(self._looked_at()):
            for draw in subjects.values():
                bound = bounds.get(draw.resource, 0)
                if not bound:
                    continue
                used = used_of(draw)
                passed = next((p for p in WARNED_AT if used * 100 >= bound * p), None)
                subject = draw.subject if draw.resource.startswith("sink_") else ""
                key = number, draw.resource, subject
                if passed is None or self._warned[key] >= passed:
                    continue
                self._warned[key] = passed
                place = f" for {subject}" if subject else ""
                spent = f"{shown(used)} of {shown(bound)} used{place}"
                self.note(f"{whose}: {draw.resource}: {spent} ({int(used * 100 / bound)} %)")

    def _looked_at(self) -> list[tuple[Mapping[str, float], Callable[[Draw], float], str]]:
        found: list[tuple[Mapping[str, float], Callable[[Draw], float], str]] = [
            (account.bounds, account.used_of, _ABOVE if number else OWN)
            for number, account in enumerate(self.accounts)
        ]
        if self.day is not None:
            found.append((self.day.bounds, self.day.used_of, self.day.name))
        return found

    def _refusal(self, draws: tuple[Draw, ...]) -> Overspent | None:
        for number, account in enumerate(self.accounts):
            found = overspent(account.bounds, account.used, draws)
            if found is not None:
                draw, used = found
                bound = account.bounds[draw.resource]
                whose, flag = (_ABOVE, "theirs") if number else (OWN, f"--budget {draw.resource}=")
                return Overspent(draw.resource, bound, used, draw.amount, whose, flag, draw.subject)
        return None


@dataclass(slots=True, eq=False)
class Reserved:
    """What was taken in advance and not settled yet; `date` is the day from whose account."""

    purse: Purse
    draws: tuple[Draw, ...]
    date: str | None

    def settle(self, **came_to: float) -> None:
        """Say what the amounts came to, more or less; those left out stay as they were taken.

        Raises JournalError; what was taken then stays taken.
        """
        draws, self.draws = self.draws, ()  # once: else it would be given back twice
        changes = tuple(
            Draw(draw.resource, came_to[draw.resource] - draw.amount)
            for draw in draws
            if draw.resource in came_to
        )
        if self.purse.day is not None:
            self.purse.day.change(self.date, changes)
        for account in self.purse.accounts:
            account.add(changes)
        self.purse.warn(draws)
