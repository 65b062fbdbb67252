"""The deadline of a call: one thread asleep in a timer, one epoch increment when it rings.

Guarantees: an increment never hits a later call (it happens under the same lock that disarms), and
an idle worker's thread never wakes. Does not stop host functions: those look at `deadline_ns`.
"""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Callable

from capbox.sandbox.lockdown.libc import checked, libc

_CLOCK_MONOTONIC, _CLOEXEC, _ABSOLUTE = 1, 0o2000000, 1
_NEVER = 1 << 62


class Timer:
    """Rings once per armed deadline (CLOCK_MONOTONIC nanoseconds) by calling `ring`."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._lock = threading.Lock()
        self._deadline_ns = _NEVER
        self._fd = checked(libc.timerfd_create(_CLOCK_MONOTONIC, _CLOEXEC), "timerfd_create")
        self._question: Callable[[], str] | None = None
        self._answer = ""
        self._answered = threading.Event()

    def start(self) -> None:
        """Start the thread; call it after Landlock and before seccomp. Raises RuntimeError."""
        threading.Thread(target=self._sleep, daemon=True).start()

    def ask(self, question: Callable[[], str]) -> str:
        """Return what `question`, which must not raise, answers on the timer's own thread."""
        with self._lock:
            # Woken, but with no deadline met: a thread on its way to the lock must not ring now.
            self._question = question
            self._set(1)
        self._answered.wait()
        return self._answer

    def arm(self, deadline_ns: int) -> None:
        """Ring at `deadline_ns`; a deadline in the past rings at once."""
        with self._lock:
            self._deadline_ns = deadline_ns
            self._set(max(deadline_ns, 1))

    def disarm(self) -> None:
        """Ring no more for the current call."""
        with self._lock:
            self._deadline_ns = _NEVER
            self._set(0)

    def _set(self, deadline_ns: int) -> None:
        value = struct.pack("=qqqq", 0, 0, deadline_ns // 10**9, deadline_ns % 10**9)
        checked(libc.timerfd_settime(self._fd, _ABSOLUTE, value, None), "timerfd_settime")

    def _sleep(self) -> None:
        while True:
            os.read(self._fd, 8)
            if self._question is not None:
                self._answer, self._question = self._question(), None
                self.disarm()
                self._answered.set()
                continue
            with self._lock:
                if time.monotonic_ns() >= self._deadline_ns:
                    self._deadline_ns = _NEVER
                    self._ring()
