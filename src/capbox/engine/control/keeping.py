"""What tools keep from call to call, as `capbox why` is asked about it: `write /store/memo/a.txt`.

Guarantees: that is a question about `store:memo`, which alone decides on it, unless this machine
has a /store itself. Does not: decide; the gate mounts a store, or does not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from capbox.authority.access import Access
from capbox.authority.authority import Minted
from capbox.authority.decision import Standing
from capbox.authority.grant import Grant, StoreSelector
from capbox.authority.parse import parse_grant
from capbox.gate.rights.stores import GUEST


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """Something in a store, or (`store memo`) the store itself."""

    action: str
    subject: str
    selector: StoreSelector

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"

    @property
    def missing(self) -> str:
        """Return the grant that would allow this."""
        return f"store:{self.selector}"

    def verdict(self, minted: Minted, standing: Standing) -> str:
        """Say what a grant of a store says to it."""
        if minted.grant.selector != self.selector:
            return "does not cover it"
        lapsed = minted.lapsed(standing)
        return "allows it, to tools that request it" if lapsed is None else lapsed[1]


def store_access(action: str, path: str) -> StoreAccess | None:
    """Return what a path that a tool names is in a store, if it is."""
    top, _, below = path.removeprefix("/").partition("/")
    if f"/{top}" != GUEST or os.path.lexists(GUEST):
        return None
    return _named(below.partition("/")[0], action, path)


def store_named(name: str) -> StoreAccess | None:
    """Return the access to the whole store of this name, if it is one."""
    return _named(name, "store", name)


def _named(name: str, action: str, subject: str) -> StoreAccess | None:
    grant = parse_grant(f"store:{name}")
    selector = grant.selector if isinstance(grant, Grant) else None
    return StoreAccess(action, subject, selector) if isinstance(selector, StoreSelector) else None


def selects(grant: Grant, access: Access | StoreAccess) -> bool:
    """Say whether a grant is for this access, whatever its caveats are."""
    if isinstance(access, StoreAccess):
        return grant.selector == access.selector
    return grant.selects(access)
