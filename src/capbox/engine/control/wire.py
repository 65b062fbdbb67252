"""What control sockets carry: one request a connection and one reply, each a JSON object in a line.

Guarantees: nothing is read beyond a bound, nor waited for beyond a deadline. Does not: know what a
request means (see `requests`).
"""

from __future__ import annotations

import json
import socket
import time

import anyio

from capbox.messages import JsonObject

REQUEST_BYTES_MAX = 64 << 10
REPLY_BYTES_MAX = 4 << 20
SERVE_SECONDS_MAX = 5.0
_PIECE = 1 << 16


class WireError(Exception):
    """The other end did not say one JSON object in time."""


def packed(message: JsonObject) -> bytes:
    """Return the line of a message, or of one that says that it would be too long."""
    line = json.dumps(message, allow_nan=False).encode() + b"\n"
    if len(line) > REPLY_BYTES_MAX:
        return json.dumps({"error": "the answer is too long"}).encode() + b"\n"
    return line


def unpacked(line: bytes) -> JsonObject:
    """Return the message of a line. Raises WireError."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WireError("that is not JSON") from error
    if not isinstance(message, dict):
        raise WireError("that is not a JSON object")
    return message


async def received(connection: socket.socket) -> JsonObject:
    """Read one request. Raises WireError and OSError."""
    seen = b""
    while b"\n" not in seen:
        if len(seen) > REQUEST_BYTES_MAX:
            raise WireError(f"a request has at most {REQUEST_BYTES_MAX} bytes")
        await anyio.wait_readable(connection)
        piece = connection.recv(_PIECE)
        if not piece:
            raise WireError("the request ended in the middle")
        seen += piece
    return unpacked(seen.partition(b"\n")[0])


async def sent(connection: socket.socket, reply: JsonObject) -> None:
    """Write one reply. Raises OSError."""
    rest = memoryview(packed(reply))
    while rest:
        await anyio.wait_writable(connection)
        rest = rest[connection.send(rest) :]


def asked(connection: socket.socket, request: JsonObject, seconds: float) -> JsonObject:
    """Send a request and return the reply, all of it within `seconds`. Raises WireError, OSError.

    Also against one that sends a byte now and then: the deadline is of the whole, not of a read.
    """
    ends = time.monotonic() + seconds
    connection.settimeout(seconds)
    connection.sendall(packed(request))
    pieces: list[bytes] = []
    size = 0
    while True:
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        piece = connection.recv(_PIECE)
        size += len(piece)
        if not piece or size > REPLY_BYTES_MAX:
            raise WireError("the answer is no line of a bounded length")
        pieces.append(piece)
        if piece.endswith(b"\n"):
            return unpacked(b"".join(pieces))
