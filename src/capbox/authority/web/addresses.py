"""Which IP addresses are public, and which networks only a grant that names them may reach. Pure.

Guarantees: what embeds an IPv4 address is judged by that one too; a network opens a special block
only if it lies inside that block, so `0.0.0.0/0` opens no loopback and `169.254.0.0/16` no metadata
service. Source: IANA's special-purpose registries (RFC 6890, 8190), RFC 6052, 4380, 3056, and the
documented metadata addresses of the clouds. `ipaddress.is_global` alone is not enough: it takes
NAT64, 6to4, multicast and fec0::/10 for global (measured on Python 3.11).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# The services that hand out a machine's credentials: inside no broader network, only by name.
_METADATA = """
    169.254.169.254 169.254.170.2 169.254.170.23 100.100.100.200 168.63.129.16 192.0.0.192
    169.254.42.42 169.254.0.23 169.254.10.10 fe80::a9fe:a9fe
    fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fd00:42::42 fd00:c1::a9fe:a9fe fd00:a9fe:a9fe::1
    fd00:100::100:200
"""
_SPECIAL = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
    224.0.0.0/4 240.0.0.0/4
    ::/128 ::1/128 ::/96 ::ffff:0:0:0/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23
    2001:db8::/32 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
"""
_METADATA_BLOCKS = frozenset(map(ip_network, _METADATA.split()))
_BLOCKS = tuple(sorted(map(ip_network, (_METADATA + _SPECIAL).split()), key=lambda n: -n.prefixlen))
_PRIVATE = "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8 ::1/128 fc00::/7"
PRIVATE: tuple[Network, ...] = tuple(map(ip_network, _PRIVATE.split()))
LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_UNICAST = IPv6Network("2000::/3")
_NAT64, _TRANSLATED = IPv6Network("64:ff9b::/96"), IPv6Network("::ffff:0:0:0/96")
_COMPATIBLE = IPv6Network("::/96")


def address_of(text: str) -> Address | None:
    """Return the address that `text` spells canonically (an IPv6 one without brackets), if so."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found if str(found) == text and "%" not in text else None


def network_of(text: str) -> Network | None:
    """Return the network that `text` (ADDRESS/BITS, no host bits) spells canonically, if so."""
    try:
        found = ip_network(text)
    except ValueError:
        return None
    return found if str(found) == text else None


@lru_cache(maxsize=1024)
def block_of(address: Address) -> Network | None:
    """Return the narrowest special block that `address` itself lies in; None: it is public."""
    found = next((b for b in _BLOCKS if address in b), None)
    if found is None and isinstance(address, IPv6Address) and address not in _UNICAST:
        return IPv6Network((address, 128))  # not given to anyone
    return found


def refusal(address: Address, named: Iterable[Network]) -> Network | None:
    """Return the special block that keeps `address` from being dialled; None if nothing does.

    `named` are the networks that a grant names. Everything the address stands for must be public or
    named: `::ffff:10.0.0.1` is 10.0.0.1 to the kernel.
    """
    networks = tuple(named)
    for one in _stands_for(address):
        block = block_of(one)
        if block is not None and not any(opens(network, one, block) for network in networks):
            return block
    return None


def is_metadata(address: Address) -> bool:
    """Say whether `address` is where a cloud hands out the keys of the machine that asks."""
    return any(block_of(one) in _METADATA_BLOCKS for one in _stands_for(address))


def opens(network: Network, address: Address, block: Network) -> bool:
    """Say whether naming `network` opens `address`, which lies in the special `block`."""
    return address in network and network.prefixlen >= block.prefixlen


def opens_no_more(child: Network, parent: Network) -> bool:
    """Say whether naming `child` opens no address that naming `parent` does not; undecidable is no.

    To lie inside is not enough: `127.0.0.0/8` is within `0.0.0.0/0`, which opens no loopback.
    """
    around = (b for b in _BLOCKS if within(child, b))
    single = block_of(child.network_address) if child.num_addresses == 1 else None
    block = next(around, single)
    return within(child, parent) and (block is None or parent.prefixlen >= block.prefixlen)


def is_among(address: Address, networks: Iterable[Network]) -> bool:
    """Say whether `address`, or one that it stands for, lies in one of the networks."""
    found = {address, *_stands_for(address)}
    return any(one in network for network in networks for one in found)


def is_public(network: Network) -> bool:
    """Say whether `network` is a single public address."""
    return network.num_addresses == 1 and refusal(network.network_address, ()) is None


def within(child: Network, parent: Network) -> bool:
    """Say whether all of `child` lies in `parent`."""
    if isinstance(child, IPv4Network) and isinstance(parent, IPv4Network):
        return child.subnet_of(parent)
    if isinstance(child, IPv6Network) and isinstance(parent, IPv6Network):
        return child.subnet_of(parent)
    return False


def _stands_for(address: Address) -> tuple[Address, ...]:
    """Return the addresses by which `address` is judged: itself, or what is embedded, or both."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64:
        return (last,)
    if address in _TRANSLATED or (address in _COMPATIBLE and int(address) > 1):
        return (address, last)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if address.teredo is not None:
        return (address, *address.teredo)
    return (address,)
