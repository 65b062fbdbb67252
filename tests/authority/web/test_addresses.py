"""Which addresses are public, what opens the others, and which addresses stand for which."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.servers.answers import disguises

from capbox.authority.web.addresses import (
    PRIVATE,
    Address,
    Network,
    address_of,
    block_of,
    is_among,
    is_public,
    network_of,
    opens_no_more,
    refusal,
    within,
)

METADATA = (
    *("169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16"),
    *("192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"),
    *("169.254.42.42", "169.254.0.23", "169.254.10.10", "fe80::a9fe:a9fe"),
    *("fd00:42::42", "fd00:c1::a9fe:a9fe", "fd00:a9fe:a9fe::1", "fd00:100::100:200"),
)


def networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ip_network, texts))


@pytest.mark.parametrize(
    ("inside", "block", "beside"),
    [
        ("0.0.0.0", "0.0.0.0/8", "1.0.0.0"),
        ("10.255.255.255", "10.0.0.0/8", "11.0.0.0"),
        ("100.64.0.1", "100.64.0.0/10", "100.128.0.0"),
        ("127.0.0.1", "127.0.0.0/8", "128.0.0.0"),
        ("169.254.0.1", "169.254.0.0/16", "169.255.0.0"),
        ("172.31.255.255", "172.16.0.0/12", "172.32.0.0"),
        ("192.0.0.1", "192.0.0.0/24", "192.0.1.0"),
        ("192.0.2.1", "192.0.2.0/24", "192.0.3.0"),
        ("192.168.1.1", "192.168.0.0/16", "192.169.0.0"),
        ("198.19.255.255", "198.18.0.0/15", "198.20.0.0"),
        ("224.0.0.1", "224.0.0.0/4", "223.255.255.255"),
        ("255.255.255.255", "240.0.0.0/4", "8.8.8.8"),
        ("::", "::/128", "2606:2800:220:1::1"),
        ("::1", "::1/128", "2a00::1"),
        ("100::1", "100::/64", "2400::1"),
        ("2001:1::5", "2001::/23", "2001:200::1"),
        ("2001:db8::1", "2001:db8::/32", "2001:db9::1"),
        ("3fff:fff::1", "3fff::/20", "3ffe::1"),
        ("fd12:3456::1", "fc00::/7", "2003::1"),
        ("fe80::1", "fe80::/10", "2620::1"),
        ("fec0::1", "fec0::/10", "2607::1"),
        ("ff02::1", "ff00::/8", "2800::1"),
        ("4000::1", "4000::1/128", "2c00::1"),
    ],
)
def test_a_special_block_is_closed_and_what_lies_beside_it_is_open(
    inside: str, block: str, beside: str
) -> None:
    assert refusal(ip_address(inside), ()) == ip_network(block)
    assert refusal(ip_address(inside), networks(block)) is None
    assert refusal(ip_address(beside), ()) is None


@pytest.mark.parametrize("address", METADATA)
def test_the_metadata_of_a_cloud_opens_by_its_own_address_alone(address: str) -> None:
    found = ip_address(address)
    own = ip_network(f"{address}/{found.max_prefixlen}")
    around = [own.supernet(new_prefix=bits) for bits in range(own.prefixlen)]
    assert refusal(found, around) == refusal(found, PRIVATE) == own
    assert refusal(found, (own,)) is None


@pytest.mark.parametrize("kind", disguises("10.0.0.1"))
@pytest.mark.parametrize("hidden", ["10.0.0.1", "127.0.0.1", "169.254.169.254"])
def test_an_address_inside_another_is_judged_too(kind: str, hidden: str) -> None:
    assert refusal(ip_address(disguises(hidden)[kind]), ()) is not None


@pytest.mark.parametrize("kind", ["mapped (RFC 4291)", "NAT64 (RFC 6052)"])
def test_what_only_stands_for_an_ipv4_address_is_judged_by_it(kind: str) -> None:
    public, private = disguises("93.184.216.34")[kind], disguises("10.0.0.1")[kind]
    assert refusal(ip_address(public), ()) is None
    assert refusal(ip_address(private), networks("10.0.0.0/8")) is None
    # Naming the disguise names nothing of what is behind it.
    for named in ("::/0", "::ffff:0:0/96", "64:ff9b::/96", f"{private}/128"):
        assert refusal(ip_address(private), networks(named)) == ip_network("10.0.0.0/8")


@pytest.mark.parametrize("kind", ["6to4 (RFC 3056)", "Teredo (RFC 4380)"])
def test_a_tunnel_must_be_open_at_both_ends(kind: str) -> None:
    outer = ip_address(disguises("10.0.0.1")[kind])
    assert refusal(outer, (ip_network(f"{outer}/128"),)) is not None
    assert refusal(outer, networks("10.0.0.0/8", "198.51.100.0/24", "2001::/23")) is None


@pytest.mark.parametrize(
    ("address", "block", "inner"),
    [
        ("::a00:1", "::/96", "10.0.0.0/8"),
        ("::2", "::/96", "0.0.0.0/8"),
        ("::ffff:0:a00:1", "::ffff:0:0:0/96", "10.0.0.0/8"),
    ],
)
def test_an_older_disguise_must_be_open_and_what_is_behind_it(
    address: str, block: str, inner: str
) -> None:
    outer = ip_address(address)
    assert refusal(outer, networks(inner)) == ip_network(block)
    assert refusal(outer, networks(block)) == ip_network(inner)
    assert refusal(outer, networks(block, inner)) is None


@pytest.mark.parametrize(
    ("named", "opened", "closed"),
    [
        ("0.0.0.0/0", "8.8.8.8", "127.0.0.1"),
        ("::/0", "2606:2800:220:1::1", "::1"),
        ("0.0.0.0/1", "8.8.8.8", "10.0.0.1"),
        ("127.0.0.1/32", "127.0.0.1", "127.0.0.2"),
        ("169.254.0.0/16", "169.254.1.1", "169.254.169.254"),
        ("fc00::/7", "fd12::1", "fd00:ec2::254"),
        ("192.168.0.0/24", "192.168.0.7", "192.168.1.7"),
    ],
)
def test_a_network_opens_only_the_block_that_it_lies_in(
    named: str, opened: str, closed: str
) -> None:
    assert refusal(ip_address(opened), networks(named)) is None
    assert refusal(ip_address(closed), networks(named)) is not None


@pytest.mark.parametrize(
    ("spelt", "other"),
    [
        ("127.0.0.1", "127.0.0.01"),
        ("10.0.0.1", "10.1"),
        ("::1", "0:0:0:0:0:0:0:1"),
        ("fe80::1", "fe80::1%eth0"),
        ("2001:db8::a", "2001:DB8::A"),
        ("8.8.8.8", " 8.8.8.8"),
        ("1.2.3.4", "\u0661.2.3.4"),
        ("0.0.0.0", ""),
    ],
)
def test_an_address_has_one_spelling(spelt: str, other: str) -> None:
    assert address_of(spelt) == ip_address(spelt)
    assert address_of(other) is None


@pytest.mark.parametrize(
    ("spelt", "other"),
    [
        ("10.0.0.0/8", "10.0.0.1/8"),
        ("::/0", "::/00"),
        ("127.0.0.1/32", "127.0.0.1"),
        ("192.168.0.0/16", "192.168.0.0/255.255.0.0"),
        ("fc00::/7", "FC00::/7"),
        ("0.0.0.0/0", "/0"),
    ],
)
def test_a_network_has_one_spelling(spelt: str, other: str) -> None:
    assert network_of(spelt) == ip_network(spelt)
    assert network_of(other) is None


def test_only_a_single_public_address_is_a_public_network() -> None:
    assert is_public(ip_network("8.8.8.8/32")) and is_public(ip_network("2a00::1/128"))
    for text in ("8.8.8.0/24", "127.0.0.1/32", "::1/128", "::ffff:a00:1/128"):
        assert not is_public(ip_network(text)), text


@pytest.mark.parametrize(
    ("network", "address", "beside"),
    [
        ("10.0.0.0/8", "10.0.0.1", "11.0.0.1"),
        ("10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:11.0.0.1"),
        ("8.8.8.0/24", "64:ff9b::808:808", "64:ff9b::808:908"),
        ("8.8.8.8/32", "2002:808:808::1", "2002:808:809::1"),
        ("8.8.8.9/32", "64:ff9b::808:809", "64:ff9b::808:808"),
        ("::ffff:0:0/96", "::ffff:10.0.0.1", "::fffe:10.0.0.1"),
    ],
)
def test_an_address_is_in_a_network_whatever_it_is_wrapped_in(
    network: str, address: str, beside: str
) -> None:
    assert is_among(ip_address(address), networks(network))
    assert not is_among(ip_address(beside), networks(network))


special = st.sampled_from(
    [*METADATA, "127.0.0.1", "10.1.2.3", "192.0.0.1", "::1", "::", "fd00::1", "fe80::1", "4000::1"]
).map(ip_address)
any_address: st.SearchStrategy[Address] = st.one_of(
    special,
    st.integers(0, 2**32 - 1).map(IPv4Address),
    st.integers(0, 2**128 - 1).map(IPv6Address),
)


@st.composite
def nested(draw: st.DrawFn) -> tuple[Network, Network, Address]:
    """Draw an address and two networks around it, mostly the second one within the first."""
    address = draw(any_address)
    bits = sorted(draw(st.integers(0, address.max_prefixlen)) for _ in range(2))
    outer, inner = (ip_network((address, n), strict=False) for n in bits)
    return (outer, inner, address) if draw(st.integers(0, 9)) else (inner, outer, address)


@given(nested(), st.data())
def test_a_network_that_opens_no_more_opens_no_address_more(
    chosen: tuple[Network, Network, Address], data: st.DataObject
) -> None:
    parent, child, address = chosen
    other = child[data.draw(st.integers(0, child.num_addresses - 1))]
    for one in (address, other):
        if opens_no_more(child, parent) and refusal(one, (child,)) is None:
            assert refusal(one, (parent,)) is None
    assert not opens_no_more(child, parent) or within(child, parent)


@given(any_address)
def test_an_address_that_is_closed_opens_by_itself(address: Address) -> None:
    block = block_of(address)
    if block is not None and refusal(address, ()) == block and address in block:
        own = ip_network(f"{address}/{address.max_prefixlen}")
        alone = refusal(address, (own,))
        assert alone is None or address not in alone  # then what is inside it is closed still
