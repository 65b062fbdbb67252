"""What an approval for always was given for, as the kernel knows it: path, device, inode, birth.

A path alone says nothing about what is there tomorrow, and an inode is given again: on ext4 the
next new file has that of the one removed before. Where a file system does not tell when a file was
made, path, device and inode are all there is. A folder, and a file that may be read, is
bound to itself; a file that may be written is bound to its folder, since each save makes a new
file. An approval of requests names its origin in the grant. Does not: follow links.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

from capbox.authority.grant import Grant
from capbox.authority.paths import Layout
from capbox.gate.rights.files import host_path
from capbox.sandbox.lockdown.libc import libc

# linux/stat.h and fcntl.h: `struct statx`, of which the first word says what is filled in.
_AT_FDCWD, _AT_SYMLINK_NOFOLLOW, _STATX_BTIME = -100, 0x100, 0x800
_STATX_BYTES, _BTIME_AT = 256, 80


@dataclass(frozen=True, slots=True)
class Bound:
    """One file or folder as it was."""

    path: str
    device: int
    inode: int
    born: int | None = None  # nanoseconds since 1970


def born(path: str) -> int | None:
    """Return when what is at `path` (no link followed) was made; None if nothing tells."""
    statx = getattr(libc, "statx", None)
    if statx is None:
        return None
    found = ctypes.create_string_buffer(_STATX_BYTES)
    if statx(_AT_FDCWD, os.fsencode(path), _AT_SYMLINK_NOFOLLOW, _STATX_BTIME, found):
        return None
    (known,) = struct.unpack_from("=I", found)
    seconds, nanoseconds = struct.unpack_from("=qI", found, _BTIME_AT)
    return int(seconds) * 10**9 + int(nanoseconds) if known & _STATX_BTIME else None


def bound_folder(path: str) -> Bound | None:
    """Return a folder as it is now; None if there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    if not stat.S_ISDIR(found.st_mode):
        return None
    return Bound(path, found.st_dev, found.st_ino, born(path))


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
            return Bound(host, found.st_dev, found.st_ino, born(host))
    except FileNotFoundError:
        if grant.action == "read":
            return f"{host} does not exist"
    except OSError as error:
        return f"{host} cannot be looked at: {error.strerror}"
    folder = bound_folder(str(Path(host).parent))
    return folder or f"{Path(host).parent} does not exist"
