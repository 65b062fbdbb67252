"""The events of a run as an async iterator: `async with follow(...) as events: async for ...`.

Guarantees: the run's task belongs to the task group it is given, never to the iterator; every event
goes to `record` before the reader sees it, and all of them do so even if the reader leaves; leaving
the `async with` interrupts the run and waits until nothing of it is left.
Does not: hold an unbounded backlog; a slow reader slows the run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from anyio import BrokenResourceError, CancelScope, Event, create_memory_object_stream
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectSendStream

from capbox.agent import events
from capbox.agent.loop import Emit, Run

_BACKLOG = 64


@asynccontextmanager
async def follow(
    run: Run, tasks: TaskGroup, record: Emit
) -> AsyncIterator[AsyncIterator[events.Event]]:
    """Start `run` in `tasks` and yield its events; `record` is awaited for each one first."""
    put, reader = create_memory_object_stream[events.Event](_BACKLOG)
    over = Event()
    tasks.start_soon(_drive, run, put, record, over)
    try:
        yield reader
    finally:
        reader.close()
        run.cancel()
        with CancelScope(shield=True):
            # The caller may take it from here that no tool of this run acts any more.
            await over.wait()


async def _drive(
    run: Run, put: MemoryObjectSendStream[events.Event], record: Emit, over: Event
) -> None:
    async def emit(event: events.Event) -> None:
        await record(event)
        with suppress(BrokenResourceError):  # the reader has left; `record` goes on
            await put.send(event)

    try:
        with put:
            await run.run(emit)
    finally:
        over.set()
