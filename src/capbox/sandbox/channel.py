"""The parent's end of a socket to a zygote or worker: whole frames, without blocking the loop.

Guarantees: sizes are bounded before they are read, and any failure is `Hangup`; the other end may
be hostile. Does not reconnect: a channel that failed once is closed by its owner.
"""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack

import anyio
import anyio.lowlevel

from capbox.messages import JsonObject
from capbox.sandbox.process import wire

HEADER_BYTES_MAX = 1 << 20
_READ_BYTES = 64 << 10


class Channel:
    """One connected Unix socket, on which each frame sent is answered by one frame."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected

    def close(self) -> None:
        """Close the socket; nobody may be waiting on it."""
        self._socket.close()

    def quiet(self) -> bool:
        """Say whether the other end lives and has nothing to say: it was not asked anything."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    async def send(self, header: JsonObject, body: bytes = b"", fds: Sequence[int] = ()) -> None:
        """Send one frame, its descriptors with the first byte. Raises Hangup."""
        frame = memoryview(wire.pack(header, body))
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        while frame:
            try:
                frame = frame[self._socket.sendmsg([frame], rights) :]
                rights = []
            except BlockingIOError:
                await anyio.wait_writable(self._socket)
            except OSError as error:
                raise wire.Hangup(str(error)) from error

    async def receive(
        self, body_bytes_max: int = 0, fds_max: int = 0
    ) -> tuple[JsonObject, bytes, list[int]]:
        """Receive the one frame that is due: header, body, descriptors. Raises Hangup."""
        content, fds = bytearray(), list[int]()
        with ExitStack() as unwanted:  # until the end, the descriptors have no owner
            unwanted.callback(_close, fds)
            due = wire.PREFIX_BYTES
            while len(content) < due:
                if content:  # a frame that comes byte by byte is no reason to keep others waiting
                    await anyio.lowlevel.checkpoint()
                content += await self._some(max(due - len(content), _READ_BYTES), fds, fds_max)
                if due == wire.PREFIX_BYTES <= len(content):
                    header, body = wire.lengths(content, HEADER_BYTES_MAX, body_bytes_max)
                    due += header + body
            if len(content) > due:
                raise wire.Hangup("more than the one frame that was due")
            parsed = wire.parse(content[wire.PREFIX_BYTES : due - body])
            unwanted.pop_all()
        return parsed, bytes(content[due - body :]), fds

    async def drained(self) -> None:
        """Read on until the other end has closed, which the death of its process does."""
        try:
            while await self._some(_READ_BYTES, [], 0):
                pass
        except wire.Hangup:
            return

    async def _some(self, count: int, fds: list[int], fds_max: int) -> bytes:
        while True:
            try:
                content, got = wire.receive_some(self._socket, min(count, 1 << 20), fds_max)
            except BlockingIOError:
                await anyio.wait_readable(self._socket)
                continue
            except OSError as error:
                raise wire.Hangup(str(error)) from error
            fds.extend(got)
            if not content:
                raise wire.Hangup("the other end closed its socket")
            return content


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
