"""Settings for the network that other systems know, read as grants.

    allowed_outbound_hosts = ["https://api.example.com", "http://*.example.org:8000..8080"]
    block_networks = ["private", "198.51.100.0/24"]
    block_url = ["https://api.example.com/admin"]

Guarantees: what cannot be read with the same meaning is refused, never approximated wider. `*.`
stands for one label, as in every grant. Does not: grant; a manifest requests with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from capbox.authority.caveats import ExceptPlaces, Net
from capbox.authority.grant import Grant
from capbox.authority.web.addresses import PRIVATE, Network, address_of, network_of
from capbox.authority.web.places import ANY_HOST, PORTS, FetchSelector, parse_fetch

_HOST = re.compile(
    r"(\*|https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9*._-]+)(/[0-9]{1,3})?(?::(\*|[0-9]+(?:\.\.[0-9]+)?))?/?"
)
_EVERY_PORT = "1..65535"


@dataclass(frozen=True, slots=True)
class OlderError:
    """An entry that cannot be imported, and why."""

    entry: str
    message: str


def fetch_grants(
    hosts: Iterable[str], networks: Iterable[str], urls: Iterable[str]
) -> tuple[Grant, ...] | OlderError:
    """Return the grants that mean the same as allowed hosts, blocked networks and blocked URLs."""
    blocked: list[Network] = []
    private = False
    for text in networks:
        private = private or text == "private"
        network = _network(text)
        if text != "private" and network is None:
            return OlderError(text, "block_networks takes private, ADDRESS or ADDRESS/BITS")
        blocked.extend(PRIVATE if network is None else [network])
    places: list[FetchSelector] = []
    for text in urls:
        place = parse_fetch(text)
        if isinstance(place, str) or place.methods:
            return OlderError(text, "block_url takes http(s)://HOST[:PORT][/PATH]")
        places.append(_below(place))
    # Where private networks were not blocked, a name could lead there.
    net = () if private else (Net(PRIVATE),)
    left_out = (ExceptPlaces(tuple(places), tuple(blocked)),) if places or blocked else ()
    grants: list[Grant] = []
    for text in hosts:
        for selector in _allowed(text):
            if isinstance(selector, str):
                return OlderError(text, selector)
            grants.append(Grant("fetch", selector, (*left_out, *net)))
    return tuple(grants)


def _allowed(text: str) -> Iterable[FetchSelector | str]:
    if text == "*":
        text = "*://*:*"
    found = _HOST.fullmatch(text)
    if found is None:
        return ("allowed_outbound_hosts takes SCHEME://HOST[:PORT], of http and https only",)
    scheme, host, bits, port = found.groups()
    host = f"[{host.strip('[]')}{bits}]" if bits else host
    ports = f":{_EVERY_PORT if port == '*' else port}" if port else ""
    schemes = ("http", "https") if scheme == "*" else (scheme,)
    return [_selector(one, host, ports) for one in schemes]


def _selector(scheme: str, host: str, ports: str) -> FetchSelector | str:
    if host != ANY_HOST:
        return parse_fetch(f"{scheme}://{host}{ports}")
    # Every host: a request for whatever the run holds, which no grant could be.
    named = parse_fetch(f"{scheme}://any{ports or f':{PORTS[scheme]}'}")
    return named if isinstance(named, str) else replace(named, host=ANY_HOST)


def _below(place: FetchSelector) -> FetchSelector:
    """Return the place with every query and all that is below it; it is read as itself too."""
    if place.path is None:
        return place
    directory = place.path if place.path.endswith("/") else f"{place.path}/"
    return replace(place, path=directory, below=True, query=None)


def _network(text: str) -> Network | None:
    address = address_of(text)
    return network_of(text if address is None else f"{address}/{address.max_prefixlen}")
