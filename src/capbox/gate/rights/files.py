"""From what a run holds and a tool requests to the mounts that a sandbox enforces.

Guarantees: a mount carries every granted right that covers its root, each as a rule of its own, and
nothing that the manifest does not request. A cut says what it was made from, so that it can be kept
from call to call; whether a path is a directory is looked up each time. The only IO is `lstat` and
`realpath`. Does not: follow a link; a grant's root was resolved when it was minted.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass

from capbox.authority.access import Access, ReadAccess, WriteAccess
from capbox.authority.authority import FileRight
from capbox.authority.paths import GrantPath, HostPath, Layout
from capbox.gate.manifest import Request
from capbox.sandbox.spec import Mount, Rule


@dataclass(frozen=True, slots=True)
class Cut:
    """What a tool gets of the `held` rights; `places` are its mounts as if all were directories."""

    held: tuple[FileRight, ...]
    rights: tuple[FileRight, ...]
    places: tuple[Mount, ...]


def cut(held: tuple[FileRight, ...], requests: Iterable[Request], layout: Layout) -> Cut:
    """Return what the tool requests of what is held, and where the guest can see it."""
    rights = _requested(held, requests)
    found = (_place(path, rights, layout) for path in dict.fromkeys(r.path for r in rights))
    return Cut(held, rights, tuple(place for place in found if place is not None))


def mounts(places: Iterable[Mount]) -> tuple[Mount, ...]:
    """Return one mount for each place, as its path is now: a directory, or one name in one."""
    found = (mount if _is_directory(mount.host) else _single(mount) for mount in places)
    return tuple(mount for mount in found if mount is not None)


def _requested(held: Iterable[FileRight], requests: Iterable[Request]) -> tuple[FileRight, ...]:
    """Return the part of each held right that the tool requests; a write request covers reading."""
    found: list[FileRight] = []
    wanted = [(r.path, r.kind == "write") for r in requests if r.kind in ("read", "write")]
    for right in held:
        for path, write in wanted:
            narrowed = right.narrowed(path or right.path, write=write)
            if narrowed is not None and (right.write or not write):
                found.append(narrowed)
    return _strongest(found)


def linked_to(access: Access, layout: Layout) -> GrantPath | None:
    """Return where the path of `access` really leads, if links on the way make that differ."""
    if not isinstance(access, ReadAccess | WriteAccess):
        return None
    named = host_path(access.path, layout)
    real = os.path.realpath(named)
    return None if real == named else layout.canonical(real)


def host_path(path: GrantPath, layout: Layout) -> HostPath:
    """Return the path on this machine that a grant path names."""
    guest = layout.guest_of(path)
    host = None if guest is None else layout.host_of(guest)
    return HostPath(path) if host is None else host


def _strongest(rights: list[FileRight]) -> tuple[FileRight, ...]:
    """Drop a read-only copy of a right that is there for writing too."""
    writing = {(r.grant, r.path) for r in rights if r.write}
    kept = (r for r in rights if r.write or (r.grant, r.path) not in writing)
    return tuple(dict.fromkeys(kept))


def _place(path: GrantPath, rights: tuple[FileRight, ...], layout: Layout) -> Mount | None:
    guest = layout.guest_of(path)
    if guest is None:
        return None
    covering = (right.narrowed(path, write=True) for right in rights)
    rules = tuple(
        Rule(right.write, right.hidden, right.protected, right.anchor)
        for right in covering
        if right is not None and right.path == path
    )
    return Mount(guest, host_path(path, layout), rules)


def _single(place: Mount) -> Mount | None:
    # Also for what is missing or a link: the sandbox opens the one name and judges what it got.
    parent, _, name = place.host.rpartition("/")
    folder = HostPath(parent or "/")
    return Mount(place.guest, folder, place.rules, name) if _is_directory(folder) else None


def _is_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
