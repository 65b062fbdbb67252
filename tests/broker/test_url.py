"""Every spelling of a host ends at exactly that host, or at a refusal; what is matched is sent."""

from __future__ import annotations

from urllib.parse import urlsplit

import can_ada
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capbox.authority.parse import parse_grant
from capbox.authority.web.places import FetchAccess, FetchSelector, Origin, parse_fetch
from capbox.broker.url import URL_CHARACTERS_MAX, Unreachable, joined, locate


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("https://a.test", Origin("https", "a.test", 443), "/"),
        ("https://a.test:443/x?y#z", Origin("https", "a.test", 443), "/x?y"),
        ("http://a.test:8080?y", Origin("http", "a.test", 8080), "/?y"),
        ("http://127.0.0.1/", Origin("http", "127.0.0.1", 80), "/"),
        ("http://[::1]:81/", Origin("http", "[::1]", 81), "/"),
        ("https://xn--bcher-kva.test/", Origin("https", "xn--bcher-kva.test", 443), "/"),
        ("https://a_b.test/", Origin("https", "a_b.test", 443), "/"),
        ("https://a.test/a*b?*", Origin("https", "a.test", 443), "/a%2Ab?%2A"),
        ("https://a.test/\u00e9?\u00e9", Origin("https", "a.test", 443), "/%C3%A9?%C3%A9"),
        ('https://a.test/"<>?"<>', Origin("https", "a.test", 443), "/%22%3C%3E?%22%3C%3E"),
        ("https://a.test/?", Origin("https", "a.test", 443), "/"),
        ("https://a.test//b.test/", Origin("https", "a.test", 443), "//b.test/"),
        ("https://a.test/x@b.test", Origin("https", "a.test", 443), "/x@b.test"),
        ("https://a.test?@b.test/", Origin("https", "a.test", 443), "/?@b.test/"),
    ],
)
def test_a_plain_url_is_what_it_says(url: str, origin: Origin, target: str) -> None:
    access = locate("GET", url)
    assert isinstance(access, FetchAccess)
    assert (access.origin, access.target, access.doubt) == (origin, target, None)


SPELLINGS = {
    "numeric": ["2130706433", "0x7f000001", "0x7F000001", "017700000001", "1", "0", "4294967295"],
    "octal and hex": ["0177.0.0.1", "0x7f.0.0.1", "127.0.0.0x1", "127.0.0.01", "0300.0250.0.1"],
    "short": ["127.1", "127.0.1", "10.1", "1.2.3", "0.0", "127.0.0.1.", "127.0.0.1.2"],
    "overflow": ["256.0.0.1", "127.0.0.257", "4294967296", "999999999999999"],
    "fullwidth and circled": [
        *("\uff11\uff12\uff17.0.0.1", "\u2460\u2461\u2466.0.0.1", "\uff41.test"),
        *("a\u3002test", "a\uff0etest", "a\uff61test", "\u24d0.test", "\u1d43.test", "\u2100.test"),
    ],
    "IDNA": [
        *("b\u00fccher.test", "xn--a.test", "fa\u00df.test"),
        *("\u0430.test", "a\u00adb.test", "a\u200bb.test", "a\u200db.test", "XN--A.test"),
    ],
    "dots": ["a.test.", ".a.test", "a..test", ".", "..", "a.test..", "\u2024test", "a.test%2e"],
    "case": ["A.test", "a.TEST", "LOCALHOST", "K.test", "\u212a.test", "\u0130.test"],
    "percent": ["%61.test", "a%2etest", "%31%32%37.0.0.1", "a.test%00", "a.test%0d%0a", "a%5cb"],
    "userinfo": ["u@a.test", "u:p@a.test", "@a.test", "a.test@b.test", "a.test:80@b.test"],
    "NUL and spaces": ["a.test\0", "\0a.test", "a\0.test", "a.test ", " a.test", "a.test\xa0"],
    "tab and newline": ["a\t.test", "a.test\n", "a.te\rst", "a.test\x7f", "a.test\x1f"],
    "backslash": ["a.test\\", "a.test\\@b.test", "\\a.test", "a.test\\.b.test", "a\\b.test"],
    "brackets": [
        *("[::1", "::1]", "::1", "[]", "[127.0.0.1]", "[::1]a", "a[::1]", "[::1].test", "[a.test]"),
        *("[::1%25lo]", "[::1%lo]", "[fe80::1%eth0]", "[0::1]", "[::01]", "[::FFFF:a]", "[v1.a]"),
        *("[::127.0.0.1]", "[::ffff:127.0.0.1]", "[1::2::3]", "[0:0:0:0:0:0:0:1]"),
    ],
    "ports": [
        *("a.test:", "a.test:0", "a.test:0080", "a.test:65536", "a.test: 80", "a.test:80 "),
        *("a.test:+80", "a.test:-1", "a.test:8_0", "a.test:\uff18\uff10", "a.test:80:80", ":80"),
        *("a.test:0x50", "a.test:999999999999", "a.test:80@", "a.test:\u0661"),
    ],
    "nothing": ["", "_.", "-a.test", "a-.test", "*", "*.test", "a,b", "a;b", "a|b", "a^b", "a%b"],
    "direction": ["\u202ea.test", "a\u2066.test", "\ufeffa.test", "a.test\u2028", "\ud800.test"],
    "long": ["a" * 64 + ".test", ".".join(["a" * 60] * 5)],
}  # fmt: skip


@pytest.mark.parametrize("kind", SPELLINGS)
def test_no_other_spelling_of_a_host_is_read(kind: str) -> None:
    for host in SPELLINGS[kind]:
        for scheme in ("http", "https"):
            found = locate("GET", f"{scheme}://{host}/")
            assert isinstance(found, Unreachable), (host, found)


@pytest.mark.parametrize(
    "url",
    [
        *("", "a.test", "//a.test/", "/x", "https:a.test", "https:/a.test", "https:///a.test"),
        *("https:\\\\a.test", "https:\\a.test", "https://a.test\\x", " https://a.test"),
        *("HTTPS://a.test", "hTtp://a.test", "http\t://a.test", "ht\ntp://a.test", "https//a.test"),
        *("ftp://a.test", "file:///etc/passwd", "file://a.test/x", "javascript:alert(1)"),
        *("data:text/plain,x", "gopher://a.test", "ws://a.test", "wss://a.test", "blob:https://a"),
        *("view-source:https://a.test", "jar:http://a.test!/", "unix:///run/x", "http+unix://x"),
        *(
            "https://a.test/a b",
            "https://a.test/\x00",
            "https://a.test/\u202e",
            "https://a.test/\t",
        ),
        *("https://a.test/\u2028", "https://a.test/\ud800", "https://a.test/\xa0"),
        "https://a.test/" + "a" * URL_CHARACTERS_MAX,
    ],
)
def test_what_is_no_absolute_web_address_is_refused(url: str) -> None:
    assert isinstance(locate("GET", url), Unreachable)


def test_a_password_in_a_url_is_not_told() -> None:
    for url in ("https://u:hunter2@a.test/x@y", "https://u:hunter2@a.test\\x", "ftp://u:hunter2@a"):
        found = locate("GET", url)
        assert isinstance(found, Unreachable)
        assert "hunter2" not in found.url and "//***@a" in found.url


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("GET", "get"),
        ("PROPFIND", "CONNECT"),
        ("A" * 16, "A" * 17),
        ("DELETE", "TRACE"),
        ("PUT", "GET "),
        ("PATCH", "GET / HTTP/1.1\r\nX:"),
        ("OPTIONS", ""),
        ("POST", "TRACK"),
        ("HEAD", "\uff27ET"),
    ],
)
def test_a_method_is_one_word_that_may_be_granted(good: str, bad: str) -> None:
    assert isinstance(locate(good, "https://a.test"), FetchAccess)
    assert isinstance(locate(bad, "https://a.test"), Unreachable)


@pytest.mark.parametrize(
    ("location", "leads"),
    [
        ("/x", "https://a.test/x"),
        ("x", "https://a.test/v1/x"),
        ("../x", "https://a.test/x"),
        ("?q", "https://a.test/v1/p?q"),
        ("", "https://a.test/v1/p?k=v"),
        ("#frag", "https://a.test/v1/p?k=v"),
        ("//evil.test/x", "https://evil.test/x"),
        ("\\\\evil.test/x", "https://evil.test/x"),
        ("/\\evil.test", "https://evil.test/"),
        ("https:evil", "https://a.test/v1/evil"),
        ("http:evil.test", "http://evil.test/"),
        ("HTTP://EVIL.test:80", "http://evil.test/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://u:p@evil.test", "http://u:p@evil.test/"),
        ("file:///etc/passwd", "file:///etc/passwd"),
        ("javascript:x", "javascript:x"),
        ("a b", "https://a.test/v1/a%20b"),
        ("http://[::1", None),
        ("http://a:99999/", None),
        ("/\x00", None),
        ("/\u202e", None),
        ("/" + "a" * URL_CHARACTERS_MAX, None),
    ],
)
def test_a_location_is_read_as_browsers_do(location: str, leads: str | None) -> None:
    assert joined("https://a.test/v1/p?k=v", location) == leads


def test_where_a_location_leads_is_judged_like_any_url() -> None:
    base = "https://a.test/"
    refused = ("file:///etc/passwd", "javascript:x", "http://u:p@evil.test", "http://evil.test./")
    for location in refused:
        assert isinstance(locate("GET", str(joined(base, location))), Unreachable), location
    access = locate("GET", str(joined(base, "http://0x7f.1/")))
    assert isinstance(access, FetchAccess) and access.origin.host == "127.0.0.1"


nasty = st.one_of(
    st.sampled_from([host for hosts in SPELLINGS.values() for host in hosts]),
    st.text("aA.1:@/\\?#[]%0x\t\n \0-_*\u3002\uff0f\u2460\u00ad\u0660", max_size=12),
    st.from_regex(r"[a-z0-9._-]{1,12}(:[0-9]{0,6})?", fullmatch=True),
)
urls = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["http://", "https://", "HTTPS://", "https:/", "https:", "//", "ftp://"]),
        nasty,
        st.sampled_from(["", "/", "\\", "?", "#", "@", ":80", "/..", "//x", "/%2e"]),
        nasty | st.just(""),
    ),
)


@settings(max_examples=1_500)
@given(urls)
@example("https://a.test:80@b.test/")
@example("http://127.0.0.1:11211:80/")
@example("http://a.test#@b.test/")
@example("http://a.test?@b.test/")
@example("http://a.test/\u2100\u2100@b.test")
def test_whoever_reads_it_reads_the_same_host(url: str) -> None:
    found = locate("GET", url)
    if isinstance(found, Unreachable):
        return
    whatwg, rfc3986 = can_ada.parse(url), urlsplit(url)
    assert found.origin.host == whatwg.hostname
    assert found.origin.host.strip("[]") == rfc3986.hostname
    assert found.origin.scheme == rfc3986.scheme == whatwg.protocol[:-1]
    assert found.origin.port == (rfc3986.port or {"http": 80, "https": 443}[rfc3986.scheme])
    # What is sent reads back as itself: nothing is left that a second reading would change.
    again = locate("GET", found.url)
    assert isinstance(again, FetchAccess)
    assert (again.origin, again.path, again.query) == (found.origin, found.path, found.query)
    assert found.target.isascii() and found.target.isprintable() and " " not in found.target


GRANT = parse_fetch("GET https://a.test/v1/*?*")


@settings(max_examples=1_500)
@given(st.text("av1./%2efFcC0\\;?#:@*u\u3002\uff0e", max_size=20))
def test_no_path_leads_out_of_a_granted_one(rest: str) -> None:
    found = locate("GET", f"https://a.test/v1/{rest}")
    assert isinstance(GRANT, FetchSelector)
    if isinstance(found, Unreachable) or not GRANT.selects(found):
        return
    resolved = can_ada.parse("https://a.test") + found.target
    assert resolved.hostname == "a.test"
    assert resolved.pathname.startswith("/v1/") and ".." not in resolved.pathname.split("/")
    grant = parse_grant(found.missing)
    assert grant.selector.selects(found)  # type: ignore[union-attr]
