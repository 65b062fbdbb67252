"""A TCP listener with a thread a connection, and how threads of servers end.

Guarantees: `stop` wakes and joins every thread it started, whatever they wait for, and says so when
one is left: tests beside this one count processes and descriptors. Nobody else can take the port of
`closed_port`. Does not: know what is spoken (see `http`).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

Address = tuple[str, int]


class Threads:
    """The threads of one server, from their start to their end."""

    def __init__(self, name: str, join_seconds: float = 20.0) -> None:
        """Start none yet; `name` is what they are called, each has `join_seconds` to end."""
        self._name = name
        self._join_seconds = join_seconds
        self._lock = Lock()
        self._started: list[Thread] = []

    def start(self, run: Callable[..., None], *arguments: object) -> None:
        """Run something on a thread of its own."""
        thread = Thread(target=run, args=arguments, name=self._name, daemon=True)
        with self._lock:
            # A flood of connections must not keep a thread object for each.
            self._started = [one for one in self._started if one.is_alive()]
            self._started.append(thread)
            thread.start()

    def join(self) -> None:
        """Wait until all have ended.

        Raises:
            RuntimeError: one did not.
        """
        for thread in self._started:
            thread.join(self._join_seconds)
        left = sum(thread.is_alive() for thread in self._started)
        if left:
            raise RuntimeError(f"{left} threads of {self._name} did not end")


class Listener:
    """Accepts connections from `with` to the end of the block; `serve` gets each on a thread."""

    def __init__(
        self, serve: Callable[[socket.socket], None], host: str = "127.0.0.1", port: int = 0
    ) -> None:
        """Bind the port (0: any free one); nothing is accepted before `with`.

        `serve` must end when its socket is shut down; the socket is closed after it.
        """
        self._serve = serve
        self._socket = bound(host, port, socket.SOCK_STREAM, again=True)
        self._socket.listen(128)
        self._threads = Threads(f"listener {host}")
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self.stopping = Event()
        self.host: str = host
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        """Start to accept."""
        self._threads.start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End every connection and every thread."""
        with self._lock:
            self.stopping.set()
            for handle in self._open:
                with suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)
        # On Linux this wakes a thread that waits in accept.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._threads.join()
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            # A descriptor of its own to shut down with: TLS takes the first one away.
            handle = connection.dup()
            with self._lock:
                if self.stopping.is_set():
                    connection.close()
                    handle.close()
                    return
                self._open.add(handle)
            self._threads.start(self._run, connection, handle)

    def _run(self, connection: socket.socket, handle: socket.socket) -> None:
        try:
            with suppress(OSError):
                self._serve(connection)
        finally:
            with self._lock:
                self._open.discard(handle)
                handle.close()
            connection.close()


def bound(host: str, port: int, kind: int, *, again: bool = False) -> socket.socket:
    """Return a socket bound to an address of this machine.

    `again`: also to a port that was just used; two sockets that say so can share one that nobody
    listens on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, kind)
    try:
        if again:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


@contextmanager
def closed_port(host: str = "127.0.0.1") -> Iterator[int]:
    """Hold a port on which every connection is refused, and which nobody else gets meanwhile."""
    with bound(host, 0, socket.SOCK_STREAM) as held:
        yield held.getsockname()[1]
