"""What an approval for always was given for, as the kernel knows it: path, device and inode.

A path alone says nothing about what is there tomorrow. A folder, and a file that may be read, is
bound to itself; a file that may be written is bound to its folder, since each save makes a new
file. An approval of requests names its origin in the grant. Does not: follow links.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from capbox.authority.grant import Grant
from capbox.authority.paths import Layout
from capbox.gate.rights.files import host_path


@dataclass(frozen=True, slots=True)
class Bound:
    """One file or folder as it was."""

    path: str
    device: int
    inode: int


def bound_folder(path: str) -> Bound | None:
    """Return a folder as it is now; None if there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return Bound(path, found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


def bound_by(grant: Grant, layout: Layout) -> Bound | str | None:
    """Return what a file grant is bound to now; None for another grant, a text: why to nothing."""
    if grant.path is None:
        return None
    host = host_path(grant.path, layout)
    if os.path.realpath(host) != host:
        return f"a link is on the way to {host}"
    try:
        found = os.lstat(host)
        if stat.S_ISDIR(found.st_mode) or grant.action == "read":
            return Bound(host, found.st_dev, found.st_ino)
    except FileNotFoundError:
        if grant.action == "read":
            return f"{host} does not exist"
    except OSError as error:
        return f"{host} cannot be looked at: {error.strerror}"
    folder = bound_folder(str(Path(host).parent))
    return folder or f"{Path(host).parent} does not exist"
