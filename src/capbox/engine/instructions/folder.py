"""The AGENTS.md files of a workspace: the one at its top as text, those below as names.

Guarantees: each is read or named only if the run may read it; CLAUDE.md counts where there is no
AGENTS.md; the walk is bounded in folders, names and depth, and follows no link. Does not: read
those below; a run does, when it works there.
"""

from __future__ import annotations

from dataclasses import dataclass

from capbox.authority.paths import WORKSPACE, joined
from capbox.authority.values.label import NOTHING, Sources
from capbox.engine.instructions.reader import Reader, Text, Unread

NAMES = ("AGENTS.md", "CLAUDE.md")
TEXT_BYTES_MAX = 32 * 1024
FOLDERS_MAX = 500
NAMES_MAX = 10_000
DEPTH_MAX = 6
LISTED_MAX = 40
# What others have made: notes in there are not about the work on this folder.
_LEFT_OUT = frozenset({"node_modules", "vendor", "target", "dist", "build", "venv", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Folder:
    """What the workspace says: `top` as text, `further` as paths, `unread` with the reason."""

    top: Text | None = None
    further: tuple[str, ...] = ()
    sources: Sources = NOTHING
    unread: tuple[Unread, ...] = ()


def folder_of(reader: Reader) -> Folder:
    """Look for the AGENTS.md files that a run may read."""
    top, unread = _top(reader)
    further = tuple(_further(reader)) if reader.may_read(WORKSPACE) else ()
    sources: Sources = NOTHING if top is None else top.sources
    for path in further:
        sources |= reader.listed(path)
    return Folder(top, further, sources, unread)


def _top(reader: Reader) -> tuple[Text | None, tuple[Unread, ...]]:
    for name in NAMES:
        found = reader.text(joined(WORKSPACE, name), TEXT_BYTES_MAX)
        if isinstance(found, Text):
            return found, ()
        if found is not None:
            # An AGENTS.md that may not be read is there all the same: no alias stands for it.
            return None, (found,)
    return None, ()


def _further(reader: Reader) -> list[str]:
    """Return the paths of those below the top, the nearest to it first."""
    found: list[str] = []
    waiting: list[tuple[str, int]] = [(WORKSPACE, 0)]
    looked = 0
    while waiting and looked < FOLDERS_MAX and len(found) < LISTED_MAX:
        place, depth = waiting.pop(0)
        looked += 1
        if depth:
            found += _notes(reader, place)
        if depth < DEPTH_MAX:
            names = reader.names(place, NAMES_MAX)
            kept = (n for n in names if not n.startswith(".") and n not in _LEFT_OUT)
            waiting += [(joined(place, name), depth + 1) for name in kept]
    return found


def _notes(reader: Reader, place: str) -> list[str]:
    for name in NAMES:
        path = joined(place, name)
        if isinstance(reader.text(path, 0), Text):
            return [path]
    return []
