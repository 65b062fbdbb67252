"""What an authority answers, `Allowed` or `Denied` with a reason that teaches, and in what state.

Values only: the live counters, clock and revocations are the gate's, which takes a `Standing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NewType

from capbox.authority.access import Access

AuthorityId = NewType("AuthorityId", str)
GrantId = NewType("GrantId", str)


@dataclass(frozen=True, slots=True)
class Allowed:
    """One grant of one authority alone allows the access.

    `counters` are the grants whose `uses` counters the access exercises: its own and ancestors'.
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
    """A snapshot of what changes. `now`: seconds since 1970 UTC; `uses`: tool calls by grant."""

    now: float
    revoked: frozenset[AuthorityId] = frozenset()
    uses: Mapping[GrantId, int] = field(default_factory=lambda: MappingProxyType({}))
