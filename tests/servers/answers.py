"""What the DNS server can say to one question, and the spellings of an address that hide another.

Guarantees: an answer is a value, or waits for an event of the test; nothing here waits for time.
Does not: know names; the table of `DnsServer` does.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event

import dns.message
import dns.rcode


@dataclass(frozen=True, slots=True)
class Addresses:
    """These addresses: an A question gets the IPv4 ones, an AAAA question the IPv6 ones."""

    addresses: tuple[str, ...]
    ttl: int = 0


@dataclass(frozen=True, slots=True)
class Alias:
    """A CNAME. `followed`: with what the table says of the target, as a resolver answers."""

    target: str
    ttl: int = 0
    followed: bool = True


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer but a code: NXDOMAIN, SERVFAIL, REFUSED; NOERROR is "no such records"."""

    code: dns.rcode.Rcode = dns.rcode.NXDOMAIN


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer at all."""


@dataclass(frozen=True, slots=True)
class Held:
    """An answer that waits for the test; `asked` says that the question has come."""

    event: Event
    then: Answer
    asked: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes made from the question, which need not be DNS."""

    make: Callable[[dns.message.Message], bytes]


Answer = Addresses | Alias | Failure | Silence | Held | Raw


def at(*addresses: str, ttl: int = 0) -> Addresses:
    """Return an answer with these addresses."""
    return Addresses(addresses, ttl)


def many(count: int) -> Addresses:
    """Return an answer too large for UDP: so many addresses out of 198.18.0.0/15 (RFC 2544)."""
    first = int(ipaddress.IPv4Address("198.18.0.1"))
    return Addresses(tuple(str(ipaddress.IPv4Address(first + n)) for n in range(count)))


def disguises(ipv4: str) -> Mapping[str, str]:
    """Return the IPv6 addresses that lead, or may lead, to an IPv4 address, by their kind."""
    number = int(ipaddress.IPv4Address(ipv4))

    def within(prefix: str, shift: int = 0) -> str:
        return str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number << shift))

    # Teredo keeps the client's address with every bit turned over (RFC 4380, 4).
    hidden = int(ipaddress.IPv6Address("2001:0:c633:6401::")) | (number ^ 0xFFFFFFFF)
    return {
        "mapped (RFC 4291)": within("::ffff:0:0"),
        "compatible (RFC 4291)": within("::"),
        "translated (RFC 2765)": within("::ffff:0:0:0"),
        "NAT64 (RFC 6052)": within("64:ff9b::"),
        "local NAT64 (RFC 8215)": within("64:ff9b:1::"),
        "6to4 (RFC 3056)": within("2002::1", shift=80),
        "Teredo (RFC 4380)": str(ipaddress.IPv6Address(hidden)),
        "ISATAP (RFC 5214)": within("fe80::5efe:0:0"),
    }
