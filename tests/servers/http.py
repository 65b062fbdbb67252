"""A scripted raw HTTP server on loopback: what it answers is bytes, what it was sent is on record.

    with HttpServer({"/": reply(b"hello"), "/loop": redirect("/loop")}) as server:
        ...  # server.url("/"), then server.connections and server.requests

Guarantees: every connection is recorded from the moment it is accepted, so a test can tell "no
connection at all" from "no request"; every byte received is kept; with `tls` what is kept is what
came out of the encryption. A behaviour (see `replies`) decides alone what is answered, and need not
be HTTP. Does not: judge requests; what cannot be read as one is recorded and the connection ended.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import Empty, Queue
from threading import Condition, Event
from types import TracebackType
from typing import Self

from tests.servers.loopback import Address, Listener

_POLL_SECONDS = 0.02
_PIECE_BYTES = 65_536
_HEAD_BYTES_MAX = 1_000_000


class Ended(Exception):
    """The connection is over: the client or the server ended it, or it cannot be understood."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; `raw` is all of it, names of headers are as they were spelt."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    raw: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def values(self, name: str) -> list[str]:
        """Return the values of a header, whatever the case of its name."""
        return [value for known, value in self.headers if known.lower() == name.lower()]


@dataclass(slots=True, eq=False)
class Connection:
    """What is known of one connection.

    `name` is what a TLS client asked for (SNI), `failure` why its handshake failed; `sent` counts
    the bytes of answers that the kernel took (the client may see them a moment earlier).
    """

    peer: Address
    local: Address
    name: str | None = None
    failure: str = ""
    received: bytearray = field(default_factory=bytearray)
    requests: list[Request] = field(default_factory=list)
    sent: int = 0
    over: bool = False


class HttpServer:
    """A running server, from `with` to the end of the block."""

    def __init__(
        self,
        routes: Mapping[str, Callable[[Exchange], None]],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Answer each path with its behaviour; `*` is for all others, without it they are a 404."""
        self._routes = routes
        self._tls = tls
        if tls is not None:
            tls.sni_callback = _note_name
        self._changed = Condition()
        self._connections: list[Connection] = []
        self._asked: dict[str, int] = {}
        self._listener = Listener(self._serve, host, port)
        self.host = host
        self.port = self._listener.port

    def __enter__(self) -> Self:
        """Start to answer."""
        self._listener.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop; whatever is still being answered ends now."""
        self._listener.__exit__(kind, error, traceback)

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        """Return the URL of a path, under the address or under another name."""
        name = host or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{'http' if self._tls is None else 'https'}://{name}:{self.port}{path}"

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Every connection so far, in the order in which they came."""
        with self._changed:
            return tuple(self._connections)

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every whole request so far, by connection."""
        with self._changed:
            return tuple(one for seen in self._connections for one in seen.requests)

    def until(
        self, holds: Callable[[Sequence[Connection]], bool], *, seconds: float = 20.0
    ) -> None:
        """Wait until something holds of the connections.

        Raises:
            TimeoutError: it never did.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: holds(self._connections), seconds):
                raise TimeoutError(f"did not happen: {self._connections}")

    def _serve(self, stream: socket.socket) -> None:
        seen = Connection(stream.getpeername()[:2], stream.getsockname()[:2])
        with self._changed:
            self._connections.append(seen)
            self._changed.notify_all()
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        try:
            if self._tls is not None:
                stream = self._encrypted(stream, seen)
            wire = Wire(stream, seen, self._changed, self._listener.stopping)
            while True:
                request = wire.request()
                self._behaviour(request.path)(Exchange(request, self._number(request.path), wire))
                if "close" in request.values("connection") or request.version == "HTTP/1.0":
                    return
        except (Ended, OSError):
            pass
        finally:
            stream.close()
            with self._changed:
                seen.over = True
                self._changed.notify_all()

    def _encrypted(self, stream: socket.socket, seen: Connection) -> ssl.SSLSocket:
        assert self._tls is not None
        wrapped = self._tls.wrap_socket(stream, server_side=True, do_handshake_on_connect=False)
        try:
            wrapped.do_handshake()
        except OSError as error:
            seen.failure = str(error) or type(error).__name__
            wrapped.close()
            raise Ended from error
        finally:
            seen.name = getattr(wrapped, "asked_name", None)
        return wrapped

    def _behaviour(self, path: str) -> Callable[[Exchange], None]:
        return self._routes.get(path) or self._routes.get("*") or _not_found

    def _number(self, path: str) -> int:
        with self._changed:
            self._asked[path] = self._asked.get(path, -1) + 1
            return self._asked[path]


class Wire:
    """One connection as bytes; it records what passes."""

    def __init__(
        self, stream: socket.socket, seen: Connection, changed: Condition, stopping: Event
    ) -> None:
        """Speak over `stream`, and tell `changed` of it."""
        self._stream = stream
        self._waiting = b""
        self._changed = changed
        self.seen = seen
        self.stopping = stopping

    def request(self) -> Request:
        """Read the next request.

        Raises:
            Ended: there is none, or it is not HTTP.
        """
        head = self._through(b"\r\n\r\n", _HEAD_BYTES_MAX)
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        method, _, rest = first.partition(" ")
        target, _, version = rest.rpartition(" ")
        if not version.startswith("HTTP/"):
            raise Ended
        parts = [line.partition(":") for line in lines]
        headers = tuple((name, value.strip(" \t")) for name, _, value in parts)
        unread = Request(method, target, version, headers, b"", head)
        raw, body = self._body(unread)
        request = Request(method, target, version, headers, body, head + raw)
        with self._changed:
            self.seen.requests.append(request)
            self._changed.notify_all()
        return request

    def _body(self, request: Request) -> tuple[bytes, bytes]:
        """Return a body as it came and as it is meant."""
        if "100-continue" in (value.lower() for value in request.values("expect")):
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in ",".join(request.values("transfer-encoding")).lower():
            return self._chunks()
        length = (request.values("content-length") or ["0"])[0]
        if not length.isdecimal():
            raise Ended
        body = self._exactly(int(length))
        return body, body

    def _chunks(self) -> tuple[bytes, bytes]:
        raw, body = b"", b""
        while True:
            line = self._through(b"\r\n", _HEAD_BYTES_MAX)
            try:
                size = int(line.partition(b";")[0], 16)
            except ValueError:
                raise Ended from None
            chunk = self._exactly(size) if size else b""
            end = self._through(b"\r\n", _HEAD_BYTES_MAX)
            raw, body = raw + line + chunk + end, body + chunk
            if not size:
                return raw, body

    def _through(self, mark: bytes, bytes_max: int) -> bytes:
        while mark not in self._waiting:
            if len(self._waiting) > bytes_max:
                raise Ended
            self._receive()
        end = self._waiting.index(mark) + len(mark)
        found, self._waiting = self._waiting[:end], self._waiting[end:]
        return found

    def _exactly(self, count: int) -> bytes:
        while len(self._waiting) < count:
            self._receive()
        found, self._waiting = self._waiting[:count], self._waiting[count:]
        return found

    def _receive(self) -> None:
        piece = self._stream.recv(_PIECE_BYTES)
        if not piece:
            raise Ended
        self._waiting += piece
        with self._changed:
            self.seen.received += piece
            self._changed.notify_all()

    def until_left(self) -> None:
        """Read on until the client has gone, whatever it still sends."""
        while True:
            self._receive()

    def send(self, piece: bytes) -> None:
        """Send bytes; OSError when the client has gone."""
        view = memoryview(piece)
        while view:
            count = self._stream.send(view[:_PIECE_BYTES])
            view = view[count:]
            with self._changed:
                self.seen.sent += count
                self._changed.notify_all()

    def reset(self) -> None:
        """Make the end of this connection a reset instead of an orderly one."""
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


class Tap:
    """The body of an answer in the hands of a test: it comes as it is given, piece by piece."""

    def __init__(self) -> None:
        """Give nothing yet."""
        self.pieces: Queue[bytes | None] = Queue()

    def give(self, *pieces: bytes) -> None:
        """Let these bytes be sent, each on its own."""
        for piece in pieces:
            self.pieces.put(piece)

    def end(self) -> None:
        """Let the answer end."""
        self.pieces.put(None)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, the how-many-th to its path (from 0), and the means to answer it."""

    request: Request
    number: int
    wire: Wire

    def send(self, *pieces: bytes) -> None:
        """Send bytes as they are."""
        for piece in pieces:
            self.wire.send(piece)

    def close(self, *, reset: bool = False) -> None:
        """End the connection, orderly or with a reset."""
        if reset:
            self.wire.reset()
        raise Ended

    def wait(self, event: Event) -> None:
        """Wait for a test; ends with the server."""
        while not event.wait(_POLL_SECONDS):
            if self.wire.stopping.is_set():
                raise Ended

    def pause(self, seconds: float) -> None:
        """Let time pass; ends with the server."""
        if self.wire.stopping.wait(seconds):
            raise Ended

    def next_from(self, tap: Tap) -> bytes | None:
        """Return what a test gives next, None for the end; ends with the server."""
        while not self.wire.stopping.is_set():
            try:
                return tap.pieces.get(timeout=_POLL_SECONDS)
            except Empty:
                continue
        raise Ended


def _not_found(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def _note_name(stream: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
    stream.asked_name = name  # type: ignore[attr-defined]
