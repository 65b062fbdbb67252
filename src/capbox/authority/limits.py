"""Bounds of one tool call: finite by default, lowered by anyone, raised by a principal only.

Pure values. The mechanisms behind each bound live in `capbox.sandbox`; defaults are those of the
design's table of bounds (measured: a 256 MB Go guest works, 1 MB of stack traps in 31 ms).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

MB = 1_000_000
MIB = 1 << 20
SECONDS_MAX, COUNT_MAX = 1e8, 1 << 53  # what clocks, frames and rlimits can take, with room


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound of one call. Zero means zero. `fuel` None means instructions are not metered."""

    wall_seconds: float = 30.0
    fuel: int | None = None
    memory_bytes: int = 256 * MIB
    stack_bytes: int = MIB
    output_bytes: int = MB
    written_bytes: int = 64 * MB
    files_created: int = 1_000
    open_files: int = 256
    tmp_bytes: int = 64 * MB
    requests: int = 100
    body_bytes: int = 10 * MB

    def __post_init__(self) -> None:
        """Raise ValueError for a bound that is negative, or so large that it bounds nothing."""
        for name in self.__slots__:
            bound: float | None = getattr(self, name)
            most = SECONDS_MAX if name == "wall_seconds" else COUNT_MAX
            if bound is not None and not 0 <= bound <= most:
                raise ValueError(f"{name} is not a bound from 0 to {most:.0f}: {bound}")

    def within(self, other: Limits) -> bool:
        """Say whether no bound here is looser than in `other`."""
        return self.narrowed(other) == self

    def narrowed(self, other: Limits) -> Limits:
        """Return the tighter of the two for every bound."""
        return _tighter(self, other)


@lru_cache(maxsize=64)
def _tighter(one: Limits, other: Limits) -> Limits:
    """Return the tighter bounds; remembered, since a run asks for the same ones at every call."""
    pairs = ((getattr(one, name), getattr(other, name)) for name in Limits.__slots__)
    return Limits(*(b if a is None else a if b is None else min(a, b) for a, b in pairs))
