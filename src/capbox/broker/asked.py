"""What a guest asks of the network, read strictly: its worker may be hostile.

Guarantees: anything but a well-formed request is a NetworkError with code invalid. Does not: judge
the URL, see `url`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from capbox.authority.web.places import FetchAccess
from capbox.broker.errors import NetworkError
from capbox.broker.headers import Head, Headers, first, outgoing, without_credentials
from capbox.broker.url import joined
from capbox.messages import Json

REDIRECTS_MAX = 5
_WAITS = {"timeout_ms", "connect_timeout_ms"}
_WAIT_MS_MAX = 1 << 40
_KEEPS_METHOD = frozenset({307, 308})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OF_BODY = frozenset({"content-type", "content-encoding", "content-language", "content-location"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a guest; `decode`: undo the encoding of the response's body.

    `seconds` bound the wait for the response, redirects included, and then each silence within its
    body; `connect_seconds` each connection. They only ever shorten what the parent would wait.
    """

    method: str
    url: str
    headers: Headers
    body: bytes
    redirects: int
    decode: bool
    seconds: float = math.inf
    connect_seconds: float = math.inf

    def redirected(self, access: FetchAccess, status: int, url: str) -> Asked:
        """Return the request that a redirect to `url` asks for, as browsers do (Fetch, 4.4).

        Credentials stay with the origin that they were meant for.
        """
        there = replace(self, url=url, redirects=self.redirects - 1)
        to_get = status == 303 and self.method != "HEAD"
        if to_get or (status not in _KEEPS_METHOD and self.method == "POST"):
            kept = tuple((n, v) for n, v in self.headers if n.lower() not in _OF_BODY)
            there = replace(there, method="GET", headers=kept, body=b"")
        if not url.startswith(f"{access.origin}/"):
            there = replace(there, headers=without_credentials(there.headers))
        return there


def parse_asked(text: str, body: bytes) -> Asked:
    """Return the request that the JSON `text` says. Raises NetworkError."""
    try:
        found: Json = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    match found:
        case {
            "method": str(method),
            "url": str(url),
            "headers": [*headers],
            "redirects": int(redirects),
            "decode": bool(decode),
            **rest,
        } if rest.keys() <= _WAITS and redirects is not True and 0 <= redirects <= REDIRECTS_MAX:
            pairs = tuple(map(_pair, headers))
            waits = _wait(rest, "timeout_ms"), _wait(rest, "connect_timeout_ms")
            return Asked(method, url, outgoing(pairs), body, redirects, decode, *waits)
        case _:
            raise NetworkError("invalid", "not a request: method, url, headers, redirects, decode")


def _wait(found: Mapping[object, object], name: str) -> float:
    """Return the seconds that a guest would wait at most; without a word of it, for ever."""
    match found.get(name):
        case None if name not in found:
            return math.inf
        case int(ms) if ms is not True and 0 < ms <= _WAIT_MS_MAX:
            return ms / 1000
        case _:
            raise NetworkError("invalid", f"{name} is a number of milliseconds")


def redirect_of(head: Head, access: FetchAccess) -> str | None:
    """Return where the response sends its reader; None if nowhere. Raises NetworkError."""
    location = first(head.texts, "location")
    if head.status not in _REDIRECTS or location is None:
        return None
    url = joined(access.url, location)
    if url is None:
        raise NetworkError("redirects", "the server redirects to what is no URL")
    return url


def _pair(value: object) -> tuple[str, str]:
    match value:
        case [str(name), str(text)]:
            return name, text
        case _:
            raise NetworkError("invalid", "a header is a pair of texts")
