"""The DNS server says what its script says, to a real client over real messages."""

from __future__ import annotations

import ipaddress
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest
from tests.servers.answers import Alias, Failure, Held, Raw, Silence, at, disguises, many
from tests.servers.dns import DnsServer, Question

PUBLIC, PRIVATE = "93.184.216.34", "10.0.0.1"


def test_a_rebinding_name_changes_between_two_questions_and_then_stays() -> None:
    with DnsServer({"rebind.test": [at(PUBLIC), at(PRIVATE)]}) as server:
        answers = [server.resolve("rebind.test") for _ in range(3)]
        assert answers == [[PUBLIC], [PRIVATE], [PRIVATE]]
        assert server.questions[:2] == (
            Question("rebind.test", "A", "udp"),
            Question("rebind.test", "AAAA", "udp"),
        )


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_both_families_and_good_beside_bad_in_one_answer(host: str) -> None:
    with DnsServer({"Dual.Test.": at(PUBLIC, PRIVATE, "::1")}, host=host) as server:
        assert server.resolve("dual.TEST") == [PUBLIC, PRIVATE, "::1"]


@pytest.mark.parametrize("kind", disguises(PRIVATE))
def test_every_disguise_arrives_as_it_is(kind: str) -> None:
    address = disguises(PRIVATE)[kind]
    with DnsServer({"d.test": at(address)}) as server:
        (came,) = server.resolve("d.test")
    assert ipaddress.ip_address(came) == ipaddress.ip_address(address)


def test_the_disguises_hide_the_address_that_they_say() -> None:
    made = {kind.partition(" (")[0]: text for kind, text in disguises(PRIVATE).items()}
    parsed = {kind: ipaddress.IPv6Address(text) for kind, text in made.items()}
    inner = ipaddress.IPv4Address(PRIVATE)
    assert parsed["mapped"].ipv4_mapped == parsed["6to4"].sixtofour == inner
    teredo = parsed["Teredo"].teredo
    assert teredo is not None and teredo[1] == inner
    for kind in ("compatible", "translated", "NAT64", "local NAT64", "ISATAP"):
        assert parsed[kind].packed.endswith(inner.packed), kind


def test_a_chain_of_aliases_is_followed_within_the_table() -> None:
    table = {"a.test": Alias("b.test"), "b.test": Alias("c.test"), "c.test": at(PRIVATE)}
    with DnsServer(table) as server:
        assert server.resolve("a.test") == [PRIVATE]
        assert {one.name for one in server.questions} == {"a.test"}


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (Failure(), dns.resolver.NXDOMAIN),
        (Failure(dns.rcode.NOERROR), dns.resolver.NoAnswer),
        (Failure(dns.rcode.SERVFAIL), dns.resolver.NoNameservers),
        (Failure(dns.rcode.REFUSED), dns.resolver.NoNameservers),
        (Alias("x.test"), dns.resolver.NoNameservers),
        (Alias("elsewhere.test"), dns.resolver.NXDOMAIN),
        (Alias("elsewhere.test", followed=False), dns.resolver.NoAnswer),
        (Raw(lambda query: b"\0\1nonsense"), dns.exception.Timeout),
        (Silence(), dns.exception.Timeout),
    ],
)
def test_no_addresses_for_a_reason(script: object, error: type[Exception]) -> None:
    with DnsServer({"x.test": script}) as server:  # type: ignore[dict-item]
        with pytest.raises(error):
            server.resolve("x.test", lifetime_seconds=0.3 if "Timeout" in error.__name__ else 20)
        with pytest.raises(dns.resolver.NXDOMAIN):
            server.resolve("unknown.test")


def test_what_is_too_large_for_udp_comes_over_tcp() -> None:
    with DnsServer({"many.test": many(1_000)}) as server:
        assert len(server.resolve("many.test")) == 1_000
        assert {one.over for one in server.questions if one.kind == "A"} == {"udp", "tcp"}


def test_an_answer_waits_for_the_test_and_holds_up_no_other() -> None:
    held = Held(Event(), at(PUBLIC))
    table = {"slow.test": held, "fast.test": at(PRIVATE)}
    with DnsServer(table) as server, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(server.resolve, "slow.test")
        assert held.asked.wait(20)
        assert server.resolve("fast.test") == [PRIVATE]
        assert not slow.done()
        held.event.set()
        assert slow.result(20) == [PUBLIC]


def test_the_server_ends_while_a_question_waits() -> None:
    held = Held(Event(), at(PUBLIC))
    with (
        DnsServer({"slow.test": held}) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        query = dns.message.make_query("slow.test.", "A")
        client.sendto(query.to_wire(), (server.host, server.port))
        assert held.asked.wait(20)


def test_an_answer_may_belong_to_another_question() -> None:
    """A spoofed answer: the right bytes under another number."""

    def spoofed(query: dns.message.Message) -> bytes:
        wire = dns.message.make_response(query).to_wire()
        return struct.pack("!H", query.id ^ 1) + wire[2:]

    with DnsServer({"x.test": Raw(spoofed)}) as server:
        query = dns.message.make_query("x.test.", "A")
        with pytest.raises(dns.query.BadResponse):
            dns.query.udp(query, server.host, port=server.port, timeout=20)


def test_garbage_is_not_answered_and_harms_nobody() -> None:
    with DnsServer({"x.test": at(PUBLIC)}) as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"garbage", (server.host, server.port))
        with socket.create_connection((server.host, server.port), 20) as client:
            client.sendall(b"\0\7garbage")
            assert client.recv(1) == b""
        assert server.resolve("x.test") == [PUBLIC]
