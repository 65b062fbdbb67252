"""When a request that failed is sent again, and after how long. Pure.

Guarantees: finitely often (`RETRIES_MAX`, of silent streams `STALLS_MAX`); never for what asking
again cannot mend: a key, credit, a request that is refused. Waits are exponential with full jitter
(each anywhere between nothing and its bound), so that clients that failed together do not come
back together (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import Final

from capbox.models.model import ErrorKind

RETRIED: Final[frozenset[ErrorKind]] = frozenset(
    {"rate_limit", "overloaded", "provider", "connection", "cut", "stalled"}
)
RETRIES_MAX = 5
STALLS_MAX = 2  # each has cost the time that a model may be silent
WAIT_SECONDS_MAX = 120.0
_FIRST_SECONDS, _LATER_SECONDS_MAX = 1.0, 30.0


@dataclass(frozen=True, slots=True)
class Tries:
    """How often the request under way was sent again."""

    stalled: int = 0
    other: int = 0

    @property
    def made(self) -> int:
        """Return how often altogether."""
        return self.stalled + self.other

    def after(self, kind: ErrorKind) -> Tries | None:
        """Return the count with one more; None: that would be one too many, or helps nothing."""
        if kind == "stalled":
            return replace(self, stalled=self.stalled + 1) if self.stalled < STALLS_MAX else None
        if kind not in RETRIED or self.other >= RETRIES_MAX:
            return None
        return replace(self, other=self.other + 1)


def asked_to_wait(retry_after: float | None) -> float | None:
    """Return the seconds that a provider named, if they are any."""
    # Attack: a server that answers "nan" or "-1" makes every client come back at once, or never.
    if retry_after is None or not isfinite(retry_after) or retry_after < 0:
        return None
    return retry_after


def seconds_to_wait(tries: Tries, named: float | None, chance: float) -> float:
    """Return how long to wait before try number `tries.made`; `chance` is in [0, 1).

    What the provider `named` is kept to, with up to a second more.
    """
    if named is not None:
        return named + chance * _FIRST_SECONDS
    return chance * min(_LATER_SECONDS_MAX, _FIRST_SECONDS * (1 << tries.made - 1))
