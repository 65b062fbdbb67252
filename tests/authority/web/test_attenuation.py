"""Which grant for the web covers which other: by each part of it and by each caveat."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

import pytest

from capbox.authority.authority import Authority
from capbox.authority.decision import AuthorityId
from capbox.authority.grant import Grant
from capbox.authority.parse import GrantError, parse_grant

NARROWER_AND_NOT = [
    # method, scheme, host, port
    ("https://a.test", "GET https://a.test", "http://a.test"),
    ("GET,POST https://a.test", "POST https://a.test", "GET,PUT https://a.test"),
    ("GET https://a.test", "GET https://a.test/x", "https://a.test"),
    ("https://a.test", "https://a.test/x/*?*", "https://b.a.test"),
    ("https://*.a.test", "https://b.a.test", "https://c.b.a.test"),
    ("https://*.a.test", "https://*.a.test/x", "https://*.b.a.test"),
    ("https://*.a.test", "https://b.a.test/x", "https://a.test"),
    ("https://a.test:8443", "https://a.test:8443/x", "https://a.test"),
    ("https://a.test:8000..8010", "https://a.test:8005", "https://a.test:8005..8011"),
    ("https://a.test:8000..8010", "https://a.test:8000..8010", "https://a.test:7999..8005"),
    ("https://a.test", "https://a.test:443", "http://a.test:443"),
    # path and query
    ("https://a.test/v1/*", "https://a.test/v1/x", "https://a.test/v1"),
    ("https://a.test/v1/*", "https://a.test/v1/x/*", "https://a.test/v10/x"),
    ("https://a.test/v1/*", "https://a.test/v1/", "https://a.test/v1/x?*"),
    ("https://a.test/v1", "https://a.test/v1", "https://a.test/v1/*"),
    ("https://a.test/v1", "https://a.test/v1", "https://a.test/v10"),
    ("https://a.test/v1/", "https://a.test/v1/", "https://a.test/v1/*"),
    ("https://a.test/v1/*?*", "https://a.test/v1/*?*", "https://a.test"),
    ("https://a.test/v1?*", "https://a.test/v1?a=1", "https://a.test/v2?a=1"),
    ("https://a.test/v1?a=1", "https://a.test/v1?a=1", "https://a.test/v1?a=1&b=2"),
    ("https://a.test/?*", "https://a.test/?a=1", "https://a.test"),
    # networks
    ("http://[10.0.0.0/8]", "http://10.1.2.3", "http://11.1.2.3"),
    ("http://[10.0.0.0/8]", "http://[10.1.0.0/16]", "http://[0.0.0.0/0]"),
    ("http://[fd00::/8]", "http://[fd12::1]", "http://[fc00::1]"),
    ("http://[10.0.0.0/8]", "http://10.1.2.3:80", "http://a.test"),
    # Lying inside is not enough: the child would open what the parent did not.
    ("http://[0.0.0.0/0]", "http://8.8.8.8", "http://127.0.0.1"),
    ("http://[0.0.0.0/0]", "http://93.184.216.34", "http://169.254.169.254"),
    ("http://[169.254.0.0/16]", "http://169.254.1.1", "http://169.254.169.254"),
    ("http://[::/0]", "http://[2a00::1]", "http://[::1]"),
]
CAVEATS = [
    ("uses=5", "uses=5", "uses=6"),
    ("uses=5", "uses=0", ""),
    ("bytes=1MB", "bytes=999kB", "bytes=1000001B"),
    ("bytes=1MB", "bytes=0B", ""),
    ("rate=10/min", "rate=9/min", "rate=11/min"),
    ("rate=10/min", "rate=10/h", "rate=10/s"),
    ("rate=10/min", "rate=10/min", ""),
    ("ask=first", "ask=each", ""),
    ("ask=each", "ask=each", "ask=first"),
    (
        "expires=2030-01-01T00:00:00Z",
        "expires=2029-12-31T00:00:00Z",
        "expires=2030-01-02T00:00:00Z",
    ),
    ("expires=2030-01-01T00:00:00Z", "expires=2030-01-01T00:00:00Z uses=1", ""),
    ("net=10.0.0.0/8", "net=10.1.0.0/16", "net=10.0.0.0/7"),
    ("net=10.0.0.0/8", "", "net=127.0.0.0/8"),
    ("net=private", "net=fc00::/7,127.0.0.0/8", "net=169.254.0.0/16"),
    ("net=private", "net=fd12::/16", "net=fd00:ec2::254/128"),
    ("net=0.0.0.0/0", "net=8.0.0.0/8", "net=127.0.0.0/8"),
    ("net=0.0.0.0/0", "", "net=10.0.0.0/8"),
    ("net=169.254.0.0/16", "net=169.254.0.0/17", "net=169.254.169.254/32"),
    ("net=fc00::/7", "net=fd12::/32", "net=fd00:42::42/128"),
    ("net=::/0", "net=2a00::/16", "net=4000::1/128"),
    ("", "net=8.8.8.8/32", "net=10.0.0.0/8"),
    ("", "uses=1", "net=0.0.0.0/0"),
    ("except=https://a.test/x/*", "except=https://a.test/*", ""),
    ("except=https://a.test/x/*?*", "except=https://a.test/x/*?*", "except=https://a.test/x/y"),
    ("except=10.0.0.0/8", "except=0.0.0.0/0", "except=10.0.0.0/9"),
    ("except=10.0.0.0/8", "except=10.0.0.0/8,https://b.test", "except=https://b.test"),
]
SECRETS = [
    ("K@https://a.test", "K@https://a.test uses=1", "L@https://a.test"),
    ("K@https://a.test", "K@https://a.test", "K@https://b.test"),
    ("K@https://a.test:8443", "K@https://a.test:8443", "K@https://a.test"),
    ("K@http://localhost", "K@http://localhost", "K@https://localhost"),
    ("K@https://a.test header=X-Key", "K@https://a.test header=X-Key", "K@https://a.test"),
    ("K@https://a.test format=Key:{}", "K@https://a.test format=Key:{}", "K@https://a.test"),
    (
        "K@https://a.test format=Key:{}",
        "K@https://a.test format=Key:{} uses=2",
        "K@https://a.test format={}",
    ),
]


def grant(text: str) -> Grant:
    parsed = parse_grant(text)
    assert isinstance(parsed, Grant), parsed
    return parsed


def check(parent: str, child: str, other: str) -> None:
    holder = grant(parent)
    assert holder.covers(grant(child)), child
    assert not holder.covers(grant(other)), other


@pytest.mark.parametrize(("parent", "child", "other"), NARROWER_AND_NOT)
def test_each_part_of_a_selector_narrows(parent: str, child: str, other: str) -> None:
    check(*(f'fetch:"{text}"' for text in (parent, child, other)))


@pytest.mark.parametrize(("parent", "child", "other"), CAVEATS)
def test_each_caveat_narrows(parent: str, child: str, other: str) -> None:
    check(*(f"fetch:https://a.test {text}" for text in (parent, child, other)))


@pytest.mark.parametrize(("parent", "child", "other"), SECRETS)
def test_a_secret_stays_the_same_for_the_same_origin(parent: str, child: str, other: str) -> None:
    check(*(f"secret:{text}" for text in (parent, child, other)))


@pytest.mark.parametrize(
    ("text", "reached", "kept_from"),
    [
        ("fetch:https://a.test", "93.184.216.34", "10.0.0.1"),
        ("fetch:https://a.test net=private", "10.0.0.1", "169.254.0.1"),
        ("fetch:https://a.test net=private", "::1", "fd00:ec2::254"),
        ("fetch:https://a.test net=10.0.0.0/8", "10.0.0.1", "192.168.0.1"),
        ("fetch:http://localhost", "127.0.0.1", "10.0.0.1"),
        ("fetch:http://a.localhost", "::1", "fd00::1"),
        ("fetch:http://10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ("fetch:http://[169.254.0.0/16]", "169.254.0.1", "169.254.169.254"),
        ("fetch:http://169.254.169.254", "169.254.169.254", "169.254.169.253"),
        ("fetch:https://a.test except=93.184.216.0/24", "93.184.217.1", "93.184.216.34"),
        # What is left out is left out in every disguise.
        ("fetch:https://a.test except=93.184.216.0/24", "64:ff9b::808:808", "64:ff9b::5db8:d822"),
        (
            "fetch:https://a.test net=10.0.0.0/8 except=10.1.0.0/16",
            "::ffff:10.2.0.1",
            "::ffff:10.1.0.1",
        ),
        ("fetch:https://a.test except=8.8.8.8/32", "2002:808:809::1", "2002:808:808::1"),
    ],
)
def test_where_a_name_may_lead(text: str, reached: str, kept_from: str) -> None:
    assert grant(text).keeps_from(ip_address(reached)) is None
    assert grant(text).keeps_from(ip_address(kept_from)) is not None


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("fetch:https://a.test", "fetch:https://*"),
        ("fetch:https://a.test", "fetch:*"),
        ("fetch:https://*.a.test", "fetch:https://*.test"),
        ("fetch:https://*.a.test", "fetch:https://a.*.test"),
        ("fetch:https://a.test net=private", "fetch:https://a.test net=public"),
        ("fetch:https://a.test net=10.0.0.0/8", "fetch:https://a.test net=10.0.0.1/8"),
        ("fetch:https://a.test net=::1/128", "fetch:https://a.test net="),
        ("fetch:https://a.test uses=0", "fetch:https://a.test uses=-1"),
        ("fetch:https://a.test ask=first", "fetch:https://a.test ask=never"),
        ("fetch:https://a.test rate=0/s", "fetch:https://a.test rate=10001/s"),
        ("fetch:https://a.test except=https://a.test/x", "fetch:https://a.test except=*.pem"),
        ("fetch:https://a.test except=10.0.0.0/8", "fetch:https://a.test except="),
        ("fetch:https://a.test except=10.0.0.0/8", "fetch:https://a.test except=10.0.0.1/8"),
        ("fetch:https://a.test", "fetch:https://a.test net"),
        ("secret:K@https://a.test", "secret:K@http://a.test"),
        ("secret:K@http://127.0.0.1", "secret:K@http://10.0.0.1"),
        ("secret:K@https://a.test", "secret:K@https://*.a.test"),
        ("secret:K@https://a.test", "secret:K@https://a.test/v1"),
        ("secret:K@https://a.test", "secret:K@https://[10.0.0.0/8]"),
        ("secret:K@https://a.test", "secret:K@https://a.test:1..2"),
        ("secret:K@https://a.test", "secret:K"),
        ("secret:K@https://a.test header=X-Key", "secret:K@https://a.test header=Host"),
        ("secret:K@https://a.test header=X-Key", "secret:K@https://a.test header=Proxy-A"),
        ("secret:K@https://a.test format={}", "secret:K@https://a.test format={}{}"),
        ("secret:K@https://a.test format={}", "secret:K@https://a.test format=x"),
        ('secret:K@https://a.test format="A {}"', 'secret:K@https://a.test format="\\n{}"'),
    ],
)
def test_a_grant_that_says_too_much_is_none(good: str, bad: str) -> None:
    assert grant(str(grant(good))) == grant(good)
    assert isinstance(parse_grant(bad), GrantError)


def test_a_child_of_a_child_is_judged_by_the_last_one(root: Callable[..., Authority]) -> None:
    top = root("fetch:https://*.a.test uses=3", "fetch:https://b.test net=private")
    middle = top.attenuate([grant("fetch:https://b.a.test uses=2")], id=AuthorityId("m"), now=0.0)
    assert isinstance(middle, Authority)
    for text, given in (
        ('fetch:"GET https://b.a.test" uses=2', True),
        ("fetch:https://b.a.test uses=3", False),
        ("fetch:https://c.a.test uses=1", False),
        ("fetch:https://b.test", False),
    ):
        leaf = middle.attenuate([grant(text)], id=AuthorityId("l"), now=0.0)
        assert isinstance(leaf, Authority) is given, text
        if isinstance(leaf, Authority):
            assert {g for g, _ in leaf.grants[0].counters} == {"l#0", "m#0", "root#0"}


@pytest.mark.parametrize(
    ("parent", "narrower", "elsewhere"),
    [
        ("", "header=Authorization", "header=User-Agent"),
        ("", 'format="Bearer {}"', "format=https://x/{}"),
        ("header=X-Key", "header=X-Key", ""),
        ('header=X-Key format="k {}"', 'header=X-Key format="k {}"', "header=X-Key"),
    ],
)
def test_a_child_sends_a_secret_the_way_its_parent_does(
    parent: str, narrower: str, elsewhere: str
) -> None:
    own, same, other = (
        parse_grant(f"secret:K@https://a.test {caveats}".strip())
        for caveats in (parent, narrower, elsewhere)
    )
    assert isinstance(own, Grant) and isinstance(same, Grant) and isinstance(other, Grant)
    assert (own.covers(same), own.covers(other)) == (True, False)
