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


def left_in(directory: int, bytes_max: int) -> int:
    """Return the same for an open directory, which this closes."""
    left = bytes_max
    try:
        with closing(_sizes(directory, 0)) as sizes:
            for count, size in enumerate(sizes):
                left -= size
                if left <= 0 or count >= ENTRIES_MAX:
                    return 0
    except OSError:
        return 0
    return left


def _sizes(directory: int, depth: int) -> Generator[int, None, None]:
    """Yield the size of each object below `directory`, a descriptor that this closes.

    Descriptors instead of paths: below a path of 4,096 bytes a guest could hide everything.
    """
    try:
        if depth > DEPTH_MAX:
            raise OSError(ELOOP, "too deep")
        with os.scandir(directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # another call of the run deletes meanwhile
                    yield entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        child = os.open(entry.name, DIRECTORY_FLAGS, dir_fd=directory)
                        yield from _sizes(child, depth + 1)
    finally:
        os.close(directory)
