"""The URL of a request, parsed once: from here on only its parts are known.

Guarantees: a host that is not already in its canonical spelling is refused, so no resolver gets to
read `127.1`, `0x7f.1`, circled digits or a trailing dot in its own way; two parsers, ours and the
WHATWG one, must agree on host and port; path and query are what is matched *and* what is sent.
Does not: resolve, or decide. Source: https://url.spec.whatwg.org (can_ada).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

import can_ada

from capbox.authority.paths import hostile_character
from capbox.authority.web.addresses import address_of
from capbox.authority.web.places import (
    METHOD,
    PORTS,
    REFUSED_METHODS,
    FetchAccess,
    Origin,
    doubt_of,
    is_host_name,
)

URL_CHARACTERS_MAX = 8_192
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*).*", re.DOTALL)
_AUTHORITY = re.compile(r"([^\[\]@:]+|\[[^\[\]@]+\])(?::([1-9][0-9]{0,4}))?")
_USERINFO = re.compile(r"(?<=:)([/\\]*)[^/\\?#]*@")  # however the slashes are spelt
# What a grant can hold as it is; `*` means something there.
_PATH_SAFE = "/~!$&'()+,;=:@%|^[]"
_QUERY_SAFE = _PATH_SAFE + "*?`{}\\"


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A request that no grant could ever permit, and why."""

    method: str
    url: str
    reason: str


def locate(method: str, url: str) -> FetchAccess | Unreachable:
    """Return what a request names, or why nothing can be granted for it."""

    def refused(reason: str) -> Unreachable:
        # It is told and recorded: a password that was put into it is not.
        return Unreachable(method, _USERINFO.sub(r"\1***@", url), reason)

    if METHOD.fullmatch(method) is None or method in REFUSED_METHODS:
        return refused("this method is never sent")
    if len(url) > URL_CHARACTERS_MAX:
        return refused(f"a URL has at most {URL_CHARACTERS_MAX} characters")
    if hostile_character(url) is not None or "\\" in url or any(map(str.isspace, url)):
        return refused("a URL holds no spaces, backslashes or control characters: percent-encode")
    found = _URL.fullmatch(url)
    if found is None or found[1] not in PORTS:
        return refused("only http:// and https:// can be reached")
    authority = _AUTHORITY.fullmatch(found[2])
    if authority is None:
        userinfo = "@" in found[2]
        return refused("a URL holds no user and password" if userinfo else "it names no host")
    host = authority[1]
    bare = host.strip("[]") if host.startswith("[") else host
    if not (
        is_host_name(host) or (address_of(bare) is not None and (":" in bare) == (bare != host))
    ):
        return refused(f"its host is not spelt canonically{_hint(url)}")
    return _parsed(method, url, host, int(authority[2] or PORTS[found[1]]), found[3])


def joined(base: str, location: str) -> str | None:
    """Return where a `Location` leads from `base`, as an absolute URL without fragment."""
    if len(location) > URL_CHARACTERS_MAX or hostile_character(location) is not None:
        return None
    try:
        found = can_ada.parse(base) + location
        found.hash = ""
    except ValueError:
        return None
    return str(found.href)


def _parsed(method: str, url: str, host: str, port: int, path: str) -> FetchAccess | Unreachable:
    try:
        found = can_ada.parse(url)
    except ValueError:
        return Unreachable(method, url, "it is not a URL")
    scheme = found.protocol.removesuffix(":")
    if found.hostname != host or int(found.port or PORTS[scheme]) != port or port > 65_535:
        return Unreachable(method, url, f"its host is not spelt canonically{_hint(url)}")
    sent = quote(found.pathname, safe=_PATH_SAFE)
    query = quote(found.search.removeprefix("?"), safe=_QUERY_SAFE)
    doubt = doubt_of(path) or doubt_of(sent)
    origin = Origin(scheme, host, port)
    return FetchAccess(method, origin, sent, "%2A" if query == "*" else query, doubt)


def _hint(url: str) -> str:
    try:
        host: str = can_ada.parse(url).hostname.rstrip(".")
    except ValueError:
        return ""
    return f": write {host}" if host else ""
