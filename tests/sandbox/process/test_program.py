"""A program of our own: its end is told, and it ends with whoever awaits it."""

# ruff: noqa: ASYNC110 - polling for what has no event

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import anyio
import pytest

from capbox.sandbox.process.program import run

HEEDLESS = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(1000)"


def children() -> set[str]:
    """Our child processes."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [(("calendar", "2026", "1"), 0, ""), (("no.such", ""), 1, "ModuleNotFoundError")],
)
async def test_how_it_ended_and_what_it_said_is_told(
    words: tuple[str, ...], status: int, said: str
) -> None:
    found, told = await run(*words, seconds=60)
    assert (found, said in told, bool(said) == bool(told)) == (status, True, True)


async def test_it_ends_at_once_when_its_time_is_over() -> None:
    with pytest.raises(TimeoutError):
        await run("timeit", "-n1", HEEDLESS, seconds=0.1)


async def test_a_ctrl_c_ends_it_though_it_heeds_none() -> None:
    """asyncio cancels its main task then: once, and not through a scope."""
    before = children()
    task = asyncio.create_task(run("timeit", "-n1", HEEDLESS, seconds=900))
    with anyio.fail_after(60):
        while not children() - before:
            await anyio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert children() == before
