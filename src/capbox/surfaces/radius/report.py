"""What all three forms of a blast radius are made from."""

from __future__ import annotations

from dataclasses import dataclass

from capbox.engine.radius.never.verdicts import Verdict
from capbox.engine.radius.radius import Radius
from capbox.engine.radius.record import Used


@dataclass(frozen=True, slots=True)
class Report:
    """A radius, where its grants come from, and what was asked of it.

    `origin` is `flags`, `remembered`, `nothing` or `run ID`; `verdicts` None: no rules were given.
    """

    radius: Radius
    origin: str
    verdicts: tuple[Verdict, ...] | None = None
    used: Used | None = None
    notes: tuple[str, ...] = ()

    @property
    def broken(self) -> tuple[Verdict, ...]:
        """Return the rules that are broken, and by what."""
        return tuple(verdict for verdict in self.verdicts or () if verdict.by)
