"""The timer rings once, in time, and never for a later call."""

from __future__ import annotations

import threading
import time

from capbox.sandbox.process.timer import Timer

HOUR_NS = 3_600 * 10**9
PATIENCE_SECONDS = 20.0


def test_it_rings_at_the_deadline_and_at_once_when_that_is_past() -> None:
    rang = threading.Semaphore(0)
    timer = Timer(lambda: rang.release())
    timer.start()
    for deadline in (time.monotonic_ns() + 1_000_000, time.monotonic_ns() - HOUR_NS, 0):
        timer.arm(deadline)
        assert rang.acquire(timeout=PATIENCE_SECONDS)
        assert time.monotonic_ns() >= deadline


def test_disarmed_or_armed_for_later_it_does_not_ring() -> None:
    rung: list[int] = []
    timer = Timer(lambda: rung.append(1))
    timer.start()
    for _ in range(1_000):
        timer.arm(time.monotonic_ns() + 5_000)
        timer.disarm()
        timer.arm(time.monotonic_ns() + HOUR_NS)
        rung.clear()
        # The thread has been woken and has looked, whatever it was woken for.
        assert timer.ask(lambda: "looked") == "looked"
        assert rung == []


def test_a_question_is_answered_on_another_thread() -> None:
    timer = Timer(lambda: None)
    timer.start()
    assert timer.ask(lambda: str(threading.get_ident())) != str(threading.get_ident())
