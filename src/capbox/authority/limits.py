"""Bounds of one tool call: finite by default, lowered by anyone, raised by a principal only.

Pure values. The mechanisms behind each bound live in `capbox.sandbox`; defaults are those of the
design's table of bounds (measured: a 256 MB Go guest works, 1 MB of stack traps in 31 ms).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

MB = 1_000_000
MIB = 1 << 20


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

    def __post_init__(self) -> None:
        """Raise ValueError for a bound that is negative or not finite: it would bound nothing."""
        for name in self.__slots__:
            bound: float | None = getattr(self, name)
            if bound is not None and not 0 <= bound < inf:
                raise ValueError(f"{name} is not a finite bound: {bound}")

    def within(self, other: Limits) -> bool:
        """Say whether no bound here is looser than in `other`."""
        return self.narrowed(other) == self

    def narrowed(self, other: Limits) -> Limits:
        """Return the tighter of the two for every bound."""
        fuel = self.fuel if other.fuel is None else other.fuel
        return Limits(
            wall_seconds=min(other.wall_seconds, self.wall_seconds),
            fuel=fuel if self.fuel is None or fuel is None else min(fuel, self.fuel),
            memory_bytes=min(other.memory_bytes, self.memory_bytes),
            stack_bytes=min(other.stack_bytes, self.stack_bytes),
            output_bytes=min(other.output_bytes, self.output_bytes),
            written_bytes=min(other.written_bytes, self.written_bytes),
            files_created=min(other.files_created, self.files_created),
            open_files=min(other.open_files, self.open_files),
            tmp_bytes=min(other.tmp_bytes, self.tmp_bytes),
        )
