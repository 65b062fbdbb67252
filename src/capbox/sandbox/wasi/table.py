"""The guest's descriptors: 0 to 2 are its standard streams, 3 is the root of its tree.

Guarantees: at most `open_files` descriptors at once; closing (and the end of the call) returns each
to the host and adds its bytes to the list of effects. Does not: check rights.
"""

from __future__ import annotations

import errno
import heapq
import os
from dataclasses import dataclass
from enum import Enum, auto

from capbox.sandbox.wasi.call import Call
from capbox.sandbox.wasi.mounts import Mount

ROOT_FD = 3
FIRST_FREE = 4


class Kind(Enum):
    """What a descriptor is; a synthetic directory has no host descriptor."""

    INPUT = auto()
    OUTPUT = auto()
    ERROR = auto()
    FILE = auto()
    DIRECTORY = auto()
    SYNTHETIC = auto()
    DEVICE = auto()


@dataclass(slots=True, eq=False)
class Descriptor:
    """One open thing. `listing` is the encoded directory and where each entry starts in it.

    `effect` is its entry in the list of effects, `transferred` counts the bytes of that effect,
    and the last write ended at `written_to`. `read`: one opened to be written has been read too.
    """

    kind: Kind
    fd: int = -1
    guest: str = ""
    mount: Mount | None = None
    name: str = ""
    write: bool = False
    read: bool = False
    append: bool = False
    effect: int = -1
    transferred: int = 0
    written_to: int = -1
    listing: tuple[bytes, list[int]] | None = None

    def held(self) -> Mount:
        """Return the mount that it was opened in."""
        if self.mount is None:
            raise OSError(errno.EBADF, "not in a mount")
        return self.mount


class Table:
    """All descriptors of the present guest."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._open: dict[int, Descriptor] = {}
        self._free: list[int] = []
        self._next = FIRST_FREE
        self._standard()

    def get(self, fd: int) -> Descriptor:
        """Return a descriptor, EBADF if there is none."""
        found = self._open.get(fd)
        if found is None:
            raise OSError(errno.EBADF, "no such descriptor")
        return found

    def file(self, fd: int) -> Descriptor:
        """Return the descriptor of a regular file."""
        found = self.get(fd)
        if found.kind is not Kind.FILE:
            stream = found.kind in (Kind.INPUT, Kind.OUTPUT, Kind.ERROR, Kind.DEVICE)
            raise OSError(errno.ESPIPE if stream else errno.EISDIR, "not a file")
        return found

    def base(self, fd: int) -> str:
        """Return the guest path of a directory, for names relative to it."""
        found = self.get(fd)
        if found.kind is not Kind.DIRECTORY and found.kind is not Kind.SYNTHETIC:
            raise OSError(errno.ENOTDIR, "not a directory")
        return found.guest

    def holds(self, fd: int) -> bool:
        """Say whether `fd` is open."""
        return fd in self._open

    def check_room(self) -> None:
        """Raise EMFILE if another descriptor would be one too many."""
        if len(self._open) >= FIRST_FREE + self._call.bounds.open_files:
            raise OSError(errno.EMFILE, "too many open files")

    def add(self, descriptor: Descriptor) -> int:
        """Take over `descriptor` and return its lowest free number."""
        if self._free:
            fd = heapq.heappop(self._free)
        else:
            fd = self._next
            self._next += 1
        self._open[fd] = descriptor
        return fd

    def close(self, fd: int) -> None:
        """Close one; streams stay, the root may not go."""
        descriptor = self.get(fd)
        if fd == ROOT_FD:
            raise OSError(errno.ENOTSUP, "the root stays open")
        if fd < ROOT_FD:
            return
        del self._open[fd]
        heapq.heappush(self._free, fd)
        self._release(descriptor)

    def move(self, fd: int, to: int) -> None:
        """Make `to` mean what `fd` means, as dup2 and close."""
        self.get(to)
        self.get(fd)
        if fd < FIRST_FREE or to < FIRST_FREE:
            raise OSError(errno.ENOTSUP, "standard descriptors stay")
        if fd == to:
            return
        self._release(self._open[to])
        self._open[to] = self._open.pop(fd)
        heapq.heappush(self._free, fd)

    def clear(self) -> None:
        """Close everything: the guest has ended."""
        for descriptor in self._open.values():
            self._release(descriptor)
        self._free.clear()
        self._next = FIRST_FREE
        self._standard()

    def listed_bytes(self) -> int:
        """Return how much memory the listings of open directories hold."""
        return sum(len(d.listing[0]) for d in self._open.values() if d.listing is not None)

    def _standard(self) -> None:
        self._open = {
            0: Descriptor(Kind.INPUT),
            1: Descriptor(Kind.OUTPUT),
            2: Descriptor(Kind.ERROR),
            ROOT_FD: Descriptor(Kind.SYNTHETIC, guest="/"),
        }

    def _release(self, descriptor: Descriptor) -> None:
        effects = self._call.effects
        if effects is not None and descriptor.kind is Kind.FILE:
            effects.transferred(descriptor.effect, descriptor.transferred)
        if descriptor.fd >= 0:
            os.close(descriptor.fd)
            descriptor.fd = -1
