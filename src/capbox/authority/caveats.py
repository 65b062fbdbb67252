"""Conditions that narrow a grant: typed values, their canonical text, and which is the narrower.

Those that no mechanism enforces yet are checked and kept as `Later`, so that minting can refuse
them by name; none is ever ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from capbox.authority.paths import quoted
from capbox.authority.values.arguments import Arg
from capbox.authority.web.addresses import PRIVATE, Network, within
from capbox.authority.web.places import FetchAccess, FetchSelector

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
SIZES = {"GB": 10**9, "MB": 10**6, "kB": 10**3, "B": 1}
WINDOWS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class ExpiresAfter:
    """Not yet minted: ends this many seconds after minting."""

    seconds: int
    key = "expires"

    def __str__(self) -> str:
        unit = next(u for u, size in UNITS.items() if self.seconds % size == 0)
        return f"expires={self.seconds // UNITS[unit]}{unit}"


@dataclass(frozen=True, slots=True)
class ExpiresAt:
    """Ends at this moment, in milliseconds since 1970 UTC."""

    ms: int
    key = "expires"

    def __str__(self) -> str:
        precision = "milliseconds" if self.ms % 1000 else "seconds"
        text = (EPOCH + timedelta(milliseconds=self.ms)).isoformat(timespec=precision)
        return f"expires={text.replace('+00:00', 'Z')}"


@dataclass(frozen=True, slots=True)
class Uses:
    """May be exercised by this many tool calls. Zero means none."""

    count: int
    key = "uses"

    def __str__(self) -> str:
        return f"uses={self.count}"


@dataclass(frozen=True, slots=True)
class Except:
    """Not what these globs name, relative to the selector (see `exclusions.Globs`)."""

    globs: tuple[str, ...]
    key = "except"

    def __str__(self) -> str:
        return "except=" + quoted(",".join(self.globs))


@dataclass(frozen=True, slots=True)
class ExceptPlaces:
    """Not these places on the web, nor hosts at these addresses."""

    places: tuple[FetchSelector, ...]
    networks: tuple[Network, ...]
    key = "except"

    def __str__(self) -> str:
        return "except=" + quoted(
            ",".join([p.text for p in self.places] + [*map(str, self.networks)])
        )

    def leaves_out(self, access: FetchAccess) -> bool:
        """Say whether the request is one of those; a doubtful path might be any on its host.

        A place without a query is left out with any: else `?` would lead around it.
        """
        for place in self.places:
            if not replace(place, path=None, query=None).selects(access):
                continue
            if access.doubt is not None or place.reads_like(access):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Bytes:
    """At most so many bytes altogether, sent and received."""

    count: int
    key = "bytes"

    def __str__(self) -> str:
        unit = next(u for u, size in SIZES.items() if self.count % size == 0)
        return f"bytes={self.count // SIZES[unit]}{unit}"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` requests in any `seconds` seconds."""

    count: int
    seconds: int
    key = "rate"

    def __str__(self) -> str:
        return f"rate={self.count}/{next(u for u, s in WINDOWS.items() if s == self.seconds)}"


@dataclass(frozen=True, slots=True)
class Ask:
    """A person confirms the first request of a run, or each one."""

    each: bool
    key = "ask"

    def __str__(self) -> str:
        return f"ask={'each' if self.each else 'first'}"


@dataclass(frozen=True, slots=True)
class Net:
    """A host's name may have addresses in these networks; without it only public ones."""

    networks: tuple[Network, ...]
    key = "net"

    def __str__(self) -> str:
        private = self.networks == PRIVATE
        return f"net={'private' if private else ','.join(map(str, self.networks))}"


@dataclass(frozen=True, slots=True)
class Header:
    """The header that carries the secret."""

    name: str
    key = "header"

    def __str__(self) -> str:
        return f"header={self.name}"


@dataclass(frozen=True, slots=True)
class Format:
    """The header's value; `{}` stands for the secret."""

    text: str
    key = "format"

    def __str__(self) -> str:
        return f"format={quoted(self.text)}"


@dataclass(frozen=True, slots=True)
class Untainted:
    """Only while the run has read nothing that a stranger may have written."""

    key = "untainted"

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class Public:
    """Only while the run has read nothing confidential."""

    key = "public"

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True)
class Later:
    """A caveat of the grammar that no mechanism enforces yet; minting refuses it."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"{self.key}={quoted(self.value)}"


Counted = Uses | Bytes | Rate
Caveat = (
    ExpiresAfter
    | ExpiresAt
    | Counted
    | Except
    | ExceptPlaces
    | Ask
    | Net
    | Header
    | Format
    | Untainted
    | Public
    | Arg
    | Later
)


def kept(caveat: Caveat, child: Iterable[Caveat]) -> bool:
    """Say whether one of the caveats `child` is at least as narrow as `caveat`; undecidable is no.

    Those of files depend on the path, see `grant`. Counted ones also count for every ancestor.
    """
    same = next((c for c in child if c.key == caveat.key), None)
    match caveat, same:
        case ExpiresAt(ms), ExpiresAt(earlier):
            return earlier <= ms
        case (Uses(count), Uses(less)) | (Bytes(count), Bytes(less)):
            return less <= count
        case Rate(count, seconds), Rate(less, longer):
            return less <= count and longer >= seconds
        case Ask(each), Ask(too):
            return too or not each
        case ExceptPlaces(places, networks), ExceptPlaces(also, further):
            return all(any(o.includes(p) for o in also) for p in places) and all(
                any(within(n, o) for o in further) for n in networks
            )
        case ((Header() | Format()), _):
            return same == caveat
        case ((Untainted() | Public()), _):
            return same is not None
        case ((Net() | Arg()), _):
            return True  # it widens, or counts with the others of its kind: see `grant`
        case _:
            return False
