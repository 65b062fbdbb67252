"""What file rights reach on a disk, as values: files and bytes, and what is kept from them.

Does not: look at the disk; `walk` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from capbox.authority.decision import GrantId
from capbox.authority.exclusions import Globs
from capbox.authority.paths import WORKSPACE, GrantPath, below, under

Base = Literal["/", "workspace", "anywhere"]


@dataclass(frozen=True, slots=True)
class Count:
    """So many files, and their bytes."""

    files: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """Names that somebody looks for, to be read or written.

    `base` is where the globs begin: at `/`, at the workspace, or anywhere: at the workspace and at
    every other granted path.
    """

    write: bool
    base: Base
    globs: Globs


@dataclass(frozen=True, slots=True)
class Reach:
    """What was found. `hidden` is neither read nor written, `protected` read where writes go.

    `by_grant` has what each grant alone reads and writes; `kept` names the first secrets among
    what is hidden, `links_out` the first links that lead to nothing granted; `hits` the first name
    for each watch, by its number. `closed` folders cannot be looked into by this user.
    """

    readable: Count = Count()
    writable: Count = Count()
    hidden: Count = Count()
    protected: Count = Count()
    by_grant: Mapping[GrantId, tuple[Count, Count]] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    links: int = 0
    links_out: tuple[str, ...] = ()
    hard_links: int = 0
    closed: int = 0
    hits: Mapping[int, str] = field(default_factory=dict)
    whole: bool = True


def shown(path: GrantPath) -> str:
    """Return a path as people write it: relative to the workspace where it lies there."""
    return below(path, WORKSPACE) or "." if under(path, WORKSPACE) else path
