"""What a blast radius is worked out from: what a run holds, and where it would run.

Values only: the command line mints through the composition root, `record` reads it from a journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from capbox.authority.authority import Authority, FileRight, Minted
from capbox.authority.budget import Budget
from capbox.authority.decision import Standing
from capbox.authority.exclusions import HIDDEN, compiled
from capbox.authority.grant import LaterSelector, ModelSelector, NameSelector
from capbox.authority.holding import Holding
from capbox.authority.limits import Limits
from capbox.authority.paths import HostPath, Layout, under
from capbox.engine.radius.cuts import Mints
from capbox.gate.rights.files import host_path


@dataclass(frozen=True, slots=True)
class Machine:
    """What of this machine matters: the home directory, and where a shell looks for programs."""

    home: HostPath | None = None
    programs: tuple[HostPath, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """A run that could be, or was: what it `held`, `as_of` when, and what it is offered.

    `shipped` are the tools that capbox brings, `offered` those that the model gets. `limits` and
    `budget` are None where nothing has them on record. `mints` says whether a grant can be given.
    Reading below a `trusted` path taints nothing.
    """

    held: tuple[Authority, ...]
    layout: Layout
    as_of: Standing
    mints: Mints
    shipped: frozenset[str] = frozenset()
    offered: tuple[str, ...] = ()
    limits: Limits | None = None
    budget: Budget | None = None
    machine: Machine = field(default_factory=Machine)
    trusted: tuple[HostPath, ...] = ()

    @property
    def live(self) -> tuple[Minted, ...]:
        """Return the grants that count, the oldest first."""
        return Holding(self.held).live(self.as_of)

    @property
    def rights(self) -> tuple[FileRight, ...]:
        """Return the file rights as the sandbox enforces them."""
        return Holding(self.held).file_rights(self.as_of)

    @property
    def models(self) -> tuple[str, ...]:
        """Return the models that may be asked."""
        selectors = (minted.grant.selector for minted in self.live)
        return tuple(str(s) for s in selectors if isinstance(s, ModelSelector))

    @property
    def children(self) -> int:
        """Return how many children may be made."""
        spawning = (m.grant.selector for m in self.live if m.grant.action == "spawn")
        return sum(int(s.text) for s in spawning if isinstance(s, LaterSelector))

    @property
    def functions(self) -> tuple[Minted, ...]:
        """Return the grants on functions of the embedding program: what capbox does not ship."""
        return tuple(m for m in self.live if self._is_function(m))

    def _is_function(self, minted: Minted) -> bool:
        selector = minted.grant.selector
        if minted.grant.action == "invoke":
            return True
        return isinstance(selector, NameSelector) and selector.name not in self.shipped

    def by_id(self) -> Mapping[str, Minted]:
        """Return every grant by its id."""
        return {minted.id: minted for authority in self.held for minted in authority.grants}

    def taints(self, right: FileRight) -> bool:
        """Say whether all that this right lets a run read counts as a stranger's words."""
        host = host_path(right.path, self.layout)
        return not any(under(host, place) or under(place, host) for place in self.trusted)

    def strange(self, right: FileRight) -> bool:
        """Say whether anything that this right lets a run read counts as a stranger's words."""
        host = host_path(right.path, self.layout)
        return not any(under(host, place) for place in self.trusted)

    def named_secrets(self) -> Iterator[tuple[FileRight, Minted]]:
        """Yield the rights that lift a secret's exclusion, because the grant names it."""
        known = self.by_id()
        for right in self.rights:
            if compiled(HIDDEN).matches(right.anchor):
                yield right, known[right.grant]
