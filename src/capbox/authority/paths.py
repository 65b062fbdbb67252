"""Names for places, and the lexical rules on them. Nothing here touches a file system.

A *guest path* is what a tool sees (`/workspace/...`, `/mnt/NAME/...`, `/tmp/...`). A *grant path*
is what a grant says: `/workspace/...`, or an absolute host path. A `Layout` maps between them.
Guarantees: paths are compared by whole segments. Does not: follow links; the sandbox judges the
opened object again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NewType

HostPath = NewType("HostPath", str)
GuestPath = NewType("GuestPath", str)
GrantPath = NewType("GrantPath", str)

WORKSPACE = GuestPath("/workspace")
SCRATCH = GuestPath("/tmp")  # noqa: S108 - the guest's private directory, not the host's
MOUNTS = "/mnt"

_HOSTILE = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class PathRefusal:
    """A text that cannot name a place, and why."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Place:
    """A host path, and where the guest sees it."""

    host: HostPath
    guest: GuestPath


@dataclass(frozen=True, slots=True)
class Inside:
    """A place the guest may name; `grant` is what covers it (None: scratch, which needs none)."""

    guest: GuestPath
    grant: GrantPath | None


@dataclass(frozen=True, slots=True)
class Outside:
    """A place that no mount shows; `grant` is what a grant would have to name."""

    grant: GrantPath


def hostile_character(text: str) -> int | None:
    """Return the index of the first control, bidi, separator or surrogate character, if any.

    They would let a name look like another one (CVE-2021-42574) or end early (a NUL).
    """
    found = _HOSTILE.search(text)
    return None if found is None else found.start()


def quoted(text: str) -> str:
    """Return `text` as a grant prints it: a JSON string when it is empty, spaced or quoted."""
    plain = text != "" and '"' not in text and not any(map(str.isspace, text))
    return text if plain else json.dumps(text, ensure_ascii=False)


def under(path: str, root: str) -> bool:
    """Say whether `path` is `root` or below it, by segments: `/a/b2` is not under `/a/b`."""
    return path == root or path.startswith(root if root == "/" else root + "/")


def below(path: str, root: str) -> str:
    """Return the part of `path` below `root` ("" for root itself); `path` must be under it."""
    return path[len(root) :].lstrip("/")


def joined(root: str, relative: str) -> str:
    """Return `relative` (may be "") placed below `root`."""
    return root if not relative else f"{root.rstrip('/')}/{relative}"


def is_canonical(path: str) -> bool:
    """Say whether `path` is absolute, without empty, `.` or `..` segments or hostile characters."""
    return normalise(path, GuestPath("/")) == path


def normalise(text: str, cwd: GuestPath) -> str | PathRefusal:
    """Return `text` as an absolute path: relative joins `cwd`; `.`, `..` and `//` are resolved.

    Purely lexical, so `a/../b` is `b` whatever `a` is; `..` stops at the root.
    """
    if not text:
        return PathRefusal(text, "an empty path names nothing")
    if hostile_character(text) is not None:
        return PathRefusal(text, "a path may not hold control or bidi characters")
    kept: list[str] = []
    for segment in (text if text.startswith("/") else f"{cwd}/{text}").split("/"):
        if segment == "..":
            kept[-1:] = []
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a run's workspace and its host-path mounts are, on the host and for the guest."""

    workspace: HostPath
    mounts: tuple[Place, ...] = ()

    @classmethod
    def of(
        cls, workspace: HostPath, granted: Iterable[GrantPath], mapped: Iterable[Place] = ()
    ) -> Layout | PathRefusal:
        """Lay out every granted host path at `/mnt/BASENAME` (made unique), or where mapped.

        A path below another granted or mapped one is seen through that one.
        """
        places = list(mapped)
        for place in places:
            if not is_canonical(place.guest) or not place.guest.startswith(MOUNTS + "/"):
                return PathRefusal(place.guest, f"a mapped path is placed below {MOUNTS}/")
            # Attack: a place inside another one has two host paths, and the grant of the one
            # would open the other.
            if any(under(place.guest, p.guest) for p in places if p is not place):
                return PathRefusal(place.guest, "another host path is mapped there, or above it")
        taken = {place.guest for place in places}
        bare = cls(workspace)
        hosts = [HostPath(p) for p in map(bare.canonical, granted) if not under(p, WORKSPACE)]
        for host in hosts:
            covered = any(under(host, place.host) for place in places)
            if covered or any(under(host, h) and host != h for h in hosts):
                continue
            guest = _free_name(host.rpartition("/")[2] or "root", taken)
            taken.add(guest)
            places.append(Place(host, guest))
        return cls(workspace, tuple(places))

    def canonical(self, path: str) -> GrantPath:
        """Return the one grant path of a place: a host path in the workspace becomes relative."""
        if not under(path, WORKSPACE) and under(path, self.workspace):
            return GrantPath(joined(WORKSPACE, below(path, self.workspace)))
        return GrantPath(path)

    def host_of(self, path: GuestPath) -> HostPath | None:
        """Return the host path behind a guest path, or None for scratch and unmapped places."""
        if under(path, WORKSPACE):
            return HostPath(joined(self.workspace, below(path, WORKSPACE)))
        place = next((p for p in self.mounts if under(path, p.guest)), None)
        return None if place is None else HostPath(joined(place.host, below(path, place.guest)))

    def guest_of(self, path: GrantPath) -> GuestPath | None:
        """Return where the guest sees a grant path, or None if no mount shows it."""
        path = self.canonical(path)
        if under(path, WORKSPACE):
            return GuestPath(path)
        found = [p for p in self.mounts if under(path, p.host)]
        if not found:
            return None
        place = max(found, key=lambda p: len(p.host))
        return GuestPath(joined(place.guest, below(path, place.host)))

    def grant_of(self, path: GuestPath) -> GrantPath | None:
        """Return the grant path behind a guest path, or None for scratch and unmapped places."""
        host = GrantPath(path) if under(path, WORKSPACE) else self.host_of(path)
        return None if host is None else self.canonical(host)

    def locate(self, text: str, cwd: GuestPath) -> Inside | Outside | PathRefusal:
        """Say which place a tool argument names, as a guest or host spelling of it.

        A host path inside the workspace or a mount is mapped before `/tmp` is taken for scratch:
        a workspace may itself live under the host's `/tmp`.
        """
        path = normalise(text, cwd)
        if isinstance(path, PathRefusal):
            return path
        grant = self.grant_of(GuestPath(path)) or self.canonical(path)
        guest = self.guest_of(grant)
        if guest is not None:
            return Inside(guest, grant)
        return Inside(GuestPath(path), None) if under(path, SCRATCH) else Outside(grant)


def _free_name(name: str, taken: set[GuestPath]) -> GuestPath:
    guest, number = GuestPath(f"{MOUNTS}/{name}"), 1
    while any(under(one, guest) for one in taken):
        number += 1
        guest = GuestPath(f"{MOUNTS}/{name}-{number}")
    return guest
