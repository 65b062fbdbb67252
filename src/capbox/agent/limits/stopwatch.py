"""The wall clock of a run, which stands still while a person is being waited for.

Guarantees: seconds never go backwards; waits may overlap (several calls of one turn may ask), and
the clock goes on when the last is answered. Does not: read a clock by itself; `now` is an argument
(monotonic seconds), or stop anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Runs from its creation on."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Start; `now` returns monotonic seconds."""
        self._now = now
        self._started = now()
        self._waiting = 0
        self._waiting_since = 0.0
        self._waited = 0.0

    @property
    def seconds(self) -> float:
        """Return the seconds that passed, without those that a person took."""
        until = self._waiting_since if self._waiting else self._now()
        return max(0.0, until - self._started - self._waited)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stand still while the body waits for a person."""
        if not self._waiting:
            self._waiting_since = self._now()
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._waited += self._now() - self._waiting_since
