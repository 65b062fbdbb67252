"""Which headers of a guest go out, and which of a server's come in.

Guarantees: nothing that frames, routes or upgrades a message is a guest's to say; no name or value
can end a line; where the broker adds a credential, the guest's own credentials and cookies go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from capbox.broker.errors import NetworkError

Headers = tuple[tuple[str, str], ...]

HEADERS_MAX = 100
HEADERS_CHARACTERS_MAX = 32_768
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_FRAMING = frozenset(
    {
        *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "te"),
        *("trailer", "upgrade", "expect", "accept-encoding", "http2-settings", "via", "forwarded"),
        # What servers and those before them take for another method, path, host or client.
        *("x-http-method", "x-http-method-override", "x-method-override", "x-original-url"),
        *("x-rewrite-url", "x-original-host", "x-host", "x-real-ip", "x-client-ip", "client-ip"),
        *("true-client-ip", "cf-connecting-ip", "x-cluster-client-ip", "destination"),
    }
)
_FRAMING_PREFIXES = ("proxy-", "sec-", "x-forwarded", "x-envoy-", "x-middleware-")
# With a secret for the origin these are not a guest's to give: whoever holds a key of his own for
# a host that many share would send data to himself (the "Cowork" exfiltration of 2026-01).
_CREDENTIAL = re.compile(
    r"auth|cookie|key|token|secret|session|password|passwd|credential|signature|jwt|csrf|x-amz-"
)
# Of an answer in pieces or a charset that the guest chooses, an echo of the secret is not found.
_RESHAPING = frozenset({"range", "if-range", "accept-charset"})
_HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"),
        *("proxy-authenticate", "proxy-connection", "alt-svc", "clear-site-data"),
    }
)


@dataclass(frozen=True, slots=True)
class Head:
    """The status line and headers of a response, as the server sent them."""

    status: int
    reason: str
    headers: tuple[tuple[bytes, bytes], ...]

    @property
    def texts(self) -> Headers:
        """Return the headers as text."""
        return tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in self.headers)


def outgoing(given: Iterable[tuple[str, str]]) -> Headers:
    """Return the guest's headers that may be sent. Raises NetworkError for one that is none."""
    headers = tuple(given)
    if len(headers) > HEADERS_MAX or sum(len(n) + len(v) for n, v in headers) > (
        HEADERS_CHARACTERS_MAX
    ):
        raise NetworkError("invalid", "too many headers, or too long ones")
    for name, value in headers:
        if _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            raise NetworkError("invalid", f"not a header: {name[:64]!r}")
    return tuple((n, v.strip()) for n, v in headers if not _ours(n))


def without_reshaping(headers: Headers) -> Headers:
    """Return the headers without those by which an echo of a secret would not be recognised."""
    return tuple((name, value) for name, value in headers if _spelt(name) not in _RESHAPING)


def without_credentials(headers: Headers, also: Iterable[str] = ()) -> Headers:
    """Return the headers without the guest's own credentials, cookies, and the names in `also`."""
    dropped = frozenset(map(_spelt, also))
    return tuple(
        (name, value)
        for name, value in headers
        if _spelt(name) not in dropped and _CREDENTIAL.search(_spelt(name)) is None
    )


def incoming(headers: Iterable[tuple[bytes, bytes]], *, decoded: bool) -> Headers:
    """Return a server's headers as the guest gets them; `decoded`: its encoding is undone."""
    dropped = _HOP_BY_HOP | (
        frozenset({"content-encoding", "content-length"}) if decoded else set()
    )
    texts = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    return tuple((name, value) for name, value in texts if name.lower() not in dropped)


def first(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    """Return the value of the first header `name` (lower case), if there is one."""
    return next((value for key, value in headers if key.lower() == name), None)


def _ours(name: str) -> bool:
    return _spelt(name) in _FRAMING or _spelt(name).startswith(_FRAMING_PREFIXES)


def _spelt(name: str) -> str:
    # Behind CGI and WSGI `X_Api_Key` is the same variable.
    return name.lower().replace("_", "-")
