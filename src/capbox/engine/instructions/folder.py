"""The AGENTS.md files of a workspace: the one at its top as text, those below as names.

Guarantees: each is read or named only if the run may read it; CLAUDE.md counts where there is no
AGENTS.md; the walk is bounded in folders, names and depth, and follows no link. Does not: read
those below; a run does, when it works there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from capbox.authority.paths import WORKSPACE, joined
from capbox.authority.values.label import NOTHING, Sources
from capbox.engine.instructions.reader import Reader, Text, Unread

NAMES = ("AGENTS.md", "CLAUDE.md")
TEXT_BYTES_MAX = 32 * 1024
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
    further = tuple(islice(_further(reader), LISTED_MAX)) if reader.may_read(WORKSPACE) else ()
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


def _further(reader: Reader) -> Iterator[str]:
    """Yield the paths of those below the top, the nearest to it first."""
    for found in reader.walk(NAMES, _LEFT_OUT):
        path = joined(found.folder, next(name for name in NAMES if name in found.names))
        if reader.may_read(path):
            yield path
