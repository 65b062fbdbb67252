"""An immutable set of grants, limits and a budget, with an id and its ancestors' ids.

Guarantees: `attenuate` yields only what this authority permits, in every standing; `decide` says
`Allowed` only if one grant alone allows the access; never rules are inherited and beat grants.
Does not: merge two authorities (nothing does), count, or read a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from capbox.authority.access import Access, ReadAccess, ToolAccess, WriteAccess
from capbox.authority.budget import Budget
from capbox.authority.caveats import Counted, ExpiresAfter, ExpiresAt
from capbox.authority.decision import (
    Allowed,
    AuthorityId,
    Decision,
    Denied,
    GrantId,
    Standing,
)
from capbox.authority.exclusions import HIDDEN, PROTECTED, compiled, folded, literal, rebased
from capbox.authority.grant import Grant
from capbox.authority.limits import Limits
from capbox.authority.paths import WORKSPACE, GrantPath, below, is_canonical, joined, under
from capbox.authority.policy import NeverRule
from capbox.authority.values.arguments import Arg, refusal
from capbox.authority.web.places import FetchAccess

# Of several refusals the reader gets the one that is closest to a permission.
_NO_GRANT, _REVOKED, _EXPIRED, _USED_UP, _EXCLUDED, _WITHHELD, NEVER = range(7)


@dataclass(frozen=True, slots=True)
class AuthorityError:
    """Why no authority was minted; `grant` is the one at fault, if it is one."""

    grant: Grant | None
    message: str


@dataclass(frozen=True, slots=True)
class FileRight:
    """One live file grant, as the sandbox enforces it at `path`.

    `hidden` (neither read nor written) and `protected` (not written) are globs from the root of
    the tree (`/workspace`, or `/` for host paths); `anchor` is `path` seen from that root. They
    already hold what never rules say.
    """

    path: GrantPath
    write: bool
    hidden: tuple[str, ...]
    protected: tuple[str, ...]
    grant: GrantId
    anchor: str

    def refusal(self, access: ReadAccess | WriteAccess) -> str | None:
        """Say why this right's exclusions refuse an access under its path, if they do."""
        relative = below(access.path, self.path)
        hit = compiled(self.hidden).match_of(relative, self.anchor)
        if hit is not None:
            if compiled(HIDDEN).matches(relative, self.anchor):
                return f"excluded: {hit} is kept from every grant that does not name it"
            return f"excluded: the grant leaves out {hit}"
        if isinstance(access, WriteAccess):
            hit = compiled(self.protected).match_of(relative, self.anchor)
            if hit is not None:
                return f"excluded: {hit} is kept from writing by every grant that does not name it"
        return None

    def narrowed(self, path: GrantPath, *, write: bool) -> FileRight | None:
        """Return what this right and `path` (written to, or only read) have in common."""
        if under(self.path, path):
            return replace(self, write=self.write and write)
        if not under(path, self.path) or self.refusal(ReadAccess(path)) is not None:
            return None
        writable = self.write and write and self.refusal(WriteAccess(path)) is None
        anchor = joined(f"/{self.anchor}", below(path, self.path)).lstrip("/")
        return replace(self, path=path, write=writable, anchor=anchor)


@dataclass(frozen=True, slots=True)
class Minted:
    """A grant with an identity: `counters` are the counted bounds, its own and its ancestors'.

    So are `conditions`: what arguments have to be depends on the tool, which no child changes.
    """

    id: GrantId
    grant: Grant
    lineage: tuple[GrantId, ...]
    counters: tuple[tuple[GrantId, Counted], ...]
    conditions: tuple[tuple[Arg, ...], ...] = ()

    @property
    def expires_ms(self) -> int | None:
        """Return when it ends, in milliseconds since 1970 UTC."""
        return self.grant.expires.ms if isinstance(self.grant.expires, ExpiresAt) else None

    def lapsed(self, standing: Standing) -> tuple[int, str] | None:
        """Say why the grant no longer counts, if so, with the rank of that reason."""
        if not standing.revoked.isdisjoint(self.lineage):
            return _REVOKED, f"revoked: {self.grant}"
        if self.expires_ms is not None and not standing.now * 1000 < self.expires_ms:
            return _EXPIRED, f"expired: {self.grant}"
        # A child draws on its ancestors' counters, else delegating would multiply `uses`.
        for grant, bound in self.counters:
            if standing.reached(grant, bound):
                return _USED_UP, f"used up ({bound}): {self.grant}"
        return None

    def right(self, never: tuple[NeverRule, ...]) -> FileRight | None:
        """Return the file right that this grant gives under the never rules, if it is one."""
        path = self.grant.path
        if path is None or any(rule.forbids_grant(self.grant) for rule in never):
            return None
        root = WORKSPACE if under(path, WORKSPACE) else "/"
        anchor = below(path, root)
        inner = [r for r in never if r.path != path and under(folded(r.path), folded(path))]
        unread = [literal(below(r.path, root)) for r in inner if r.action == "read"]
        unwritten = [literal(below(r.path, root)) for r in inner if r.action == "write"]
        exceptions = [rebased(glob, anchor) for glob in self.grant.exceptions]
        return FileRight(
            path=path,
            write=self.grant.action == "write",
            hidden=(*HIDDEN, *exceptions, *unread),
            protected=(*PROTECTED, *unwritten),
            grant=self.id,
            anchor=anchor,
        )


@dataclass(frozen=True, slots=True)
class Authority:
    """What a run may do. `lineage` is its own id, then its ancestors' up to the root.

    `lapses` says whether any grant of it can expire or be used up, `labelled` whether it matters to
    any of them what has been read.
    """

    id: AuthorityId
    lineage: tuple[AuthorityId, ...]
    grants: tuple[Minted, ...]
    limits: Limits
    budget: Budget
    never: tuple[NeverRule, ...]
    # Worked out once, since every call is decided on several times.
    lapses: bool = field(init=False, repr=False, compare=False)
    labelled: bool = field(init=False, repr=False, compare=False)
    _candidates: Mapping[str, tuple[int, ...]] = field(init=False, repr=False, compare=False)
    _rights: Mapping[GrantId, FileRight] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the grants by the accesses that they can allow."""
        index: dict[str, list[int]] = {}
        rights: dict[GrantId, FileRight] = {}
        for number, minted in enumerate(self.grants):
            right = minted.right(self.never)
            for key in minted.grant.keys:
                index.setdefault(key, []).append(number)
            if right is not None:
                rights[minted.id] = right
        lapses = any(m.counters or m.expires_ms is not None for m in self.grants)
        object.__setattr__(self, "lapses", lapses)
        labelled = any(minted.grant.labelled for minted in self.grants)
        object.__setattr__(self, "labelled", labelled)
        object.__setattr__(self, "_candidates", {key: tuple(n) for key, n in index.items()})
        object.__setattr__(self, "_rights", rights)

    @classmethod
    def root(
        cls,
        grants: Iterable[Grant],
        *,
        limits: Limits,
        budget: Budget,
        never: tuple[NeverRule, ...] = (),
        id: AuthorityId,
        now: float,
    ) -> Self | AuthorityError:
        """Mint authority from nothing but a principal's word; only `app.py` may call this.

        `never` are rules on grant paths (`policy.never_in`); `now` is seconds since 1970 UTC.
        """
        minted: list[Minted] = []
        for number, grant in enumerate(grants):
            absolute = _mintable(grant, never, now)
            if isinstance(absolute, AuthorityError):
                return absolute
            name = GrantId(f"{id}#{number}")
            counters = _counters(name, absolute)
            minted.append(Minted(name, absolute, (name,), counters, (absolute.conditions,)))
        return cls(id, (id,), tuple(minted), limits, budget, never)

    def attenuate(
        self,
        grants: Iterable[Grant],
        *,
        limits: Limits | None = None,
        budget: Budget | None = None,
        id: AuthorityId,
        now: float,
    ) -> Authority | AuthorityError:
        """Mint a child that permits nothing this authority does not; undecidable is refused."""
        limits = self.limits if limits is None else limits
        budget = self.budget if budget is None else budget
        if not limits.within(self.limits):
            return AuthorityError(None, "a limit is looser than the parent's")
        if not budget.within(self.budget):
            return AuthorityError(None, "the budget is larger than the parent's")
        minted: list[Minted] = []
        for number, grant in enumerate(grants):
            absolute = _mintable(grant, self.never, now)
            if isinstance(absolute, AuthorityError):
                return absolute
            parent = next((m for m in self.grants if self._narrows(m, absolute)), None)
            if parent is None:
                return AuthorityError(absolute, f"{absolute} is not within what the parent holds")
            name = GrantId(f"{id}#{number}")
            counters = (*_counters(name, absolute), *parent.counters)
            conditions = (absolute.conditions, *parent.conditions)
            lineage = (name, *parent.lineage)
            minted.append(Minted(name, absolute, lineage, counters, conditions))
        return Authority(id, (id, *self.lineage), tuple(minted), limits, budget, self.never)

    def decide(self, access: Access, standing: Standing) -> Decision:
        """Say whether one grant alone allows `access` in this standing."""
        return self.weigh(access, standing)[1]

    def weigh(self, access: Access, standing: Standing) -> tuple[int, Decision]:
        """Decide, and rank the answer, so that a holding can tell the most telling refusal."""
        if isinstance(access, ReadAccess | WriteAccess):
            if not is_canonical(access.path):
                return NEVER, Denied(access, "the path is not canonical", None)
            rule = next((r for r in self.never if r.forbids(access)), None)
            if rule is not None:
                return NEVER, Denied(access, f"never rule: {rule.action} {rule.path}", None)
        best = (_NO_GRANT, "")
        for minted in self.candidates(access):
            refusal = self._refusal(minted, access, standing)
            if refusal is None:
                return _NO_GRANT, Allowed(self.id, minted.id, minted.lineage)
            best = max(best, refusal)
        return best[0], Denied(access, best[1] or _uncovered(access), access.missing)

    def candidates(self, access: Access) -> Iterator[Minted]:
        """Yield the grants whose action and selector cover `access`, whatever their caveats.

        In their own order: which of two is drawn on does not depend on how they are filed.
        """
        filed = self._candidates
        for number in sorted([n for key in access.keys for n in filed.get(key, ())]):
            if self.grants[number].grant.selects(access):
                yield self.grants[number]

    def permitting(self, access: FetchAccess, standing: Standing) -> Iterator[Minted]:
        """Yield each grant that alone allows the request, as far as its address does not matter."""
        for minted in self.candidates(access):
            if self._refusal(minted, access, standing) is None:
                yield minted

    def live(self, standing: Standing) -> tuple[Minted, ...]:
        """Return the grants that count in this standing: not revoked, expired or used up."""
        if not standing.revoked.isdisjoint(self.lineage):
            return ()
        if not self.lapses and not standing.revoked:
            return self.grants
        return tuple(m for m in self.grants if m.lapsed(standing) is None)

    def rests_on(self, name: AuthorityId | GrantId) -> bool:
        """Say whether this, or a grant of it, is what `name` names or descends from that."""
        return name in self.lineage or any(name in minted.lineage for minted in self.grants)

    def file_rights(
        self, standing: Standing, never: tuple[NeverRule, ...]
    ) -> tuple[FileRight, ...]:
        """Return the file rights of the live grants under `never`, which holds its own rules."""
        live = self.live(standing)
        if never == self.never:
            return tuple(self._rights[m.id] for m in live if m.id in self._rights)
        return tuple(right for m in live if (right := m.right(never)) is not None)

    def _refusal(
        self, minted: Minted, access: Access, standing: Standing
    ) -> tuple[int, str] | None:
        if isinstance(access, ReadAccess | WriteAccess):
            right = self._rights.get(minted.id)
            excluded = None if right is None else right.refusal(access)
            if excluded is not None:
                return _EXCLUDED, excluded
        grant = minted.grant
        if grant.caveats and isinstance(access, FetchAccess) and grant.leaves_out(access):
            return _EXCLUDED, f"excluded: {minted.grant} leaves it out"
        if isinstance(access, ToolAccess):
            found = (refusal(conditions, access.arguments) for conditions in minted.conditions)
            unfit = next(filter(None, found), None)
            if unfit is not None:
                return _EXCLUDED, unfit
        if not standing.revoked.isdisjoint(self.lineage):
            return _REVOKED, f"revoked: {minted.grant}"
        lapsed = minted.lapsed(standing)
        if lapsed is not None or not self.labelled:
            return lapsed
        withheld = minted.grant.withheld(standing.sources, access)
        return None if withheld is None else (_WITHHELD, f"{withheld}: {minted.grant}")

    def _narrows(self, parent: Minted, child: Grant) -> bool:
        if not parent.grant.covers(child):
            return False
        right = self._rights.get(parent.id)
        if right is None or child.path is None:
            return True
        # Naming an excluded path lifts its exclusion, which only a holder of that path may do.
        common = right.narrowed(child.path, write=child.action == "write")
        return common is not None and (common.write or child.action == "read")


def _uncovered(access: Access) -> str:
    caution = access.caution if isinstance(access, FetchAccess) else None
    return "no grant covers it" + (f": {caution}" if caution else "")


def _mintable(grant: Grant, never: tuple[NeverRule, ...], now: float) -> Grant | AuthorityError:
    unsupported = grant.unsupported()
    if unsupported is not None:
        return AuthorityError(grant, f"{unsupported} is not supported yet")
    rule = next((r for r in never if r.forbids_grant(grant)), None)
    if rule is not None:
        return AuthorityError(grant, f"{grant} is inside a never rule ({rule})")
    absolute = tuple(
        ExpiresAt(int(now * 1000) + c.seconds * 1000) if isinstance(c, ExpiresAfter) else c
        for c in grant.caveats
    )
    return replace(grant, caveats=absolute)


def _counters(name: GrantId, grant: Grant) -> tuple[tuple[GrantId, Counted], ...]:
    return tuple((name, bound) for bound in grant.counted)
