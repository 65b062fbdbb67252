"""A request of a guest is read strictly, since its worker may be hostile; and its redirects."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.authority.web.places import FetchAccess
from capbox.broker.asked import Asked, parse_asked, redirect_of
from capbox.broker.errors import NetworkError
from capbox.broker.headers import Head
from capbox.broker.url import locate

GOOD: dict[str, Any] = {
    "method": "POST",
    "url": "https://a.test/x",
    "headers": [["Accept", "*/*"], ["Host", "evil.test"]],
    "redirects": 5,
    "decode": True,
}


def test_a_well_formed_request_is_read() -> None:
    asked = parse_asked(json.dumps(GOOD), b"body")
    assert asked == Asked("POST", "https://a.test/x", (("Accept", "*/*"),), b"body", 5, True)


@pytest.mark.parametrize(
    ("waits", "seconds"),
    [
        ({}, (math.inf, math.inf)),
        ({"timeout_ms": 1}, (0.001, math.inf)),
        ({"connect_timeout_ms": 2_500}, (math.inf, 2.5)),
        ({"timeout_ms": 60_000, "connect_timeout_ms": 1 << 40}, (60.0, (1 << 40) / 1000)),
    ],
)
def test_a_guest_may_say_how_long_it_waits(
    waits: dict[str, int], seconds: tuple[float, float]
) -> None:
    asked = parse_asked(json.dumps({**GOOD, **waits}), b"")
    assert (asked.seconds, asked.connect_seconds) == seconds
    there = asked.redirected(access("https://a.test/x"), 302, "https://b.test/")
    assert (there.seconds, there.connect_seconds) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "null", "[]", "1", '"x"', "{}", "[" * 100_000, "\0", "1e999", "9" * 5_000),
        *(json.dumps({k: v for k, v in GOOD.items() if k != missing}) for missing in GOOD),
        json.dumps({**GOOD, "proxy": "http://evil.test"}),
        json.dumps({**GOOD, "method": 1}),
        json.dumps({**GOOD, "url": None}),
        json.dumps({**GOOD, "url": ["https://a.test"]}),
        json.dumps({**GOOD, "headers": {"Accept": "x"}}),
        json.dumps({**GOOD, "headers": "Accept: x"}),
        json.dumps({**GOOD, "headers": [["Accept"]]}),
        json.dumps({**GOOD, "headers": [["Accept", "x", "y"]]}),
        json.dumps({**GOOD, "headers": [["Accept", 1]]}),
        json.dumps({**GOOD, "headers": ["ab"]}),
        json.dumps({**GOOD, "headers": [["Accept", "a\r\nb: c"]]}),
        json.dumps({**GOOD, "headers": [["X", "y"]] * 101}),
        json.dumps({**GOOD, "redirects": -1}),
        json.dumps({**GOOD, "redirects": 6}),
        json.dumps({**GOOD, "redirects": 1.0}),
        json.dumps({**GOOD, "redirects": "5"}),
        json.dumps({**GOOD, "redirects": None}),
        json.dumps({**GOOD, "redirects": True}),
        json.dumps({**GOOD, "decode": 1}),
        json.dumps({**GOOD, "decode": "true"}),
        *(
            json.dumps({**GOOD, name: wrong})
            for name in ("timeout_ms", "connect_timeout_ms")
            for wrong in (0, -1, 1.5, True, None, "1", [1], (1 << 40) + 1, 10**400)
        ),
        json.dumps({**GOOD, "timeout": 1}),
    ],
)
def test_anything_else_is_invalid(text: str) -> None:
    with pytest.raises(NetworkError) as error:
        parse_asked(text, b"")
    assert error.value.code == "invalid"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=6,
)


@given(st.text() | st.fixed_dictionaries(dict.fromkeys(GOOD, json_values)).map(json.dumps))
def test_no_frame_raises_anything_but_a_network_error(text: str) -> None:
    try:
        asked = parse_asked(text, b"")
    except NetworkError as error:
        assert error.code == "invalid"
    else:
        assert 0 <= asked.redirects <= 5


def access(url: str) -> FetchAccess:
    found = locate("GET", url)
    assert isinstance(found, FetchAccess)
    return found


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("POST", 303, "GET"),
        ("POST", 307, "POST"),
        ("POST", 308, "POST"),
        ("PUT", 301, "PUT"),
        ("DELETE", 302, "DELETE"),
        ("PUT", 303, "GET"),
        ("HEAD", 303, "HEAD"),
        ("GET", 307, "GET"),
    ],
)
def test_a_redirect_keeps_or_changes_the_method_as_browsers_do(
    method: str, status: int, then: str
) -> None:
    headers = (("Content-Type", "a"), ("Content-Language", "b"), ("X", "c"))
    asked = Asked(method, "https://a.test/x", headers, b"body", 3, True)
    there = asked.redirected(access("https://a.test/x"), status, "https://a.test/y")
    changed = then != method
    assert there == Asked(
        then,
        "https://a.test/y",
        headers[2:] if changed else headers,
        b"" if changed else b"body",
        2,
        True,
    )


@pytest.mark.parametrize(
    ("url", "keeps"),
    [
        ("https://a.test/y", True),
        ("https://b.test/y", False),
        ("http://a.test/y", False),
        ("https://a.test:8443/y", False),
        ("https://a.test.evil.test/y", False),
        ("https://a.test@evil.test/y", False),
        ("https://b.a.test/y", False),
        ("https://a.test:443@evil.test/", False),
    ],
)
def test_credentials_stay_with_their_origin(url: str, keeps: bool) -> None:
    headers = (("Authorization", "a"), ("Cookie", "b"), ("X-Api-Key", "c"), ("Accept", "d"))
    asked = Asked("GET", "https://a.test/x", headers, b"", 3, True)
    there = asked.redirected(access("https://a.test/x"), 302, url)
    assert there.headers == (headers if keeps else headers[3:])


def test_only_a_redirect_with_a_location_redirects() -> None:
    here = access("https://a.test/x")
    for status in (301, 302, 303, 307, 308):
        head = Head(status, "", ((b"Location", b"/y"),))
        assert redirect_of(head, here) == "https://a.test/y"
        assert redirect_of(Head(status, "", ()), here) is None
    for status in (200, 201, 300, 304, 305, 306, 404):
        assert redirect_of(Head(status, "", ((b"Location", b"/y"),)), here) is None
    with pytest.raises(NetworkError) as error:
        redirect_of(Head(302, "", ((b"Location", b"http://[::1"),)), here)
    assert error.value.code == "redirects"
