"""One request and its response as they are recorded, with secrets taken out of what comes back.

Guarantees: whatever ends it, `effect` says what was sent and received until then. Does not: decide.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from capbox.authority.authority import Minted
from capbox.authority.limits import Limits
from capbox.authority.web.addresses import Address
from capbox.authority.web.places import FetchAccess
from capbox.broker.asked import Asked
from capbox.broker.exchange import Exchange
from capbox.broker.headers import Head, Headers, first, incoming
from capbox.broker.network import Network
from capbox.broker.redact import Redactor, Stream
from capbox.messages import Effect, HttpRequest, Json, JsonObject

_USER_AGENT = ("User-Agent", "capbox")


@dataclass(slots=True, eq=False)
class Transfer:
    """`minted` allows it; `secrets` are the names of those that go with it."""

    access: FetchAccess
    minted: Minted
    secrets: tuple[str, ...]
    redactor: Redactor
    head: Head = field(default_factory=lambda: Head(0, "", ()))
    decoded: bool = False
    _address: str = ""
    _exchange: Exchange | None = None
    _stream: Stream | None = None
    _clean: bytearray = field(default_factory=bytearray)
    _ended: bool = False
    _began_ns: int = field(default_factory=time.monotonic_ns)

    async def open(
        self,
        network: Network,
        addresses: tuple[Address, ...],
        headers: Headers,
        asked: Asked,
        limits: Limits,
    ) -> None:
        """Connect, send, and wait for the head of the response. Raises NetworkError."""
        self._address = _with_port(addresses[0], self.access)
        exchange, address = await network.connect(self.access.origin, addresses, limits, asked)
        self._address, self._exchange = _with_port(address, self.access), exchange
        ours = [("Accept-Encoding", "gzip" if asked.decode else "identity")]
        if first(headers, "user-agent") is None:
            ours.append(_USER_AGENT)
        self.head = await exchange.request(self.access, (*headers, *ours), asked.body)
        # An echo of a secret is looked for in the body as it reads, so that must be undone: also
        # where none was sent, since another server may have handed it on.
        wanted = asked.decode or self.redactor.knows_any
        self.decoded = exchange.decode(self.head, wanted=wanted)
        self._stream = self.redactor.stream()

    @property
    def received(self) -> int:
        """Return how many bytes of the body have come."""
        return 0 if self._exchange is None else self._exchange.received

    async def chunk(self, bytes_max: int) -> bytes:
        """Return the next bytes without secrets; none at the end. Raises NetworkError."""
        exchange, stream = self._exchange, self._stream
        while not self._clean and not self._ended and exchange is not None and stream is not None:
            piece = await exchange.chunk(bytes_max)
            self._ended = not piece
            self._clean += stream.feed(piece) if piece else stream.finish()
        taken = bytes(self._clean[:bytes_max])
        del self._clean[:bytes_max]
        return taken

    def answer(self, passed: list[Json]) -> JsonObject:
        """Return the head of the response as the guest gets it, after the redirects `passed`."""
        length = first(self.head.texts, "content-length") or ""
        # An echo that is taken out changes the length, and would be told by it.
        changed = self.decoded or (self.redactor.knows_any and self.access.method != "HEAD")
        known = length.isdecimal() and length.isascii() and len(length) < 16 and not changed
        answer: JsonObject = {
            "status": self.head.status,
            "reason": self.head.reason,
            "url": self.access.url,
            "address": self._address,
            "headers": incoming(self.head.headers, decoded=changed),
            "redirects": passed,
            "length": int(length) if known else None,
        }
        clean = self.redactor.json(answer)
        return clean if isinstance(clean, dict) else {}

    async def end(self) -> Effect:
        """Cut the connection and return what happened."""
        sent = 0
        if self._exchange is not None:
            sent = self._exchange.sent
            await self._exchange.aclose()
        request = HttpRequest(
            method=self.access.method,
            address=self._address,
            status=self.head.status or None,
            sent_bytes=sent,
            received_bytes=self.received,
            wall_ms=(time.monotonic_ns() - self._began_ns) // 1_000_000,
            secrets=self.secrets,
        )
        return Effect("fetch", self.redactor.text(self.access.url), None, self.received, request)


def _with_port(address: Address, access: FetchAccess) -> str:
    shown = f"[{address}]" if address.version == 6 else str(address)
    return f"{shown}:{access.origin.port}"
