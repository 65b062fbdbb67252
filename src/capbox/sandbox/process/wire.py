"""Frames over the Unix sockets between parent, zygote and workers.

A frame is two 4-byte lengths, a JSON header and a body of raw bytes; descriptors ride along with
the first byte. Guarantees: lengths are bounded before anything is read, so a hostile peer cannot
make the reader grow. Does not retry: a short read means that the peer is gone (`Hangup`).
"""

from __future__ import annotations

import array
import json
import socket
import struct
from collections.abc import Sequence

from capbox.messages import Json, JsonObject

DESCRIPTORS_MAX = 250  # the kernel passes at most 253 with one message
_LENGTHS = struct.Struct("<II")
_FROM_PARENT_BYTES_MAX = 1 << 30
_CLOSE_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
PREFIX_BYTES = _LENGTHS.size


class Hangup(Exception):
    """The other end of the socket is gone, or speaks nonsense."""


def pack(header: JsonObject, body: bytes = b"") -> bytes:
    """Return one frame."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return _LENGTHS.pack(len(text), len(body)) + text + body


def lengths(prefix: bytes | bytearray, header_max: int, body_max: int) -> tuple[int, int]:
    """Return (header bytes, body bytes) from a frame's start. Raises Hangup when out of bounds."""
    header: int
    body: int
    header, body = _LENGTHS.unpack_from(prefix)
    if header > header_max or body > body_max:
        raise Hangup("frame too large")
    return header, body


def parse(text: bytes | bytearray) -> JsonObject:
    """Return the header object. Raises Hangup when it is not a JSON object of one reading."""
    try:
        value: Json = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise Hangup(f"bad frame: {error}") from error
    if not isinstance(value, dict):
        raise Hangup("bad frame: the header is not an object")
    return value


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


def send(
    peer: socket.socket, header: JsonObject, body: bytes = b"", fds: Sequence[int] = ()
) -> None:
    """Send one frame on a blocking socket, its descriptors with the first byte. Raises Hangup."""
    frame = memoryview(pack(header, body))
    try:
        sent = socket.send_fds(peer, [frame], fds) if fds else 0
        peer.sendall(frame[sent:])
    except OSError as error:
        raise Hangup(str(error)) from error


def receive(peer: socket.socket, fds_max: int = 0) -> tuple[JsonObject, bytes, list[int]]:
    """Receive one frame of the parent from a blocking socket: header, body, descriptors."""
    try:
        first, fds = receive_some(peer, PREFIX_BYTES, fds_max)
        if not first:
            raise Hangup("closed")
        first += _exactly(peer, PREFIX_BYTES - len(first))
        header, body = lengths(first, _FROM_PARENT_BYTES_MAX, _FROM_PARENT_BYTES_MAX)
        return parse(_exactly(peer, header)), _exactly(peer, body), fds
    except OSError as error:
        raise Hangup(str(error)) from error


def receive_some(peer: socket.socket, count: int, fds_max: int) -> tuple[bytes, list[int]]:
    """Receive up to `count` bytes and the descriptors that came with them. Raises OSError."""
    if not fds_max:
        return peer.recv(count), []
    fds = array.array("i")
    room = socket.CMSG_SPACE(fds_max * fds.itemsize)
    content, ancillary, _, _ = peer.recvmsg(count, room, _CLOSE_ON_EXEC)
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    return content, fds.tolist()


def _exactly(peer: socket.socket, count: int) -> bytes:
    parts: list[bytes] = []
    while count > 0:
        part = peer.recv(min(count, 1 << 20))
        if not part:
            raise Hangup("closed")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
