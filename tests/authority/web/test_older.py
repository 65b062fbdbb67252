"""Settings of other systems mean the same as grants, or are refused; never something wider."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from capbox.authority.web.older import OlderError, fetch_grants
from capbox.authority.web.places import FetchAccess, Origin

HTTPS = Origin("https", "api.example.com", 443)


@pytest.mark.parametrize(
    ("host", "grants"),
    [
        ("https://api.example.com", ["fetch:https://api.example.com"]),
        ("http://api.example.com:8080/", ["fetch:http://api.example.com:8080"]),
        ("https://*.example.com", ["fetch:https://*.example.com"]),
        ("http://a.example:8000..8080", ["fetch:http://a.example:8000..8080"]),
        ("http://a.example:*", ["fetch:http://a.example:1..65535"]),
        ("http://10.0.0.0/8:8080", ["fetch:http://[10.0.0.0/8]:8080"]),
        ("https://[2001:db8::1]", ["fetch:https://[2001:db8::1]"]),
        ("*://a.example", ["fetch:http://a.example", "fetch:https://a.example"]),
        ("https://*", ["fetch:https://*"]),
        ("*", ["fetch:http://*:1..65535", "fetch:https://*:1..65535"]),
    ],
)
def test_an_allowed_host_is_a_grant(host: str, grants: list[str]) -> None:
    found = fetch_grants([host], [], [])
    assert not isinstance(found, OlderError), found
    assert [str(grant) for grant in found] == [f"{grant} net=private" for grant in grants]


@pytest.mark.parametrize(
    ("hosts", "networks", "urls", "entry"),
    [
        (["redis://a.example"], [], [], "redis://a.example"),
        (["https://a.example", "a.example"], [], [], "a.example"),
        (["https://a.example/path"], [], [], "https://a.example/path"),
        (["https://*.co.uk"], [], [], "https://*.co.uk"),
        (["https://127.1"], [], [], "https://127.1"),
        (["http://a.example:9..8"], [], [], "http://a.example:9..8"),
        (["https://a.example"], ["public"], [], "public"),
        (["https://*:9..8"], [], [], "https://*:9..8"),
        (["https://a.example"], ["private", "10.0.0.1/8"], [], "10.0.0.1/8"),
        (["https://a.example"], ["10.0.0.0/255.0.0.0"], [], "10.0.0.0/255.0.0.0"),
        (["https://a.example"], ["10.1"], [], "10.1"),
        (["https://a.example"], [], ["a.example"], "a.example"),
        (["https://a.example"], [], ["GET https://a.example"], "GET https://a.example"),
    ],
)
def test_what_has_no_same_meaning_is_refused_by_its_entry(
    hosts: list[str], networks: list[str], urls: list[str], entry: str
) -> None:
    found = fetch_grants(hosts, networks, urls)
    assert isinstance(found, OlderError)
    assert found.entry == entry
    assert found.message


def test_nothing_allowed_is_nothing() -> None:
    assert fetch_grants([], ["private"], []) == ()


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        *(("/admin", True), ("/admin/users", True), ("/administration", False), ("/", False)),
        # To one server or another these are the same place.
        *(("/%61dmin", True), ("//admin", True), ("/admin;x=1", True), ("/ADMIN/x", True)),
        *(("/admin/", True), ("/%61dmin;/x", True)),
    ],
)
@pytest.mark.parametrize("query", ["", "x=1"])
def test_a_blocked_url_covers_itself_and_what_is_below(
    path: str, query: str, left_out: bool
) -> None:
    found = fetch_grants(["https://api.example.com"], [], ["https://api.example.com/admin"])
    assert not isinstance(found, OlderError)
    assert found[0].leaves_out(FetchAccess("GET", HTTPS, path, query)) is left_out


CLOSED = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,127.0.0.0/8,::1/128,fc00::/7"


@pytest.mark.parametrize(
    ("networks", "urls", "caveats"),
    [
        ([], [], " net=private"),
        (["private"], [], f" except={CLOSED}"),
        (["private", "198.51.100.0/24"], [], f" except={CLOSED},198.51.100.0/24"),
        (["198.51.100.7"], [], " except=198.51.100.7/32 net=private"),
        (["2001:db8::7"], [], " except=2001:db8::7/128 net=private"),
        ([], ["https://b.example"], " except=https://b.example net=private"),
        ([], ["https://b.example/x"], " except=https://b.example/x/*?* net=private"),
        ([], ["https://b.example/x/?a=1"], " except=https://b.example/x/*?* net=private"),
        (
            ["8.8.8.0/24"],
            ["https://b.example", "http://c.example/x/*"],
            " except=https://b.example,http://c.example/x/*?*,8.8.8.0/24 net=private",
        ),
    ],
)
def test_what_is_blocked_is_left_out_by_one_caveat(
    networks: list[str], urls: list[str], caveats: str
) -> None:
    found = fetch_grants(["https://a.example"], networks, urls)
    assert not isinstance(found, OlderError), found
    assert [str(grant) for grant in found] == [f"fetch:https://a.example{caveats}"]


def test_private_networks_are_named_unless_they_are_blocked() -> None:
    [open_ones] = fetch_grants(["https://a.example"], [], [])  # type: ignore[misc]
    [closed] = fetch_grants(["https://a.example"], ["private"], [])  # type: ignore[misc]
    assert str(open_ones) == "fetch:https://a.example net=private"
    inside = ip_address("10.1.2.3")
    assert (open_ones.network_left_out(inside), open_ones.keeps_from(inside)) == (None, None)
    assert closed.network_left_out(inside) == closed.keeps_from(inside) == ip_network("10.0.0.0/8")
