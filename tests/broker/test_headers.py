"""What a guest may say in headers, what is dropped, and what comes in."""

from __future__ import annotations

import pytest

from capbox.broker.errors import NetworkError
from capbox.broker.headers import (
    HEADERS_CHARACTERS_MAX,
    HEADERS_MAX,
    Head,
    first,
    incoming,
    outgoing,
    without_credentials,
    without_reshaping,
)

DROPPED = (
    *("Host", "host", "HOST", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive"),
    *("TE", "Trailer", "Upgrade", "Expect", "Accept-Encoding", "HTTP2-Settings", "Via"),
    *("Forwarded", "Proxy-Authorization", "Proxy-Connection", "proxy-anything", "Sec-Fetch-Site"),
    # Servers take these for another method, path, host or client.
    *("X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Host"),
    *("X-Forwarded-For", "X-Real-IP", "Destination"),
)


@pytest.mark.parametrize("name", DROPPED)
def test_what_frames_or_routes_a_message_is_dropped(name: str) -> None:
    given = [(name, "x"), (name.replace("-", "_"), "x"), ("Accept", "x"), ("Y-" + name, "y")]
    assert outgoing(given) == (("Accept", "x"), ("Y-" + name, "y"))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (("X-A", "b"), ("X-A", "b\r\nX-Evil: 1")),
        (("X-A", "b c\td"), ("X-A", "b\nc")),
        (("X-A", ""), ("", "b")),
        (("X-A", "\xe9\xff"), ("X-A", "\u0100")),
        (("x!#$%&'*+.^_`|~-a", "b"), ("X A", "b")),
        (("X-A", ":"), ("X:A", "b")),
        (("X-A", "b"), ("X-A\r\nHost", "b")),
        (("X-A", "b"), ("X-A", "b\0")),
        (("X-A", "b"), ("X-A", "\x7f")),
        (("X-A", "b"), ("Host\0", "b")),
        (("X-A", "b"), ("Host ", "b")),
        (("X-A", "b"), (" Host", "b")),
        (("X-A", "b"), ("X-\u00c4", "b")),
        (("a" * 128, "b"), ("a" * 129, "b")),
    ],
)
def test_a_header_ends_no_line(good: tuple[str, str], bad: tuple[str, str]) -> None:
    assert outgoing([good]) == (good,)
    with pytest.raises(NetworkError, match="not a header"):
        outgoing([bad])


def test_headers_are_bounded_in_number_and_size() -> None:
    assert len(outgoing([("X", "")] * HEADERS_MAX)) == HEADERS_MAX
    assert outgoing([("X", "a" * (HEADERS_CHARACTERS_MAX - 1))])
    for many in ([("X", "")] * (HEADERS_MAX + 1), [("X", "a" * HEADERS_CHARACTERS_MAX)]):
        with pytest.raises(NetworkError, match="too many"):
            outgoing(many)


CREDENTIALS = (
    *("authorization", "cookie", "x-api-key", "x_api_key", "x-auth-token", "x-vault-token"),
    *("apikey", "x-shopify-access-token", "private-token", "x-amz-security-token", "x-session"),
)


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_guests_own_credentials_go_where_a_secret_goes_in(name: str) -> None:
    kept = (("Accept", "a"), ("X-Trace", "b"))
    assert without_credentials((*kept, (name.upper(), "x"), (name, "y"))) == kept
    assert without_credentials((*kept, ("X-Mine", "z")), also=["x-mINE"]) == kept


@pytest.mark.parametrize("name", ["Range", "if_range", "ACCEPT-CHARSET"])
def test_what_would_disguise_an_echo_does_not_go_out(name: str) -> None:
    assert without_reshaping((("Accept", "a"), (name, "x"))) == (("Accept", "a"),)


def test_what_is_about_the_connection_does_not_come_in() -> None:
    sent = [(b"Content-Type", b"a"), (b"Connection", b"close"), (b"Transfer-Encoding", b"chunked")]
    sent += [(b"Alt-Svc", b"h3"), (b"Content-Encoding", b"gzip"), (b"Content-Length", b"9")]
    sent += [(b"X", b"\xe9")]
    raw = (("Content-Type", "a"), ("Content-Encoding", "gzip"), ("Content-Length", "9"))
    assert incoming(sent, decoded=False) == (*raw, ("X", "\xe9"))
    assert incoming(sent, decoded=True) == (raw[0], ("X", "\xe9"))
    assert first(Head(200, "", tuple(sent)).texts, "x") == "\xe9"
    assert first((), "x") is None
