"""The stand-in for the network: a port of its own on loopback, TCP and UDP, that nobody answers.

Guarantees: what an attack sends is kept by the kernel until `drain`; nothing leaves the machine.
Does not: run a thread or a task.
"""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

_BYTES_MAX = 1 << 16
_PORTS_TRIED = 20


class Network:
    """Two sockets on one port; use as a context manager."""

    def __init__(self) -> None:
        self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def __enter__(self) -> Self:
        """Bind both to a free port of 127.0.0.1."""
        for tried in range(_PORTS_TRIED):
            self._udp.bind(("127.0.0.1", 0))
            try:
                self._tcp.bind(("127.0.0.1", self.port))
            except OSError:  # free for the one, taken for the other
                if tried == _PORTS_TRIED - 1:
                    raise
                self._udp.close()
                self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            else:
                break
        self._tcp.listen(64)
        self._tcp.setblocking(False)
        self._udp.setblocking(False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close both."""
        self._tcp.close()
        self._udp.close()

    @property
    def port(self) -> int:
        """Return the port."""
        port: int = self._udp.getsockname()[1]
        return port

    @property
    def places(self) -> dict[str, str]:
        """Return the names under which a scene knows this network."""
        return {"port": str(self.port), "metadata": f"127.0.0.1/{self.port}"}

    def drain(self) -> bytes:
        """Return everything that arrived since the last time, and that something connected."""
        return b"".join([*self._connections(), *self._datagrams()])

    def _connections(self) -> list[bytes]:
        found: list[bytes] = []
        while True:
            try:
                connection, _ = self._tcp.accept()
            except BlockingIOError:
                return found
            with connection:
                connection.settimeout(0.2)
                try:
                    found.append(connection.recv(_BYTES_MAX) or b"connected")
                except OSError:
                    found.append(b"connected")

    def _datagrams(self) -> list[bytes]:
        found: list[bytes] = []
        while True:
            try:
                found.append(self._udp.recv(_BYTES_MAX))
            except BlockingIOError:
                return found
