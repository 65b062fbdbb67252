"""The control socket of one process: opened with its first run, gone with its engine.

Guarantees: only this user and root are answered (the kernel says who is there, whatever the modes
of files became); a few clients at a time, each for a few seconds; nothing that a client sends ends
or holds up a run. Does not: know what requests mean.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from capbox.engine.control.place import Place, peer_of
from capbox.engine.control.requests import Requests
from capbox.engine.leaving import leave

CLIENTS_MAX = 8


class ControlServer:
    """Use as an async context manager; `report` hears why there is no socket, if so."""

    def __init__(self, directory: Path, requests: Requests, report: Callable[[str], None]) -> None:
        """Prepare; nothing listens before `open`."""
        self._directory = directory
        self._requests = requests
        self._report = report
        self._opened = False
        self._clients = 0
        self._stack = AsyncExitStack()
        self._listening = ExitStack()
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        """Start the task group of clients."""
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(self._tasks.cancel_scope.cancel)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Stop listening, and remove the socket."""
        with self._listening:  # closed last: the loop looks at the descriptor until the tasks ended
            return await leave(self._stack, error)

    def open(self) -> None:
        """Listen, unless that is so already. A failure is reported, and no failure of the run."""
        if self._opened or self._tasks is None:
            return
        self._opened = True
        try:
            place = Place(self._directory, make=True)
            self._listening.callback(place.close)
            name, listener = place.listening()
        except OSError as error:
            self._report(f"no control socket ({error}): capbox ps and revoke will not see this run")
            return
        self._listening.callback(place.remove, name)
        self._listening.callback(listener.close)
        listener.setblocking(False)
        self._tasks.start_soon(self._listen, listener, self._tasks)

    async def _listen(self, listener: socket.socket, tasks: TaskGroup) -> None:
        while True:
            await anyio.wait_readable(listener)
            with suppress(OSError):
                connection, _ = listener.accept()
                tasks.start_soon(self._serve, connection)

    async def _serve(self, connection: socket.socket) -> None:
        # A run that nobody controls loads none of it.
        from capbox.engine.control.wire import SERVE_SECONDS_MAX, WireError, received, sent

        self._clients += 1
        try:
            with suppress(OSError), anyio.move_on_after(SERVE_SECONDS_MAX):
                connection.setblocking(False)
                # Attack: a directory that somebody opened up by mistake lets others in.
                if not peer_of(connection).may_control:
                    return
                if self._clients > CLIENTS_MAX:
                    await sent(connection, {"error": "too many ask at once"})
                    return
                try:
                    reply = self._requests.answer(await received(connection))
                except WireError as error:
                    reply = {"error": str(error)}
                await sent(connection, reply)
        finally:
            self._clients -= 1
            connection.close()
