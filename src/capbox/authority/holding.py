"""What a run holds: a list of authorities, its own and the leases lent to it, never their union.

Guarantees: an access is allowed only if one authority in the list alone allows it; a never rule of
any of them refuses it. Does not: change; the live holding with its counters is the gate's.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace

from capbox.authority.access import Access, EnvAccess
from capbox.authority.authority import NEVER, Authority, AuthorityError, FileRight, Minted
from capbox.authority.caveats import Caveat, Except, ExpiresAfter, ExpiresAt, Uses
from capbox.authority.decision import (
    Allowed,
    AuthorityId,
    Decision,
    Denied,
    GrantId,
    Standing,
)
from capbox.authority.exclusions import compiled
from capbox.authority.grant import Grant
from capbox.authority.parse import GrantError, parse_grant
from capbox.authority.paths import below
from capbox.authority.values.arguments import Arg
from capbox.authority.web.places import FetchAccess


@dataclass(frozen=True, slots=True)
class Holding:
    """The authorities of one run, the oldest first."""

    authorities: tuple[Authority, ...] = ()

    def decide(self, access: Access, standing: Standing) -> Decision:
        """Say whether one authority alone allows `access`; else the most telling refusal."""
        weighed = [authority.weigh(access, standing) for authority in self.authorities]
        if not weighed:
            return Denied(access, "no grant covers it", access.missing)
        rank, decision = max(weighed, key=lambda w: w[0])
        if rank == NEVER:
            # A lease lent under other rules does not lift a never rule of this run.
            return decision
        return next((d for _, d in weighed if isinstance(d, Allowed)), decision)

    def permitting(self, access: FetchAccess, standing: Standing) -> tuple[Minted, ...]:
        """Return each grant that alone allows the request, as far as its address does not matter.

        Empty if `decide` denies it.
        """
        if isinstance(self.decide(access, standing), Denied):
            return ()
        return tuple(m for a in self.authorities for m in a.permitting(access, standing))

    def upholds(self, minted: Minted, standing: Standing) -> bool:
        """Say whether a grant that was drawn on still stands: neither revoked nor expired."""
        ends = minted.expires_ms
        return (ends is None or standing.now * 1000 < ends) and any(
            minted in authority.grants
            and standing.revoked.isdisjoint((*authority.lineage, *minted.lineage))
            for authority in self.authorities
        )

    @property
    def lapses(self) -> bool:
        """Say whether any grant can expire or be used up."""
        return any(authority.lapses for authority in self.authorities)

    @property
    def labelled(self) -> bool:
        """Say whether it matters to any grant what has been read."""
        return any(authority.labelled for authority in self.authorities)

    def live(self, standing: Standing) -> tuple[Minted, ...]:
        """Return every grant that counts in this standing."""
        return tuple(m for authority in self.authorities for m in authority.live(standing))

    def file_rights(self, standing: Standing) -> tuple[FileRight, ...]:
        """Return the live file grants as the sandbox enforces them; any one of them suffices."""
        never = tuple(dict.fromkeys(r for a in self.authorities for r in a.never))
        return tuple(r for a in self.authorities for r in a.file_rights(standing, never))

    def first_to_end(self, standing: Standing, used: Set[GrantId]) -> Minted | None:
        """Return which of the live grants `used` expires first, if any does."""
        live = (m for a in self.authorities if a.lapses for m in a.live(standing) if m.id in used)
        ending = (m for m in live if m.expires_ms is not None)
        return min(ending, key=lambda m: m.expires_ms or 0, default=None)

    def describe(self, standing: Standing) -> tuple[str, ...]:
        """Return the canonical text of every live grant, for the reader of a refusal."""
        return tuple(dict.fromkeys(str(minted.grant) for minted in self.live(standing)))


def lend(
    ceiling: Authority,
    access: Access | None,
    text: str | None = None,
    *,
    seconds: int | None = None,
    id: AuthorityId,
    now: float,
) -> Authority | AuthorityError:
    """Mint a lease for exactly what `access` names, under every caveat of the ceiling's grant.

    `text` is the grant to lend if it is not just that, under its own caveats too; without an
    `access` it is lent for later. `seconds` is how long it lasts; None: as
    long as the ceiling's own grant.
    """
    wanted = parse_grant(text if text is not None else access.missing if access else "")
    if isinstance(wanted, GrantError):
        return AuthorityError(None, str(wanted))
    error = AuthorityError(wanted, f"the ceiling does not hold {wanted}")
    for minted in ceiling.grants:
        caveats = _inherited(minted.grant, wanted, seconds, now)
        if caveats is None or not (access is None or _offers(minted.grant, access)):
            continue
        # A variable is lent with the value that the ceiling sets, if it sets one.
        env = isinstance(access, EnvAccess)
        selector = minted.grant.selector if env else wanted.selector
        narrow = replace(wanted, selector=selector, caveats=caveats)
        lease = ceiling.attenuate([narrow], id=id, now=now)
        if isinstance(lease, Authority):
            return lease
        error = lease
    return error


def _offers(grant: Grant, access: Access) -> bool:
    """Say whether a lease of this grant would allow `access`: else nobody need be asked for it."""
    left_out = isinstance(access, FetchAccess) and grant.leaves_out(access)
    return grant.selects(access) and not left_out


def _inherited(
    parent: Grant, child: Grant, seconds: int | None, now: float
) -> tuple[Caveat, ...] | None:
    """Return the parent's caveats as they bind `child`, and its own, ending after `seconds`.

    Where both have one of a kind it is the child's: attenuation refuses it if it is the wider.
    """
    ends = [int((now + seconds) * 1000)] if seconds is not None else []
    ends += [c.ms for c in (*parent.caveats, *child.caveats) if isinstance(c, ExpiresAt)]
    ends += [int((now + c.seconds) * 1000) for c in child.caveats if isinstance(c, ExpiresAfter)]
    apart = ExpiresAt | ExpiresAfter | Except | Uses | Arg
    own = [c for c in child.caveats if not isinstance(c, apart)]
    caveats: list[Caveat] = [ExpiresAt(min(ends))] if ends else []
    replaced = {c.key for c in own}
    caveats += (c for c in parent.caveats if not isinstance(c, apart) and c.key not in replaced)
    caveats += own
    uses = [bound for bound in (parent.uses, child.uses) if bound is not None]
    caveats += [Uses(min(uses))] if uses else []
    caveats += child.conditions or parent.conditions
    globs = set(child.exceptions)
    if parent.exceptions:
        if parent.path is None or child.path is None:
            return None
        remaining = compiled(parent.exceptions).residual(below(child.path, parent.path))
        if remaining is None:
            return None
        globs |= remaining
    return (*caveats, Except(tuple(sorted(globs)))) if globs else tuple(caveats)
