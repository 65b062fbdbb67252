"""Sees what does not end: a call beyond its bound, or an event loop that no longer turns.

A thread of its own, since a loop that hangs cannot watch itself. Guarantees: after `give_up` was
told what hangs, this process and its zygotes are gone. Does not: judge answers.
"""

from __future__ import annotations

import faulthandler
import itertools
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

from bench.soaking.harm import zygotes_of

STALL_SECONDS = 1.0
_LOOK_SECONDS = 0.5


class Watch:
    """What is under way, and since when; use as a context manager."""

    def __init__(self, margin_seconds: float, give_up: Callable[[str, str], None]) -> None:
        """`give_up` gets the life and what hangs, in the thread of the watch."""
        self._margin = margin_seconds
        self._give_up = give_up
        self._due: dict[int, tuple[float, str, str]] = {}
        self._keys = itertools.count()
        self._turned = time.monotonic()
        self._over = threading.Event()
        self._lock = threading.Lock()  # for what is due
        self._stalls: deque[float] = deque(maxlen=100)
        self.stalled_seconds = 0.0
        self._thread = threading.Thread(target=self._look, name="soak-watch", daemon=True)

    def __enter__(self) -> Watch:
        """Start looking."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join()

    @contextmanager
    def over(self, where: str, what: str, seconds: float) -> Iterator[None]:
        """Watch one call of `where` that is to end within `seconds` and the margin."""
        key = next(self._keys)
        with self._lock:
            self._due[key] = (time.monotonic() + seconds + self._margin, where, what)
        try:
            yield
        finally:
            with self._lock:
                del self._due[key]

    def stalled(self, since: float) -> bool:
        """Say whether this whole process stood still for a while since then."""
        return any(at >= since for at in self._stalls)

    async def turn(self) -> None:
        """Show that the event loop turns, until cancelled."""
        while True:
            self._turned = time.monotonic()
            await anyio.sleep(0.5)

    def _look(self) -> None:
        looked = time.monotonic()
        while not self._over.wait(_LOOK_SECONDS):
            now = time.monotonic()
            lost, looked = now - looked - _LOOK_SECONDS, now
            if lost > STALL_SECONDS:
                # A busy machine gave this process nothing to run on: that is nobody's hanging.
                self._stalls.append(now)
                self.stalled_seconds += lost
                self._turned += lost
                with self._lock:
                    self._due = {
                        key: (due + lost, where, what)
                        for key, (due, where, what) in self._due.items()
                    }
                continue
            with self._lock:
                late = [(where, what) for due, where, what in self._due.values() if now > due]
            if now - self._turned > self._margin:
                late.append(("", "the event loop does not turn"))
            if late:
                self._end(*late[0])

    def _end(self, where: str, what: str) -> None:
        faulthandler.dump_traceback(file=sys.stderr)
        self._give_up(where, what)
        for pid in zygotes_of(os.getpid()):
            os.kill(pid, signal.SIGKILL)
        os._exit(1)
