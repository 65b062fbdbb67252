"""Bounds of one run: what may be spent before it stops. Always finite; zero means zero.

Pure values, of the same shape as `limits.Limits`. Does not count: the loop and the gate do.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend: model turns, tool calls, seconds, tokens (in and out), US dollars."""

    turns: int = 50
    tool_calls: int = 200
    wall_seconds: float = 1800.0
    tokens: int = 2_000_000
    usd: float = 10.0

    def __post_init__(self) -> None:
        """Raise ValueError for a bound that is negative or not finite: it would bound nothing."""
        for name in self.__slots__:
            bound: float = getattr(self, name)
            if not 0 <= bound < inf:
                raise ValueError(f"{name} is not a finite bound: {bound}")

    def within(self, other: Budget) -> bool:
        """Say whether no bound here is looser than in `other`."""
        return self.narrowed(other) == self

    def narrowed(self, other: Budget) -> Budget:
        """Return the tighter of the two for every bound."""
        return Budget(*map(min, astuple(other), astuple(self)))
