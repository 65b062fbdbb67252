"""Which requests a grant selects: spellings, paths with two readings, and parts that differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from capbox.authority.caveats import ExceptPlaces
from capbox.authority.parse import parse_caveat, parse_grant
from capbox.authority.web.places import (
    ANY_HOST,
    FetchAccess,
    FetchSelector,
    Origin,
    doubt_of,
    is_host_name,
    is_loopback,
    parse_fetch,
    parse_origin,
    reading_of,
)


def selector(text: str) -> FetchSelector:
    found = parse_fetch(text)
    assert isinstance(found, FetchSelector), found
    return found


def request(text: str) -> FetchAccess:
    """Read `METHOD URL` as the broker would, for URLs that are plain already."""
    method, _, url = text.rpartition(" ")
    scheme, _, rest = url.partition("://")
    authority, slash, target = rest.partition("/")
    host, colon, port = authority.rpartition(":") if not authority.endswith("]") else ("", "", "")
    path, _, query = f"{slash}{target}".partition("?")
    place = Origin(scheme, host if colon else authority, int(port) if colon else 443)
    return FetchAccess(method or "GET", place, path or "/", query, doubt_of(path))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("https://A.Test:443", "https://a.test"),
        ("http://a.test:80/", "http://a.test/"),
        ("https://a.test:0443", "https://a.test"),
        ("https://a.test:1..65535", "https://a.test:1..65535"),
        ("POST,GET,GET https://a.test", "GET,POST https://a.test"),
        ("https://a.test?a=1", "https://a.test/?a=1"),
        ("https://a.test/?", "https://a.test/"),
        ("https://a.test:8000..8000", "https://a.test:8000"),
        ("https://[2A00::1]", "https://[2a00::1]"),
        ("http://[10.0.0.0/8]:1..9/x/*?*", "http://[10.0.0.0/8]:1..9/x/*?*"),
    ],
)
def test_a_selector_prints_canonically(text: str, canonical: str) -> None:
    assert selector(text).text == canonical
    assert selector(canonical) == selector(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "a.test", "//a.test", "ftp://a.test", "HTTPS://a.test", "https://", "https:///x"),
        *("https://a.test:0", "https://a.test:65536", "https://a.test:9..8", "https://a.test:"),
        *("https://u@a.test", "https://u:p@a.test", "https://a.test#x", "https://a.test/#x"),
        *("https://a.test.", "https://a..test", "https://-a.test", "https://a-.test"),
        *("https://127.1", "https://0x7f.0.0.1", "https://2130706433", "https://0177.0.0.1"),
        *("https://127.0.0.01", "https://1.2.3", "https://a.1", "https://a.0x7f"),
        *("https://[127.0.0.1]", "https://::1", "https://[::1%25lo]", "https://[0:0::1]"),
        *("https://*", "https://*.*.a.test", "https://a*.test", "https://*a.test", "https://a.*"),
        *("https://b\u00fccher.test", "https://%61.test", "https://a\\b.test", "https://a test"),
        *("https://[10.0.0.1/8]", "https://[10.0.0.0/33]", "https://[::/129]", "https://[]"),
        *("get https://a.test", "GET  https://a.test", ",GET https://a.test", "GET, https://a.test"),
        *("ANY https://a.test", "ALL https://a.test", "* https://a.test", "GET,ANY https://a.test"),
        *("CONNECT https://a.test", "TRACE https://a.test", "GET,TRACK https://a.test"),
        *("https://a.test/*/x", "https://a.test/x*", "https://a.test/x/**", "https://a.test/a b"),
        *("https://a.test/../x", "https://a.test/%2e%2e/x", "https://a.test/a%2fb", "https://a.test/\\"),
        *("https://*.127.1", "https://*.-a.test", "https://*.a..test", "https://a.test/?<", "https://a.test/?\u00e9"),
        *("https://a.test/?a b", "https://a.test/?*&a", "https://a.test/\u00e9"),
    ],
)  # fmt: skip
def test_what_is_not_canonical_or_says_too_much_is_no_selector(text: str) -> None:
    found = parse_fetch(text)
    # `?*&a` is a query that holds a star as it is, and nothing more.
    assert isinstance(found, str) or found.query == "*&a"


@pytest.mark.parametrize(
    ("text", "selected", "other"),
    [
        ("https://a.test", "GET https://a.test/x?y", "GET https://b.test/x?y"),
        ("https://a.test", "PUT https://a.test/", "GET http://a.test:443/"),
        ("GET https://a.test", "GET https://a.test/", "HEAD https://a.test/"),
        ("https://a.test:8443", "https://a.test:8443/", "https://a.test/"),
        ("https://a.test:1..3", "https://a.test:3/", "https://a.test:4/"),
        ("https://a.test:2..9", "https://a.test:2/", "https://a.test:1/"),
        ("https://a.test/v1/*", "https://a.test/v1/a/b", "https://a.test/v1"),
        ("https://a.test/v1/*", "https://a.test/v1/", "https://a.test/v10/a"),
        ("https://a.test/v1/*", "https://a.test/v1/a", "https://a.test/v1/a?b"),
        ("https://a.test/v1/*?*", "https://a.test/v1/a?b", "https://a.test/v2/a?b"),
        ("https://a.test/v1", "https://a.test/v1", "https://a.test/v1/"),
        ("https://a.test/v1", "https://a.test/v1", "https://a.test/V1"),
        ("https://a.test/v1?a=1", "https://a.test/v1?a=1", "https://a.test/v1?a=1&b=2"),
        ("https://a.test/v1?*", "https://a.test/v1?z", "https://a.test/v1/?z"),
        ("https://a.test/?*", "https://a.test/?q", "https://a.test/x?q"),
        ("https://*.a.test", "https://b.a.test/", "https://a.test/"),
        ("https://*.a.test", "https://b.a.test/", "https://c.b.a.test/"),
        ("https://*.a.test", "https://xn--a.a.test/", "https://ba.test/"),
        ("https://a.test", "https://a.test/", "https://xa.test/"),
        ("https://a.test", "https://a.test/", "https://a.test.evil.test/"),
        ("https://[10.0.0.0/8]", "https://10.9.9.9/", "https://11.0.0.1/"),
        ("https://[10.0.0.0/8]", "https://10.9.9.9/", "https://[::ffff:a00:1]/"),
        ("https://[::1]", "https://[::1]/", "https://[::2]/"),
        # A path with two readings is covered by its whole origin alone.
        ("https://a.test", "https://a.test/v1/..%2fadmin", "https://b.test/v1/..%2fadmin"),
        ("https://a.test/v1/*?*", "https://a.test/v1/x", "https://a.test/v1/..%2fadmin"),
        ("https://a.test/v1/*?*", "https://a.test/v1/x;y", "https://a.test/v1/..;/admin"),
        ("https://a.test/v1/*?*", "https://a.test/v1/%41", "https://a.test/v1/%u002e%u002e/admin"),
    ],
)
def test_a_selector_selects_by_parts(text: str, selected: str, other: str) -> None:
    assert selector(text).selects(request(selected))
    assert selector(text).key in request(selected).keys
    assert not selector(text).selects(request(other))


@pytest.mark.parametrize(
    ("plain", "doubtful"),
    [
        ("/a/b", "/a/../b"),
        ("/a/...", "/a/."),
        ("/a/b..", "/a/%2e%2e/b"),
        ("/a/.b", "/a/.%2E/b"),
        ("/a;b/c", "/a/..;b/c"),
        ("/a%20b", "/a%2fb"),
        ("/a%3Bb", "/a%2Fb"),
        ("/a%25b", "/a%252fb"),
        ("/a%41", "/a%25252fb"),
        ("/a%252541", "/a%25252541"),
        ("/a|b", "/a\\b"),
        ("/a%7cb", "/a%5cb"),
        ("/a%01", "/a%00"),
        ("/a%C3%A9", "/a%C3"),
        ("/a%e2%82%ac", "/a%c0%af"),
        ("/a%", "/a%252525252e"),
        ("/%zz", "/%u002e%u002e/b"),
        ("/u002e", "/a%u2215b"),
        ("/100%25", "/a%25u002e"),
    ],
)
def test_a_path_that_a_server_might_read_otherwise_is_doubtful(plain: str, doubtful: str) -> None:
    assert doubt_of(plain) is None
    assert doubt_of(doubtful) is not None


@pytest.mark.parametrize(
    ("left_out", "outside", "inside"),
    [
        ("https://a.test/x/*?*", "https://a.test/y", "https://a.test/x/y?z"),
        ("https://a.test/x/*", "https://a.test/y", "https://a.test/x/y"),
        ("POST https://a.test", "GET https://a.test/", "POST https://a.test/"),
        ("https://*.a.test", "https://a.test/", "https://b.a.test/"),
        # Such a path might be any on its host.
        ("https://a.test/x/*", "https://a.test/y%20z", "https://a.test/y/..%2fx"),
        ("https://a.test/x/*", "https://b.test/y/..%2fx", "https://a.test/%2e%2e/x"),
        # A query does not bring back what is left out.
        ("https://a.test/x", "https://a.test/y?x", "https://a.test/x?y"),
        ("https://a.test/x/*", "https://a.test/y?x/", "https://a.test/x/y?z"),
        ("https://a.test/x?a=1", "https://a.test/x?a=2", "https://a.test/x?a=1"),
        ("https://a.test/x", "https://a.test/x/y", "https://a.test/X/"),
        ("https://a.test/*", "https://b.test/", "https://a.test/x"),
    ],
)
def test_a_place_is_left_out_with_any_query(left_out: str, outside: str, inside: str) -> None:
    caveat = parse_caveat("fetch", "except", left_out)
    assert isinstance(caveat, ExceptPlaces)
    assert not caveat.leaves_out(request(outside))
    assert caveat.leaves_out(request(inside))


@pytest.mark.parametrize(
    ("name", "number"),
    [("a.test", "127.1"), ("1.a", "a.1"), ("0x7f.a", "0x7f"), ("a_b", "a.0x"), ("ab", "a" * 64)],
)
def test_no_resolver_takes_a_host_name_for_a_number(name: str, number: str) -> None:
    assert is_host_name(name) and not is_host_name(number)


def test_a_host_name_is_no_longer_than_dns_has_it() -> None:
    longest, longer = (".".join(["a" * 63] * 3 + ["a" * last]) for last in (61, 62))
    assert (len(longest), is_host_name(longest)) == (253, True)
    assert (len(longer), is_host_name(longer)) == (254, False)


@pytest.mark.parametrize(
    ("here", "elsewhere"),
    [
        ("localhost", "localhost.test"),
        ("a.localhost", "a-localhost"),
        ("127.9.9.9", "128.0.0.1"),
        ("[::1]", "[::2]"),
    ],
)
def test_a_host_may_name_this_machine_by_itself(here: str, elsewhere: str) -> None:
    assert is_loopback(here) and not is_loopback(elsewhere)


@pytest.mark.parametrize(
    ("path", "reading"),
    [
        ("/Admin;x=1//Users/", "/admin/users"),
        ("/%61%2Fb", "/a/b"),
        ("/;x/", ""),
        ("/", ""),
    ],
)
def test_the_most_lenient_server_reads_a_path_so(path: str, reading: str) -> None:
    assert reading_of(path) == reading


@pytest.mark.parametrize(
    ("place", "url", "lasting"),
    [
        (
            FetchAccess("GET", Origin("https", "a.test", 443), "/x", "y=1"),
            "https://a.test/x?y=1",
            "https://a.test",
        ),
        (
            FetchAccess("PUT", Origin("http", "a.test", 443), "/"),
            "http://a.test:443/",
            "http://a.test:443",
        ),
        (FetchAccess("GET", Origin("http", "[::1]", 80), "/"), "http://[::1]/", "http://[::1]"),
    ],
)
def test_a_request_is_told_by_method_and_url(place: FetchAccess, url: str, lasting: str) -> None:
    assert (place.url, str(place)) == (url, f"fetch {place.method} {url}")
    assert place.missing == f'fetch:"{place.method} {url}"'
    assert place.lasting == f'fetch:"{place.method} {lasting}"'
    doubtful = replace(place, doubt="two readings")
    assert doubtful.missing == place.lasting
    assert (place.caution, doubtful.caution) == (None, "two readings")


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("https://a.test", "https://a.test/"),
        ("http://127.0.0.1:8080", "http://[127.0.0.0/8]"),
        ("https://[::1]", "GET https://[::1]"),
        ("https://a.test:8000..8000", "https://a.test:8000..8001"),
        ("https://a.test:8000", "https://a.test?*"),
        ("https://a.test:8000", "a.test:8000"),
        ("https://a.test:443", "https://*.a.test"),
    ],
)
def test_an_origin_is_exactly_one(text: str, other: str) -> None:
    found = parse_origin(text)
    assert isinstance(found, Origin)
    assert parse_origin(str(found)) == found
    assert isinstance(parse_origin(other), str)


ceiling = replace(selector("https://x.test"), host=ANY_HOST)


@pytest.mark.parametrize(
    ("child", "other"),
    [
        ("https://a.test", "http://a.test"),
        ("https://*.a.test", "https://a.test:8443"),
        ("GET https://a.test/x", "https://10.0.0.1"),
        ("https://8.8.8.8", "https://127.0.0.1"),
        ("https://[2a00::1]", "https://[::1]"),
        ("https://8.8.8.8", "https://[8.8.8.0/24]"),
    ],
)
def test_a_ceiling_for_every_host_is_for_public_ones(child: str, other: str) -> None:
    assert ceiling.includes(selector(child))
    assert not ceiling.includes(selector(other))


@pytest.mark.parametrize(
    ("host", "other"),
    [("a.test", "10.0.0.1"), ("8.8.8.8", "169.254.169.254"), ("[2a00::1]", "[::1]")],
)
def test_a_ceiling_for_every_host_selects_public_ones(host: str, other: str) -> None:
    access = request(f"https://{host}/")
    assert ceiling.selects(access) and ceiling.key in access.keys
    assert not ceiling.selects(request(f"https://{other}/"))


def test_what_a_selector_leaves_open_is_left_open() -> None:
    whole = FetchSelector((), "https", "a.test", (443, 443), None, False, None, None)
    assert selector("https://a.test") == whole
    assert selector("GET https://a.test/x/*") == replace(
        whole, methods=("GET",), path="/x/", below=True, query=""
    )


hosts = st.sampled_from(["a.test", "b.a.test", "c.b.a.test", "10.0.0.1", "[::1]", "localhost"])
paths = st.sampled_from(["/", "/v1", "/v1/", "/v1/a", "/v1/a/b", "/v10", "/v1/..%2fa", "/V1/a"])
accesses = st.builds(
    lambda method, scheme, host, port, path, query: FetchAccess(
        method, Origin(scheme, host, port), path, query, doubt_of(path)
    ),
    st.sampled_from(["GET", "HEAD", "POST"]),
    st.sampled_from(["http", "https"]),
    hosts,
    st.sampled_from([80, 443, 8080]),
    paths,
    st.sampled_from(["", "a=1", "a=1&b=2", "%2A"]),
)


@given(accesses, accesses)
def test_what_differs_from_a_grant_in_any_part_is_not_selected(
    one: FetchAccess, other: FetchAccess
) -> None:
    assume(one.doubt is None)
    exact = selector(one.selector)
    assert exact.selects(one)
    parts = ("method", "origin", "path", "query", "doubt")
    same = all(getattr(one, part) == getattr(other, part) for part in parts)
    assert exact.selects(other) is same


@given(accesses)
def test_the_missing_grant_is_one_that_selects_it(access: FetchAccess) -> None:
    for text in (access.missing, access.lasting):
        grant = parse_grant(text)
        assert grant == parse_grant(str(grant))
        assert isinstance(grant.selector, FetchSelector)  # type: ignore[union-attr]
        assert grant.selector.selects(access)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("https://a.example uses=1", "a grant with caveats is fetch:URL uses=1"),
        ("get https://a.example", "methods are written in capitals"),
        ("GET", 'a method is quoted with its URL: "GET https://HOST"'),
        ("a.example", "begins with neither http:// nor https://"),
        ("HTTP://a.example", "begins with neither http:// nor https://"),
        ("https://u:p@a.example", "without user and password"),
        ("http://a.example/@#x", "without #FRAGMENT"),
        ("https://*", "* alone names every host, which no grant does"),
        ("https://a.example/?<", "a query in a grant is percent-encoded"),
        ("https://b\u00fccher.example", "a host is written in ASCII, as xn--..."),
    ],
)
def test_what_is_wrong_with_a_selector_is_said(text: str, hint: str) -> None:
    found = parse_fetch(text)
    assert isinstance(found, str) and hint in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("TRACE https://a.test", "'TRACE' is no method that can be granted"),
        ("https://a.test:", "fetch: takes [METHOD,...] http(s)://HOST[:PORT][/PATH]"),
    ],
)
def test_no_hint_is_given_that_does_not_apply(text: str, said: str) -> None:
    assert parse_fetch(text) == said


@pytest.mark.parametrize(
    ("host", "warned"),
    [
        ("169.254.169.254", True),
        ("[fd00:ec2::254]", True),
        ("[::ffff:a9fe:a9fe]", True),
        ("[64:ff9b::a9fe:a9fe]", True),
        ("[2002:a9fe:a9fe::]", True),
        ("169.254.1.1", False),
        ("10.0.0.1", False),
        ("a.example", False),
    ],
)
def test_who_hands_out_the_keys_of_a_machine_is_told_apart(host: str, warned: bool) -> None:
    caution = FetchAccess("GET", Origin("http", host, 80), "/latest").caution
    assert (caution is not None and "keys of a machine in a cloud" in caution) is warned
