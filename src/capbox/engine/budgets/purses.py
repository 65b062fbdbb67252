"""Gives each run of a session its purse: its own budget, and the day's.

Guarantees: a run for a model has every bound of its budget, direct calls those that somebody named;
a warning is in the journal before anybody sees it. Does not: count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from anyio import to_thread

from capbox.engine.settings import Settings, SettingsError
from capbox.gate.budget.purse import Account, Purse
from capbox.gate.seat import Seat
from capbox.journal.event import Decided
from capbox.journal.tables.spending import Day

if TYPE_CHECKING:
    from capbox.agent.limits.spending import Spending
    from capbox.models.model import Model

# The clock of a run runs while its model thinks, too: its loop has it, see `agent.caps`.
_OF_THE_LOOP = frozenset({"seconds"})


@dataclass(slots=True, eq=False)
class Purses:
    """The purses of one session; `report` gets the warnings of direct calls."""

    settings: Settings
    day: Day | None = None
    report: Callable[[str], None] = lambda line: None

    def fill(self, seat: Seat, *, direct: bool) -> None:
        """Give the run at `seat` its purse; `direct`: of calls that a principal makes."""
        bounds = self.settings.budget.bounds()
        kept = self.settings.budget_given if direct else set(bounds) - _OF_THE_LOOP

        def note(text: str) -> None:
            seat.journal.append(Decided("warning", "budget", text))
            if direct:
                self.report(f"warning: {text}")
            else:
                seat.warnings.append(text)

        own = Account({word: amount for word, amount in bounds.items() if word in kept})
        seat.purse = Purse((own,), self.day, note)

    async def spending(self, model: Model, *fallbacks: Model) -> Callable[[Seat], Spending]:
        """Return what makes the spending of a run with `model`. Raises SettingsError.

        Where somebody bounds US dollars, a model without a known price is refused, as one to fall
        back on too: what it costs would be a guess.
        """
        from capbox.agent.limits.spending import Spending
        from capbox.models.pricing import quoted

        quote = partial(quoted, model)
        subject = self._named("usd")
        for one in (model, *fallbacks) if subject is not None else ():
            if await to_thread.run_sync(quoted, one, 1, 1) is None:
                reason = f"no price is known for {one.name}, so nobody could keep to it; bound"
                raise SettingsError(subject or "", f"{reason} tokens instead: --budget tokens=")
        return lambda seat: Spending(seat.purse, quote, seat.warnings)

    def _named(self, word: str) -> str | None:
        """Return where somebody named a bound on `word`, if anybody did."""
        if word in self.settings.budget_given:
            return f"--budget {word}="
        return f"[budget.day] {word}" if self.day is not None and word in self.day.bounds else None

    def close(self) -> None:
        """Let go of the account of the day."""
        if self.day is not None:
            self.day.close()
