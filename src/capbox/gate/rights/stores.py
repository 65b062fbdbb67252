"""The private directories that a tool keeps from call to call, as far as the run grants them.

Guarantees: a directory belongs to one tool's digest and one workspace, so no other tool, no other
version and no other project sees it; what it may hold is bounded. Does not: make them; the engine
does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from capbox.authority.authority import FileRight, Minted
from capbox.authority.caveats import Bytes
from capbox.authority.decision import GrantId
from capbox.authority.grant import StoreSelector
from capbox.authority.paths import GrantPath, GuestPath, HostPath
from capbox.gate.manifest import Request
from capbox.messages import ToolFailure
from capbox.sandbox.spec import Mount, Rule

GUEST = "/store"
BYTES = 10_000_000  # of one that its grant does not bound with bytes=

# The directory for a tool's digest and a name, made if it is missing. Raises OSError.
Place = Callable[[str, str], HostPath]


@dataclass(frozen=True, slots=True)
class Stores:
    """The mounts of one call, and the grants behind them."""

    mounts: tuple[Mount, ...] = ()
    shown: frozenset[GrantId] = frozenset()

    @property
    def readable(self) -> tuple[tuple[FileRight, HostPath], ...]:
        """Return what a call can read there, as rights on files of the host.

        Attack: one run keeps a secret in its store, and the next one sends what it finds there.
        """
        places = ((GrantPath(m.host), m.host) for m in self.mounts)
        return tuple((FileRight(p, True, (), (), GrantId(""), ""), h) for p, h in places)

    @property
    def listed(self) -> tuple[str, ...]:
        """Return each as the record names it."""
        return tuple(f"store {mount.guest}" for mount in self.mounts)


def stores(
    live: Iterable[Minted], requests: Iterable[Request], digest: str, place: Place | None
) -> Stores | ToolFailure:
    """Return what the tool with this digest and these requests gets."""
    names = {request.name for request in requests if request.kind == "store"}
    rooms: dict[str, int] = {}
    shown: set[GrantId] = set()
    for minted in live:
        selector = minted.grant.selector
        if place is None or not isinstance(selector, StoreSelector):
            continue
        if names.isdisjoint({None, selector.name}):
            continue
        bounds = (c.count for c in minted.grant.caveats if isinstance(c, Bytes))
        # One grant alone allows it, so the widest counts.
        rooms[selector.name] = max(rooms.get(selector.name, 0), min(bounds, default=BYTES))
        shown.add(minted.id)
    if place is None or not rooms:
        return Stores()
    try:
        hosts = {name: place(digest, name) for name in sorted(rooms)}
    except OSError as error:
        return ToolFailure("sandbox_failed", f"what the tool keeps cannot be opened: {error}")
    write = (Rule(write=True),)
    mounts = (
        Mount(GuestPath(f"{GUEST}/{name}"), host, write, bytes_max=rooms[name])
        for name, host in hosts.items()
    )
    return Stores(tuple(mounts), frozenset(shown))
