"""How much of a run's scratch space is left, measured in the tree itself.

Guarantees: ends soon, whatever a guest built there, and never follows a link: a tree that is too
deep, too wide or closed to us counts as full. Does not delete anything.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import closing, suppress
from errno import ELOOP

from capbox.authority.paths import HostPath

ENTRIES_MAX = 20_000
DEPTH_MAX = 64
DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def bytes_left(scratch: HostPath, bytes_max: int) -> int:
    """Return what is left of `bytes_max` bytes on disk, 0 if that cannot be told."""
    try:
        return left_in(os.open(scratch, DIRECTORY_FLAGS), bytes_max)
    except OSError:
        return 0


def left_in(directory: int, bytes_max: int, entry_bytes: int | None = None) -> int:
    """Return the same for an open directory, which this closes.

    With `entry_bytes` an object takes at least so many, and as many as it is long.
    """
    left = bytes_max
    try:
        with closing(_sizes(directory, 0)) as sizes:
            for count, (size, length) in enumerate(sizes):
                # Attack: files that are empty, or nothing but a gap, a few more with each call.
                left -= size if entry_bytes is None else max(size, length, entry_bytes)
                if left <= 0 or count >= ENTRIES_MAX:
                    return 0
    except OSError:
        return 0
    return left


def _sizes(directory: int, depth: int) -> Generator[tuple[int, int], None, None]:
    """Yield bytes on disk and length of each object below `directory`, which this closes.

    Descriptors instead of paths: below a path of 4,096 bytes a guest could hide everything.
    """
    try:
        if depth > DEPTH_MAX:
            raise OSError(ELOOP, "too deep")
        with os.scandir(directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # another call of the run deletes meanwhile
                    status = entry.stat(follow_symlinks=False)
                    yield status.st_blocks * 512, status.st_size
                    if entry.is_dir(follow_symlinks=False):
                        child = os.open(entry.name, DIRECTORY_FLAGS, dir_fd=directory)
                        yield from _sizes(child, depth + 1)
    finally:
        os.close(directory)
