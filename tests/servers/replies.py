"""What `HttpServer` can do with a request: each behaviour answers one exchange, well or badly.

Guarantees: none ends by time; those that go on for ever stop when the client leaves or the server
ends. What a test wants to steer it steers with a `Tap` or an `Event`. Does not: read the request,
but for its method and, in `echo`, all of it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from threading import Event
from typing import Final

from tests.servers.http import Exchange, Tap

Behaviour = Callable[[Exchange], None]
Headers = Sequence[tuple[str, str]]

_ZEROS = bytes(1 << 20)


def head(status: int = 200, headers: Headers = (), reason: str | None = None) -> bytes:
    """Return the bytes of a response's head, its empty line included."""
    known = status in HTTPStatus.__members__.values()
    phrase = reason if reason is not None else HTTPStatus(status).phrase if known else "Odd"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def response(body: bytes = b"", status: int = 200, headers: Headers = ()) -> bytes:
    """Return the bytes of a whole response with its right Content-Length."""
    return head(status, [*headers, ("Content-Length", str(len(body)))]) + body


def chunk(piece: bytes) -> bytes:
    """Return a piece of a body in chunked transfer coding (RFC 9112, 7.1)."""
    return b"%x\r\n%s\r\n" % (len(piece), piece)


LAST_CHUNK: Final = b"0\r\n\r\n"
_CHUNKED: Final = ("Transfer-Encoding", "chunked")


# --- in order -----------------------------------------------------------------------------------


def reply(body: bytes = b"", status: int = 200, headers: Headers = ()) -> Behaviour:
    """Answer with a whole response; a HEAD gets its head."""

    def behave(exchange: Exchange) -> None:
        whole = response(body, status, headers)
        only_head = exchange.request.method == "HEAD"
        exchange.send(whole[: len(whole) - len(body)] if only_head else whole)

    return behave


def redirect(location: str, status: int = 302) -> Behaviour:
    """Answer with a redirect to any Location, as it is given; to its own path it is a loop."""
    return reply(status=status, headers=[("Location", location)])


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Behave differently on each request to the path; the last one stays."""
    return lambda exchange: behaviours[min(exchange.number, len(behaviours) - 1)](exchange)


def echo(exchange: Exchange) -> None:
    """Answer with the request as JSON: method, target, headers in order, body as Latin-1."""
    request = exchange.request
    told = {
        "method": request.method,
        "target": request.target,
        "headers": [list(pair) for pair in request.headers],
        "body": request.body.decode("latin-1"),
    }
    body = json.dumps(told).encode()
    exchange.send(response(body, headers=[("Content-Type", "application/json")]))


def raw(*pieces: bytes, then_close: bool = True, reset: bool = False) -> Behaviour:
    """Answer with bytes that need not be HTTP."""

    def behave(exchange: Exchange) -> None:
        exchange.send(*pieces)
        if then_close or reset:
            exchange.close(reset=reset)

    return behave


def in_chunks(*pieces: bytes, headers: Headers = ()) -> Behaviour:
    """Answer with a chunked body whose chunk borders are exactly these."""
    body = b"".join(map(chunk, pieces))
    return raw(head(200, [*headers, _CHUNKED]) + body + LAST_CHUNK, then_close=False)


def tapped(tap: Tap, headers: Headers = ()) -> Behaviour:
    """Answer with a chunked body whose pieces come when the test gives them."""

    def behave(exchange: Exchange) -> None:
        exchange.send(head(200, [*headers, _CHUNKED]))
        while (piece := exchange.next_from(tap)) is not None:
            exchange.send(chunk(piece))
        exchange.send(LAST_CHUNK)

    return behave


# --- slow or without end ------------------------------------------------------------------------


def held(event: Event, behaviour: Behaviour) -> Behaviour:
    """Answer only once the test has set the event."""

    def behave(exchange: Exchange) -> None:
        exchange.wait(event)
        behaviour(exchange)

    return behave


def drip(piece: bytes, every_seconds: float, until: Event, headers: Headers = ()) -> Behaviour:
    """Answer with a piece at a time, until the test sets the event: no single wait is long."""

    def behave(exchange: Exchange) -> None:
        exchange.send(head(200, [*headers, _CHUNKED]))
        while not until.is_set():
            exchange.send(chunk(piece))
            exchange.pause(every_seconds)
        exchange.send(LAST_CHUNK)

    return behave


def drip_head(every_seconds: float) -> Behaviour:
    """Answer with a head that never ends, a header at a time."""

    def behave(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            exchange.send(b"X-More: and more\r\n")
            exchange.pause(every_seconds)

    return behave


def silence(exchange: Exchange) -> None:
    """Answer nothing, and keep the connection as long as the client does."""
    exchange.wire.until_left()


def endless(piece: bytes = _ZEROS[:65_536], headers: Headers = (), start: bytes = b"") -> Behaviour:
    """Answer with a body that has no length and no end: `start`, then the piece again and again."""

    def behave(exchange: Exchange) -> None:
        exchange.send(head(200, headers), start)
        while True:
            exchange.send(piece)

    return behave


def informational(count: int | None, status: int = 103, body: bytes = b"at last") -> Behaviour:
    """Answer with so many 1xx responses before the real one; None: without end."""

    def behave(exchange: Exchange) -> None:
        hint = head(status, [("Link", "</style.css>; rel=preload")])
        sent = 0
        while count is None or sent < count:
            exchange.send(hint)
            sent += 1
        exchange.send(response(body))

    return behave


# --- too large ----------------------------------------------------------------------------------


def gzip_bomb(decoded_bytes: int, *, layers: int = 1) -> Behaviour:
    """Answer with a small gzip body that grows to `decoded_bytes` zeros (about 1:1000 a layer)."""
    body = b"".join(_squeezed(_zeros(decoded_bytes)))
    for _ in range(layers - 1):
        body = b"".join(_squeezed([body]))
    return reply(body, headers=[("Content-Encoding", ", ".join(["gzip"] * layers))])


def _zeros(count: int) -> Iterable[bytes]:
    while count > 0:
        yield _ZEROS[: min(count, len(_ZEROS))]
        count -= len(_ZEROS)


def _squeezed(pieces: Iterable[bytes]) -> Iterable[bytes]:
    press = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for piece in pieces:
        yield press.compress(piece)
    yield press.flush()


def huge_headers(count: int = 1, value_bytes: int = 1_000_000) -> Behaviour:
    """Answer with so many headers of so many bytes each, and an empty body."""
    return reply(headers=[(f"X-{number}", "a" * value_bytes) for number in range(count)])


# --- broken -------------------------------------------------------------------------------------


def wrong_length(body: bytes, claimed: str) -> Behaviour:
    """Answer with a body and another Content-Length than its own, then close."""
    return raw(head(200, [("Content-Length", claimed)]) + body)


def cut_in_head(*, reset: bool = False) -> Behaviour:
    """Answer with the beginning of a head, then close."""
    return raw(b"HTTP/1.1 200 OK\r\nContent-Ty", reset=reset)


def cut_in_body(body: bytes, *, chunked: bool = False, reset: bool = False) -> Behaviour:
    """Answer with half of what the head promises, then close."""
    if chunked:
        return raw(head(200, [_CHUNKED]) + chunk(body), reset=reset)
    return raw(head(200, [("Content-Length", str(2 * len(body)))]) + body, reset=reset)


def chunked_garbage(*pieces: bytes) -> Behaviour:
    """Answer with what is no chunked body under a head that says it is one, then close."""
    return raw(head(200, [_CHUNKED]), *pieces)


def smuggled(first: bytes, second: bytes) -> Behaviour:
    """Answer with two responses at once, and keep the connection.

    A client that reuses it takes the second one for the answer to its next request.
    """
    return raw(response(first) + response(second), then_close=False)


def header_lines(*lines: bytes, body: bytes = b"body") -> Behaviour:
    """Answer with header lines as they are: see `ODD_LINES`."""
    start = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(body)
    return raw(
        start + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body, then_close=False
    )


ODD_LINES: Final[Mapping[str, bytes]] = {
    "a bare CR": b"X-A: one\rSet-Cookie: evil=1",
    "a bare LF": b"X-A: one\nSet-Cookie: evil=1",
    "a NUL": b"X-A: one\0two",
    "an escape": b"X-A: \x1b]0;title\x07",
    "a folded line": b"X-A: one\r\n two",
    "a space before the colon": b"X-A : one",
    "no colon": b"X-A",
    "no name": b": one",
    "bytes above ASCII": b"X-A: \xff\xfe",
    "a second length": b"Content-Length: 0",
    "a length and chunks": b"Transfer-Encoding: chunked",
}
