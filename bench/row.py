"""A row of the benchmark: one measurement, what it is compared with, and what others took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from capbox.messages import Json, ToolResult

Unit = Literal["ms", "us", "MB", "MB/s", "/s"]
SPAWN = "bash -c true"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: its value in `unit`, and how often the yardstick fits in (None: no time).

    `against` names the yardstick, `peers` has what others took for the same, in the same unit.
    """

    value: float
    unit: Unit
    ratio: float | None
    what: str
    against: str = SPAWN
    peers: Mapping[str, float] = field(default_factory=dict)


Rows = dict[str, Row]


def timed(taken: Mapping[str, float], name: str, what: str) -> Row:
    """Return the row of one act that was timed together with the yardstick, `bash`."""
    return Row(taken[name] * 1000, "ms", taken[name] / taken["bash"], what)


def done(result: ToolResult) -> str:
    """Return what a call said, and refuse to measure a failure."""
    if not result.ok:
        error: Json = None if result.error is None else result.error.message
        raise RuntimeError(f"a benchmarked call failed: {error}")
    return result.content
