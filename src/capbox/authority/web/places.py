"""Places on the web: what a `fetch:` grant selects, and what a request names. Pure values.

    selector = [ METHOD { "," METHOD } " " ] scheme "://" host [ ":" port [ ".." port ] ] [ path ]
    host     = name | "*." name | IPv4 | "[" IPv6 "]" | "[" NETWORK "/" BITS "]"
    path     = "/" ... [ "/*" ] [ "?" ( query | "*" ) ]       without path: any path, any query

Guarantees: compared are parsed parts, never texts; a host has one spelling; a path that a server
might read as another one (`doubt`) is covered only by a grant of its whole origin. Does not: parse
the URL of a request (`broker.url` does), or know which address a name has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote, unquote_to_bytes

from capbox.authority.paths import quoted
from capbox.authority.web.addresses import (
    Address,
    Network,
    address_of,
    is_metadata,
    is_public,
    network_of,
    refusal,
    within,
)
from capbox.authority.web.suffixes import is_public_suffix

PORTS = {"http": 80, "https": 443}
REFUSED_METHODS = frozenset({"CONNECT", "TRACE", "TRACK"})
_EVERY = frozenset({"ANY", "ALL", "*"})
METHOD = re.compile(r"[A-Z]{1,16}")
ANY_HOST = "*"
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SELECTOR = re.compile(
    r"(https?)://(\*|(?:\*\.)?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:./]+\])"
    r"(?::([0-9]{1,5})(?:\.\.([0-9]{1,5}))?)?(/[^?#]*)?(?:\?([^#]*))?"
)
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()+,;=:@%/|^\[\]-]*")
_QUERY = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?|^`{}\[\]\\-]*")
_WIDE = re.compile(r"%u[0-9A-Fa-f]{4}")
_LAYERS_MAX = 4


def is_host_name(text: str) -> bool:
    """Say whether `text` is a name in canonical spelling, and no resolver takes it for a number."""
    last = text.rpartition(".")[2]
    numeric = re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last) is not None
    return len(text) <= 253 and not numeric and _NAME.fullmatch(text) is not None


def is_loopback(host: str) -> bool:
    """Say whether `host` names this machine by itself (RFC 6761 for names)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _literal(host)
    return address is not None and address.is_loopback


def doubt_of(path: str) -> str | None:
    """Say why a server might take `path` for another one; None if there is only one reading."""
    seen = path
    for _ in range(_LAYERS_MAX):
        if "\\" in seen or "\0" in seen:
            return "its path holds a backslash or a NUL"
        if _WIDE.search(seen):
            return "its path holds %uXXXX"  # a dot or a slash to some servers (IIS, ASP.NET)
        # Some servers drop `;parameters` before they look for dots (CVE-2020-5902).
        if any(s.partition(";")[0] in (".", "..") for s in seen.split("/")):
            return "its path holds a dot segment"
        try:
            decoded = unquote_to_bytes(seen).decode()
        except UnicodeDecodeError:
            return "its path is not UTF-8"  # `%c0%af` is a slash to lenient decoders
        if decoded == seen:
            return None
        if decoded.count("/") != seen.count("/"):
            return "its path holds an encoded slash"
        seen = decoded
    return "its path is percent-encoded several times over"


def reading_of(path: str) -> str:
    """Return `path` as the most lenient server reads it: decoded, without what makes no difference.

    Such as case, parameters after `;`, slashes that are doubled or at the end; the root is "".
    """
    decoded = unquote(path).casefold()
    segments = (segment.partition(";")[0] for segment in decoded.split("/"))
    return "".join(f"/{segment}" for segment in segments if segment)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port; `str` leaves out the port that the scheme implies."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        shown = "" if PORTS[self.scheme] == self.port else f":{self.port}"
        return f"{self.scheme}://{self.host}{shown}"


@dataclass(frozen=True, slots=True)
class FetchAccess:
    """Send one request. `query` is without its `?`; `doubt` says why its path has two readings."""

    method: str
    origin: Origin
    path: str
    query: str = ""
    doubt: str | None = None
    action = "fetch"

    def __str__(self) -> str:
        return f"fetch {self.method} {self.url}"

    @property
    def url(self) -> str:
        """Return the canonical URL."""
        return f"{self.origin}{self.target}"

    @property
    def target(self) -> str:
        """Return path and query as they are sent."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def selector(self) -> str:
        """Return what a grant would name: this URL, or the whole origin if its path is doubtful."""
        return f"{self.method} {self.origin if self.doubt else self.url}"

    @property
    def caution(self) -> str | None:
        """Return what a person should know who thinks of granting this, if anything."""
        address = _literal(self.origin.host)
        if address is not None and is_metadata(address):
            return "this address hands out the keys of a machine in a cloud"
        return self.doubt

    @property
    def missing(self) -> str:
        """Return the grant that would allow this."""
        return f"fetch:{quoted(self.selector)}"

    @property
    def lasting(self) -> str:
        """Return the grant that a yes for longer than one call lends: method and origin."""
        return f"fetch:{quoted(f'{self.method} {self.origin}')}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the index keys of the grants that may cover this."""
        scheme, host = self.origin.scheme, self.origin.host
        above = host.partition(".")[2]
        return f"{scheme} {host}", f"{scheme} *.{above}", f"{scheme} []"


@dataclass(frozen=True, slots=True)
class FetchSelector:
    """Which requests. No `methods`: any. `path` None: any path and query; `query` None: any.

    `below`: the path ends in a slash and everything under it is covered. `network`: the literal
    addresses that the host stands for.
    """

    methods: tuple[str, ...]
    scheme: str
    host: str
    ports: tuple[int, int]
    path: str | None = None
    below: bool = False
    query: str | None = None
    network: Network | None = None

    def __str__(self) -> str:
        return quoted(self.text)

    @property
    def text(self) -> str:
        """Return the canonical text, not quoted."""
        first, last = self.ports
        port = "" if first == last == PORTS[self.scheme] else f":{first}"
        ports = port if first == last else f":{first}..{last}"
        path = "" if self.path is None else self.path + ("*" if self.below else "")
        free = "?*" if self.query is None else (f"?{self.query}" if self.query else "")
        query = "" if self.path is None else free
        return f"{','.join(self.methods)} {self.scheme}://{self.host}{ports}{path}{query}".lstrip()

    @property
    def key(self) -> str:
        """Return the index key: see `FetchAccess.keys`."""
        named = self.network is None and self.host != ANY_HOST
        return f"{self.scheme} {self.host if named else '[]'}"

    def selects(self, access: FetchAccess) -> bool:
        """Say whether the request is one of these."""
        origin = access.origin
        return (
            self.scheme == origin.scheme
            and self.ports[0] <= origin.port <= self.ports[1]
            and (not self.methods or access.method in self.methods)
            and self._at(origin.host)
            and (self.path is None or self._leads_to(self.path, access))
        )

    def includes(self, child: FetchSelector) -> bool:
        """Say whether every request that `child` selects is one of these; undecidable is no."""
        methods = not self.methods or (child.methods and set(child.methods) <= set(self.methods))
        ports = self.ports[0] <= child.ports[0] and child.ports[1] <= self.ports[1]
        if not (methods and ports and self.scheme == child.scheme and self._over(child)):
            return False
        if self.path is None:
            return True
        if child.path is None or (child.below and not self.below):
            return False
        path = child.path.startswith(self.path) if self.below else child.path == self.path
        return path and (self.query is None or self.query == child.query)

    def reads_like(self, access: FetchAccess) -> bool:
        """Say whether a server might take the path of `access` for one of these.

        For what is left out: to some `/%61dmin`, `//admin`, `/Admin` and `/admin;x` are `/admin`.
        """
        if self.path is None:
            return True
        if self.query and self.query != access.query:
            return False
        own, other = reading_of(self.path), reading_of(access.path)
        return other == own or (self.below and other.startswith(f"{own}/"))

    def _leads_to(self, path: str, access: FetchAccess) -> bool:
        if access.doubt is not None or (self.query is not None and self.query != access.query):
            return False
        return access.path.startswith(path) if self.below else access.path == path

    def _at(self, host: str) -> bool:
        if self.host == host:
            return True
        if self.network is not None:
            address = _literal(host)
            return address is not None and address in self.network
        if self.host == ANY_HOST:
            address = _literal(host)
            return address is None or refusal(address, ()) is None
        return self.host.startswith("*.") and host.partition(".")[2] == self.host[2:]

    def _over(self, child: FetchSelector) -> bool:
        if self.network is not None:
            return child.network is not None and within(child.network, self.network)
        if self.host == ANY_HOST:
            return child.network is None or is_public(child.network)
        return self._at(child.host)


def parse_fetch(value: str) -> FetchSelector | str:
    """Return the selector that `value` says, or a sentence that says what is wrong with it."""
    methods, _, url = value.rpartition(" ")
    listed = tuple(sorted(set(methods.split(",")))) if methods else ()
    if "://" in methods:
        return "what follows the URL is no part of it; a grant with caveats is fetch:URL uses=1"
    for method in listed:
        if METHOD.fullmatch(method) is None or method in REFUSED_METHODS | _EVERY:
            hint = "; methods are written in capitals" if method != method.upper() else ""
            # Else a rule that denies ANY denies a method that nobody uses.
            hint = "; a URL without a method is every method" if method.upper() in _EVERY else hint
            return f"{method!r} is no method that can be granted{hint}"
    found = _SELECTOR.fullmatch(url)
    if found is None:
        return f"fetch: takes [METHOD,...] http(s)://HOST[:PORT][/PATH]{_fault(url)}"
    scheme, host, port, last, path, query = found.groups()
    placed = _host(host.lower())
    if isinstance(placed, str):
        return placed
    (network,) = placed
    first = int(port or PORTS[scheme])
    ports = (first, int(last or first))
    if not 0 < ports[0] <= ports[1] < 65_536:
        return "a port is 1 to 65535, a range of ports FIRST..LAST"
    selector = FetchSelector(listed, scheme, host.lower(), ports, network=network)
    return selector if path is None and query is None else _pathed(selector, path or "/", query)


def _fault(url: str) -> str:
    """Say what is most likely wrong with a URL that is none, as the end of a sentence."""
    host = url.partition("://")[2].partition("/")[0]
    if METHOD.fullmatch(url) is not None:
        return f', and a method is quoted with its URL: "{url} https://HOST"'
    if not url.startswith(("http://", "https://")):
        return "; this begins with neither http:// nor https://"
    if "@" in host:
        return ", without user and password"
    if "#" in url:
        return ", without #FRAGMENT"
    return "" if host.isascii() else "; a host is written in ASCII, as xn--..."


def parse_origin(text: str) -> Origin | str:
    """Return the one origin that `text` names, or a sentence that says what is wrong with it."""
    selector = parse_fetch(text)
    if isinstance(selector, str):
        return selector
    first, last = selector.ports
    single = "/" not in selector.host and first == last
    bare = selector.path is None and not selector.methods
    if not single or not bare or selector.host.startswith("*"):
        return "one origin is expected: scheme, host and port, without path or *"
    return Origin(selector.scheme, selector.host, first)


def _pathed(selector: FetchSelector, path: str, query: str | None) -> FetchSelector | str:
    below = path.endswith("/*")
    path = path[:-1] if below else path
    doubt = doubt_of(path)
    if doubt is not None:
        return f"{doubt}: give the path as the server gets it"
    if _PATH.fullmatch(path) is None:
        return "a path in a grant is percent-encoded, and has * only at its end, after a slash"
    if _QUERY.fullmatch(query or "") is None:
        return "a query in a grant is percent-encoded, or * alone for any"
    return replace(selector, path=path, below=below, query=None if query == "*" else query or "")


def _host(host: str) -> tuple[Network | None] | str:
    """Return the network of literal addresses, None for a name, or what is wrong."""
    if host == ANY_HOST:
        return "* alone names every host, which no grant does: name the hosts"
    if host.startswith("*."):
        if not is_host_name(host[2:]) or is_public_suffix(host[2:]):
            return f"{host} would cover hosts of strangers: {host[2:]} is a public suffix"
        return (None,)
    if "/" in host:
        network = network_of(host.strip("[]"))
        return (network,) if network is not None else f"{host} is not a network [ADDRESS/BITS]"
    if is_host_name(host):
        return (None,)
    address = _literal(host)
    if address is None or (address.version == 6) != host.startswith("["):
        return f"{host} is not a host in its canonical spelling"
    return (network_of(f"{address}/{address.max_prefixlen}"),)


def _literal(host: str) -> Address | None:
    """Return the address that a host spells, an IPv6 one in brackets."""
    return address_of(host.strip("[]"))
