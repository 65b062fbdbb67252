"""Bounds of what a run may spend before it stops. Always finite; zero means zero.

Pure values, of the same shape as `limits.Limits`. Does not count: the loop and the gate do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from math import inf

GB = 10**9
# How principals write them, and what they are here: one word each in flags, files and messages.
WORDS: Mapping[str, str] = {
    **{"turns": "turns", "calls": "tool_calls", "seconds": "wall_seconds", "tokens": "tokens"},
    **{"usd": "usd", "bytes_out": "bytes_out", "sinks": "sinks", "sink_calls": "sink_calls"},
    **{"sink_bytes": "sink_bytes", "files": "files", "asks": "asks", "children": "children"},
}
# Those that are no amounts: what is counted is how many different ones there are.
DISTINCT = frozenset({"sinks", "files"})


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend: model turns, tool calls, seconds, tokens (in and out), US dollars.

    `bytes_out` leave in requests and in calls of functions that send; `sinks` are the different
    places they go to, `sink_calls` and `sink_bytes` what goes to any one of them. `files` are
    different paths that are changed, `asks` questions to people, `children` agents it makes.
    """

    turns: int = 50
    tool_calls: int = 200
    wall_seconds: float = 1800.0
    tokens: int = 2_000_000
    usd: float = 10.0
    bytes_out: int = GB
    sinks: int = 1_000
    sink_calls: int = 10_000
    sink_bytes: int = GB
    files: int = 100_000
    asks: int = 10
    children: int = 10

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

    def bounds(self) -> dict[str, float]:
        """Return every bound by its word."""
        return {word: getattr(self, name) for word, name in WORDS.items()}
