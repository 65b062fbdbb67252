"""The paths that a call declares in its arguments: where they lead, and what to decide on. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from capbox.authority.access import Access, ReadAccess, WriteAccess
from capbox.authority.paths import WORKSPACE, GrantPath, GuestPath, Inside, Layout, PathRefusal
from capbox.gate.manifest import Manifest
from capbox.messages import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Declared:
    """The accesses that the arguments name, and the arguments as the guest gets them.

    Every declared path in them is absolute and as the guest sees it: exactly what was decided on.
    """

    accesses: tuple[Access, ...]
    arguments: JsonObject


def declared(manifest: Manifest, arguments: JsonObject, layout: Layout) -> Declared | PathRefusal:
    """Locate each declared path; one that is left out means the workspace, to be read."""
    accesses: list[Access] = []
    located: dict[str, Json] = dict(arguments)
    for path in manifest.paths:
        text = arguments.get(path.argument)
        if not isinstance(text, str) and path.kind == "write":
            continue  # nowhere to write to
        if not isinstance(text, str):
            # Left out, it is the workspace: to find nothing there would hide that nothing is held.
            accesses.append(ReadAccess(GrantPath(WORKSPACE)))
            continue
        place = layout.locate(text, WORKSPACE)
        if isinstance(place, PathRefusal):
            return place
        seen: GuestPath | GrantPath = place.guest if isinstance(place, Inside) else place.grant
        located[path.argument] = seen
        if place.grant is not None:  # else it is scratch, which needs no grant
            access = ReadAccess if path.kind == "read" else WriteAccess
            accesses.append(access(place.grant))
    return Declared(tuple(accesses), located)
