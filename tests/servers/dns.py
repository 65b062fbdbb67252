"""A DNS server on loopback that answers by a script, and a client that asks it.

    with DnsServer({"rebind.test": [at("93.184.216.34"), at("127.0.0.1")]}) as server:
        server.resolve("rebind.test")  # -> ["93.184.216.34"], the next time ["127.0.0.1"]

Guarantees: real messages over UDP and TCP (dnspython's wire format); every question is recorded;
each kind of record of a name has its own place in the script, because a resolver asks for A and
AAAA at once; the last answer stays; a name that is not in the table does not exist (NXDOMAIN).
Does not: cache, recurse outside of its table, or sign.
"""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock
from types import TracebackType
from typing import Final, Self, assert_never

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.rrset
from tests.servers.answers import Addresses, Alias, Answer, Failure, Held, Raw, Silence
from tests.servers.loopback import Listener, Threads, bound

_POLL_SECONDS = 0.02
_ALIASES_FOLLOWED = 8
_MESSAGE_BYTES_MAX = 65_535
LIFETIME_SECONDS: Final = 20.0

Script = Answer | Sequence[Answer]


@dataclass(frozen=True, slots=True)
class Question:
    """One question as it came: the name in lower case without its last dot, `A`, `udp`."""

    name: str
    kind: str
    over: str


class DnsServer:
    """A running server, from `with` to the end of the block."""

    def __init__(
        self, table: Mapping[str, Script], *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        """Answer from `table`, by name; the same port (0: any free one) for UDP and TCP."""
        self._table = {
            name.lower().rstrip("."): tuple(script) if isinstance(script, Sequence) else (script,)
            for name, script in table.items()
        }
        self._lock = Lock()
        self._given: dict[tuple[str, str], int] = {}
        self._questions: list[Question] = []
        self._stopping = Event()
        self._tcp = Listener(self._serve_tcp, host, port)
        self._udp = bound(host, self._tcp.port, socket.SOCK_DGRAM)
        self._wake, self._waker = socket.socketpair()
        self._threads = Threads(f"dns {host}")
        self.host = host
        self.port = self._tcp.port

    def __enter__(self) -> Self:
        """Start to answer."""
        self._tcp.__enter__()
        self._threads.start(self._serve_udp)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop; questions that wait are not answered any more."""
        self._stopping.set()
        self._waker.send(b"!")
        self._tcp.__exit__(kind, error, traceback)
        self._threads.join()
        for one in (self._udp, self._wake, self._waker):
            one.close()

    @property
    def questions(self) -> tuple[Question, ...]:
        """Every question so far."""
        with self._lock:
            return tuple(self._questions)

    def resolve(self, name: str, *, lifetime_seconds: float = LIFETIME_SECONDS) -> list[str]:
        """Return the addresses of a name as this server tells them, IPv4 first.

        Raises:
            dns.exception.DNSException: there is none (NXDOMAIN, NoAnswer), or no answer in time.
        """
        return resolve(self.host, self.port, name, lifetime_seconds=lifetime_seconds)

    def _serve_udp(self) -> None:
        while not self._stopping.is_set():
            ready, _, _ = select.select([self._udp, self._wake], [], [])
            if self._udp in ready:
                wire, peer = self._udp.recvfrom(_MESSAGE_BYTES_MAX)
                # A thread a question: one that waits must not hold up the others.
                self._threads.start(self._answer_udp, wire, peer)

    def _answer_udp(self, wire: bytes, peer: tuple[str, int]) -> None:
        answered = self._answered(wire, "udp")
        if answered is not None:
            with suppress(OSError):
                self._udp.sendto(answered, peer)

    def _serve_tcp(self, stream: socket.socket) -> None:
        with stream.makefile("rb") as lines:
            while len(prefix := lines.read(2)) == 2:
                answered = self._answered(lines.read(struct.unpack("!H", prefix)[0]), "tcp")
                if answered is None:
                    return
                stream.sendall(struct.pack("!H", len(answered)) + answered)

    def _answered(self, wire: bytes, over: str) -> bytes | None:
        """Return the answer to a message, None for silence."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if not query.question:
            return None
        asked = query.question[0]
        question = Question(_plain(asked.name), dns.rdatatype.to_text(asked.rdtype), over)
        with self._lock:
            self._questions.append(question)
        answer = self._free(self._next(question.name, question.kind))
        if answer is None or isinstance(answer, Silence):
            return None
        if isinstance(answer, Raw):
            return answer.make(query)
        reply = dns.message.make_response(query, recursion_available=True)
        self._fill(reply, asked.name, asked.rdtype, answer)
        return _wire(reply, query.payload if over == "udp" else _MESSAGE_BYTES_MAX)

    def _next(self, name: str, kind: str) -> Answer:
        script = self._table.get(name, (Failure(),))
        with self._lock:
            number = self._given.get((name, kind), 0)
            self._given[name, kind] = number + 1
        return script[min(number, len(script) - 1)]

    def _free(self, answer: Answer) -> Answer | None:
        """Return an answer once it need not wait; None when the server ends first."""
        while isinstance(answer, Held):
            answer.asked.set()
            while not answer.event.wait(_POLL_SECONDS):
                if self._stopping.is_set():
                    return None
            answer = answer.then
        return answer

    def _fill(
        self,
        reply: dns.message.Message,
        name: dns.name.Name,
        kind: dns.rdatatype.RdataType,
        answer: Answer,
    ) -> None:
        for _ in range(_ALIASES_FOLLOWED):
            if not isinstance(answer, Alias):
                break
            target = dns.name.from_text(answer.target)
            reply.answer.append(_records(name, answer.ttl, "CNAME", [target.to_text()]))
            if not answer.followed:
                return
            followed = self._free(self._next(_plain(target), dns.rdatatype.to_text(kind)))
            name, answer = target, followed or Failure()
        match answer:
            case Addresses(addresses, ttl):
                family = {"A": False, "AAAA": True}.get(dns.rdatatype.to_text(kind))
                fitting = [one for one in addresses if (":" in one) is family]
                if fitting:
                    reply.answer.append(_records(name, ttl, dns.rdatatype.to_text(kind), fitting))
            case Failure(code):
                reply.set_rcode(code)
            case Alias() | Silence() | Held() | Raw():
                # A chain without an end, or one that ends in what cannot be part of a message.
                reply.set_rcode(dns.rcode.SERVFAIL)
            case _:
                assert_never(answer)


def resolve(
    host: str, port: int, name: str, *, lifetime_seconds: float = LIFETIME_SECONDS
) -> list[str]:
    """Ask the DNS server at `host` and `port` for the addresses of a name, IPv4 first."""
    client = dns.resolver.Resolver(configure=False)
    client.nameservers = [host]
    client.port = port
    client.lifetime = lifetime_seconds
    found: list[str] = []
    failure: dns.exception.DNSException | None = None
    for kind in ("A", "AAAA"):
        try:
            found += [record.to_text() for record in client.resolve(f"{name.rstrip('.')}.", kind)]
        except dns.resolver.NoAnswer as error:
            failure = error
    if not found and failure is not None:
        raise failure
    return found


def _records(name: dns.name.Name, ttl: int, kind: str, texts: Sequence[str]) -> dns.rrset.RRset:
    return dns.rrset.from_text_list(name, ttl, "IN", kind, texts)


def _wire(reply: dns.message.Message, bytes_max: int) -> bytes:
    try:
        # In the order of the script: left alone, dnspython shuffles.
        return reply.to_wire(max_size=max(bytes_max, 512), want_shuffle=False)
    except dns.exception.TooBig:
        # Too large for UDP: an empty answer that says so, and the client asks again over TCP.
        reply.answer.clear()
        reply.flags |= dns.flags.TC
        return reply.to_wire(max_size=max(bytes_max, 512))


def _plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
