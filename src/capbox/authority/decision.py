"""What an authority answers, `Allowed` or `Denied` with a reason that teaches, and in what state.

Values only: the live counters, clock and revocations are the gate's, which takes a `Standing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NewType, assert_never

from capbox.authority.access import Access
from capbox.authority.caveats import Bytes, Counted, Rate, Uses
from capbox.authority.values.label import NOTHING, Sources

AuthorityId = NewType("AuthorityId", str)
GrantId = NewType("GrantId", str)


@dataclass(frozen=True, slots=True)
class Allowed:
    """One grant of one authority alone allows the access.

    `counters` are the grants whose counters the access exercises: its own and ancestors'.
    """

    authority: AuthorityId
    grant: GrantId
    counters: tuple[GrantId, ...] = ()


@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing allows the access; `missing` is the grant text that would (None: nothing may)."""

    access: Access
    reason: str
    missing: str | None


Decision = Allowed | Denied


@dataclass(frozen=True, slots=True)
class Standing:
    """A snapshot of what changes. `now`: seconds since 1970 UTC.

    By grant: `uses` are tool calls or requests, `bytes` transferred, `times` of its last requests.
    `sources` are those of everything that has been read where the access is tried.
    """

    now: float
    revoked: frozenset[AuthorityId | GrantId] = frozenset()
    uses: Mapping[GrantId, int] = field(default_factory=lambda: MappingProxyType({}))
    bytes: Mapping[GrantId, int] = field(default_factory=lambda: MappingProxyType({}))
    times: Mapping[GrantId, Sequence[float]] = field(default_factory=lambda: MappingProxyType({}))
    sources: Sources = NOTHING

    def reached(self, grant: GrantId, bound: Counted) -> bool:
        """Say whether `bound` leaves nothing of `grant` at this moment."""
        match bound:
            case Uses(count):
                return self.uses.get(grant, 0) >= count
            case Bytes(count):
                return self.bytes.get(grant, 0) >= count
            case Rate(count, seconds):
                times = self.times.get(grant, ())
                return len(times) >= count and (count == 0 or times[-count] > self.now - seconds)
            case _:
                assert_never(bound)
