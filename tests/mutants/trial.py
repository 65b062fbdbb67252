"""Runs tests against one mutant in a forked child, and says what came of it.

The child has a process group of its own, which is killed when it has answered: no test's server
or worker outlives its mutant. It writes a line when a test begins; silence longer than the
deadline means that the mutant hangs. It leaves with the first failure, past any teardown.
"""

from __future__ import annotations

import os
import resource
import select
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import pytest

Outcome = Literal["killed", "survived", "timeout", "broken"]
SILENCE_SECONDS = 12.0
MEMORY_BYTES_MAX = 4 << 30
FAILED, PASSED, UNABLE = 10, 0, 11


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a mutant, and the last test that ran: for a kill, the one that failed."""

    outcome: Outcome
    test: str


class Watch:
    """Says over a pipe which test begins, and leaves the process when one fails."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Tell the parent that things move."""
        os.write(self.pipe, nodeid.encode() + b"\n")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """End at the first failure."""
        if report.failed:
            os._exit(FAILED)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module of tests that cannot even be imported has noticed."""
        if report.failed:
            os._exit(FAILED)


def in_child(work: Callable[[Watch], int], silence: float = SILENCE_SECONDS) -> Result:
    """Fork, let the child do `work`, and wait until it answers or hangs."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        leave_with(work, writes)
    os.close(writes)
    test, hangs = followed(reads, silence)
    os.close(reads)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL) if hangs else None
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if hangs:
        return Result("timeout", test)
    outcome: Outcome = {PASSED: "survived", UNABLE: "broken"}.get(status, "killed")  # type: ignore[assignment]
    return Result(outcome, test)


def leave_with(work: Callable[[Watch], int], pipe: int) -> None:
    """In the child: do the work without a terminal, and leave without cleaning up."""
    status = FAILED
    try:
        os.setsid()
        os.set_inheritable(pipe, False)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        status = work(Watch(pipe))
    finally:
        os._exit(status)


def followed(pipe: int, silence: float) -> tuple[str, bool]:
    """Read the names of the tests that begin; return the last, and whether it fell silent."""
    last = b""
    while True:
        ready, _, _ = select.select([pipe], [], [], silence)
        if not ready:
            return last.decode(errors="replace"), True
        read = os.read(pipe, 65536)
        if not read:
            return last.decode(errors="replace"), False
        last = read.rstrip(b"\n").rsplit(b"\n", 1)[-1]


def run_items(session: pytest.Session, items: Sequence[pytest.Item], watch: Watch) -> int:
    """Run these tests of a collected session."""
    session.config.pluginmanager.register(watch)
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
    return PASSED


def run_fresh(nodes: Sequence[str], options: Sequence[str], plugins: Sequence[object]) -> int:
    """Collect and run tests in a process that has not imported capbox before."""
    status = pytest.main([*options, *nodes], plugins=plugins)
    return PASSED if status == pytest.ExitCode.OK else FAILED
