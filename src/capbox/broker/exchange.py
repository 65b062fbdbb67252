"""One HTTP/1.1 request and its response, on a connection of its own.

Guarantees: every wait has a deadline; headers, interim responses and the body are bounded, the body
as it is after decoding (a decompression bomb stops at the same bound); what remains after the first
response is never read. Does not: decide, follow redirects, or reuse a connection.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import anyio
import anyio.lowlevel
import h11

from capbox.authority.web.places import FetchAccess
from capbox.broker.dial import Connection
from capbox.broker.errors import NetworkError
from capbox.broker.headers import Head, Headers

_HEAD_BYTES_MAX = 65_536
_HEADERS_MAX = 200
_INTERIM_MAX = 10
_CHUNK_BYTES = 262_144
_ZLIB_OR_GZIP, _RAW_DEFLATE = 47, -15
_FRAME_BYTES = 2
_TLS_ALERT = b"\x15\x03"
_STEP_BYTES = 65_536
_FRUITLESS_BYTES_MAX = 131_072
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_DECODED = frozenset({"gzip", "x-gzip", "deflate"})


class Exchange:
    """A response under way. `sent` and `received` count bytes on the wire, heads not included.

    `patience_seconds` is how long the server may be silent, before its answer and within it.
    """

    def __init__(
        self, connection: Connection, body_bytes_max: int, patience_seconds: float
    ) -> None:
        self._connection = connection
        self._parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES_MAX)
        self._before_head = 0  # bytes that came until the head was whole
        self._head_came = False
        self._decoder: _Decoder | None = None
        self._body_bytes_max = body_bytes_max
        self._patience_seconds = patience_seconds
        self._delivered = 0
        self._pending = bytearray()
        self._ended = False
        self._plain = False
        self.sent = 0
        self.received = 0

    async def request(self, access: FetchAccess, headers: Headers, body: bytes) -> Head:
        """Send the request and wait for the head of the response. Raises NetworkError."""
        host = str(access.origin).partition("://")[2]
        framing = (
            [("Content-Length", str(len(body)))] if body or access.method in _WITH_BODY else []
        )
        try:
            start = h11.Request(
                method=access.method,
                target=access.target,
                headers=[
                    # Bytes, as h11 takes only ASCII for text.
                    (name.encode("ascii"), value.encode("latin-1"))
                    for name, value in (
                        *(("Host", host), *headers, *framing),
                        ("Connection", "close"),
                    )
                ],
            )
            message = self._parser.send(start) or b""
            if body:
                message += self._parser.send(h11.Data(data=body)) or b""
            message += self._parser.send(h11.EndOfMessage()) or b""
        except (h11.LocalProtocolError, UnicodeEncodeError):
            # Their text quotes what is sent, a secret too, as Python spells it: no filter knows it.
            raise NetworkError("invalid", "the request cannot be sent") from None
        self.sent, self._plain = len(body), access.origin.scheme == "http"
        with _deadline(self._patience_seconds, "the server did not answer in time"):
            with suppress(anyio.BrokenResourceError, OSError):
                # A server may answer and close before it has read everything.
                await self._connection.send(message)
            for _ in range(_INTERIM_MAX):
                event = await self._event()
                if isinstance(event, h11.Response):
                    self._head_came = True
                    if len(event.headers) > _HEADERS_MAX:
                        raise NetworkError("protocol", "the response has too many headers")
                    return Head(
                        event.status_code, event.reason.decode("latin-1"), tuple(event.headers)
                    )
        raise NetworkError("protocol", "the server sends interim responses without end")

    def decode(self, head: Head, *, wanted: bool) -> bool:
        """Undo the encoding of the body if it is `wanted` and known; say whether it is undone.

        Raises NetworkError for an encoding that was not asked for, if it is wanted.
        """
        said = (v.strip().lower() for n, v in head.texts if n.lower() == "content-encoding")
        encoding = ", ".join(one for one in said if one not in ("identity", ""))
        if not encoding or not wanted:
            return False
        if encoding not in _DECODED:
            # Not how: what an answer holds is told by what takes out secrets alone.
            raise NetworkError("encoding", "the server encodes its answer as nobody asked it to")
        self._decoder = _Decoder()
        return True

    async def chunk(self, bytes_max: int) -> bytes:
        """Return the next bytes of the body, at most `bytes_max`; none at its end.

        Raises NetworkError.
        """
        with _deadline(self._patience_seconds, "the server stopped sending"):
            while not self._pending and not self._ended:
                # What has come already may be many small pieces: others have their turn between.
                await anyio.lowlevel.checkpoint()
                await self._more()
        piece = bytes(self._pending[:bytes_max])
        del self._pending[:bytes_max]
        self._delivered += len(piece)
        # Attack: what is encoded comes to less than it is, so that only its decoding is bounded.
        encoded = 0 if self._decoder is None else self.received - _FRUITLESS_BYTES_MAX
        if max(self._delivered, encoded) > self._body_bytes_max:
            raise NetworkError(
                "too_large",
                f"the body is larger than {self._body_bytes_max} bytes (--limit body_bytes=)",
            )
        return piece

    async def aclose(self) -> None:
        """Cut the connection; what is not read is not fetched."""
        await anyio.aclose_forcefully(self._connection)

    async def _more(self) -> None:
        if self._decoder is not None and self._decoder.waiting:
            self._pending += self._decoder.more()
            return
        event = await self._event()
        if isinstance(event, h11.Data):
            self.received += len(event.data)
            if self._decoder is None:
                self._pending += event.data
            else:
                self._pending += self._decoder.feed(bytes(event.data))
        else:
            self._ended = True
            if self._decoder is not None and not self._decoder.complete:
                raise NetworkError("protocol", "the compressed body ends too early")

    async def _event(self) -> h11.Event:
        content: bytes | None = None
        try:
            while (event := self._parser.next_event()) is h11.NEED_DATA:
                # The parser would take a larger head, if all of it came at once.
                room = _CHUNK_BYTES if self._head_came else _HEAD_BYTES_MAX - self._before_head
                if not room:
                    raise NetworkError("protocol", "the head of the response is too large")
                try:
                    content = await self._connection.receive(room)
                except anyio.EndOfStream:
                    content = b""
                self._before_head += 0 if self._head_came else len(content)
                self._parser.receive_data(content)
        except h11.RemoteProtocolError:
            # Attack: a line that is none echoes a secret, and h11 quotes it as Python spells it.
            early = "the server ended the connection too early"
            message = early if content == b"" else "not an HTTP response"
            alert = content is not None and content[:2] == _TLS_ALERT
            raise NetworkError("protocol", message + self._hint(alert=alert)) from None
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise NetworkError("protocol", "the connection broke" + self._hint()) from error
        if isinstance(event, h11.ConnectionClosed):
            raise NetworkError("protocol", "the server closed the connection without an answer")
        if not isinstance(event, h11.Event):
            raise NetworkError("protocol", "the server wants another protocol")
        return event

    def _hint(self, *, alert: bool = False) -> str:
        """Say what may help where a server answers plain HTTP with nothing, or as TLS does."""
        silent = not self._head_came and not self._before_head
        return "; if it speaks TLS, write https://" if self._plain and (silent or alert) else ""


class _Decoder:
    """gzip or deflate, a bounded step at a time: one byte may stand for a thousand, or for none."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=_ZLIB_OR_GZIP)
        self._input = b""
        self._place = 0  # of what is not decoded yet
        self._fruitless = 0
        self._members = 0
        self._begun = False
        self.waiting = False  # there is more to decode before more is received

    @property
    def complete(self) -> bool:
        """Say whether nothing of the stream is missing."""
        return self._inflate.eof or not (self._begun or (self._left and not self._members))

    @property
    def _left(self) -> int:
        return len(self._input) - self._place

    def feed(self, content: bytes) -> bytes:
        """Take received bytes; return the first decoded ones."""
        self._input, self._place = self._input[self._place :] + content, 0
        return self.more()

    def more(self) -> bytes:
        """Return the next decoded bytes, none if this step came to nothing. Raises NetworkError."""
        # Attack: members and blocks that hold nothing, for which no bound of the body counts.
        if self._fruitless > _FRUITLESS_BYTES_MAX:
            raise NetworkError("encoding", "the compressed body goes on and holds nothing")
        if self._inflate.eof:  # gzip may have several members
            self._inflate, self._begun = zlib.decompressobj(wbits=_ZLIB_OR_GZIP), False
            self._members += 1
        if not self._begun and self._left < _FRAME_BYTES:
            self.waiting = False  # too little to tell a frame from raw deflate, or from padding
            return b""
        step = self._input[self._place : self._place + _STEP_BYTES]
        try:
            piece = self._inflate.decompress(step, _CHUNK_BYTES)
        except zlib.error as error:
            return self._recovered(error)
        taken = len(step) - len(self._inflate.unused_data or self._inflate.unconsumed_tail)
        self._place += taken
        self._begun = self._begun or bool(step)
        self._fruitless = 0 if piece else self._fruitless + taken
        self.waiting = self._left > 0 or len(piece) == _CHUNK_BYTES
        return piece

    def _recovered(self, error: zlib.error) -> bytes:
        if self._begun:
            raise NetworkError("encoding", "the compressed body is damaged") from error
        if self._members:  # padding after the last member
            self._fruitless += self._left
            self._place, self.waiting = len(self._input), False
            return b""
        # Some servers mean raw deflate, without the frame of zlib.
        self._begun, self._inflate = True, zlib.decompressobj(wbits=_RAW_DEFLATE)
        return self.more()


@contextmanager
def _deadline(seconds: float, message: str) -> Iterator[None]:
    with anyio.move_on_after(seconds) as scope:
        yield
    if scope.cancelled_caught:
        raise NetworkError("timeout", message)
