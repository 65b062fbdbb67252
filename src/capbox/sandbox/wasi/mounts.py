"""The guest's tree of names: which mount a guest path belongs to. No file is looked at.

Guarantees: paths are normalised lexically (as Go does) before anything else, the longest mounted
prefix wins, directories above mounts exist (synthetic, listable, empty otherwise), and /workspace
always does. Does not: decide about access.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from capbox.sandbox import spec
from capbox.sandbox.judge import MEMO_NAME_CHARS_MAX, Judge
from capbox.sandbox.scratch import DIRECTORY_FLAGS, left_in
from capbox.sandbox.spec import is_temporary

PATH_BYTES_MAX = 4096
ENTRY_BYTES = 4096  # of a store, for a name: empty files without end would fill a disk too
MEMO_MAX = 4096
SCRATCH = "/tmp"  # noqa: S108  the guest's name of its private scratch directory
ALWAYS = ("/", "/workspace")


class OpenMount(NamedTuple):
    """A mount as the parent hands it over, with an O_PATH descriptor of its directory `host`."""

    given: spec.Mount
    fd: int


class Mount:
    """One mount and the state that belongs to it. `made` holds a file mount's temporary names."""

    __slots__ = (
        *("bytes_max", "fd", "guest", "host", "judge", "left", "made", "name", "real", "scratch"),
    )

    def __init__(self, opened: OpenMount) -> None:
        given, self.fd = opened
        self.guest: str = given.guest
        self.host = given.host
        self.name = given.name
        self.scratch = given.guest == SCRATCH
        self.bytes_max = given.bytes_max
        self.left = 0
        self.judge = Judge(given.rules)
        self.real = ""  # where the kernel says that the root is; the opener keeps it
        self.made: set[str] = set()

    def measure(self) -> None:
        """Look how much of what it may hold is left: for the call that begins."""
        self.left = 0
        if self.bytes_max is not None:
            with suppress(OSError):  # what cannot be measured counts as full
                root = os.open(".", DIRECTORY_FLAGS, dir_fd=self.fd)
                self.left = left_in(root, self.bytes_max, ENTRY_BYTES)

    def charge(self, count: int) -> None:
        """Account for so many bytes on disk before they are taken. Raises OSError."""
        if self.bytes_max is not None:
            if count > self.left:
                raise OSError(errno.ENOSPC, "the store is full")
            self.left -= count

    def host_path(self, name: str) -> str:
        """Return the host path of a name in this mount."""
        return f"{self.host.rstrip('/')}/{name}" if name else self.host

    def guest_path(self, name: str) -> str:
        """Return the guest's path of a name in this mount, links on the way followed."""
        above = self.guest if self.name is None else self.guest.rpartition("/")[0]
        return f"{above}/{name}" if name else self.guest

    def temporary(self, base: str) -> bool:
        """Say whether a replacement of this one file may be prepared under the name `base`."""
        return self.name is not None and is_temporary(base, self.name)


@dataclass(frozen=True, slots=True)
class Place:
    """A guest path and where it leads: a mount and a name in it, or neither (`mount` None).

    `synthetic` directories exist only because something is mounted below them.
    """

    guest: str
    mount: Mount | None
    name: str
    synthetic: bool
    slash: bool


class MountTree:
    """All mounts of a worker."""

    def __init__(self, mounts: tuple[OpenMount, ...]) -> None:
        self.mounts = tuple(map(Mount, mounts))
        self._at = {mount.guest: mount for mount in self.mounts}
        if "/" in self._at or len(self._at) != len(mounts):
            raise ValueError("mounts must be distinct and below /")
        self._files = tuple(m for m in self.mounts if m.name is not None and m.judge.may_write())
        self._above: dict[str, set[str]] = {path: set() for path in ALWAYS}
        for path in (*self._at, *ALWAYS[1:]):
            self._add_parents(path)
        self._memo: dict[tuple[str, str], Place] = {}

    def locate(self, base: str, path: str) -> Place:
        """Return where `path`, relative to the guest directory `base`, leads."""
        known = self._memo.get((base, path))
        if known is None:
            known = self._locate(base, path)
            if len(self._memo) >= MEMO_MAX:
                self._memo.clear()
            if len(base) + len(path) <= MEMO_NAME_CHARS_MAX:
                self._memo[base, path] = known
        return known

    def children(self, guest: str) -> frozenset[str]:
        """Return the names that exist in `guest` because something is mounted there."""
        return frozenset(self._above.get(guest, ()))

    def holds_mount(self, guest: str) -> bool:
        """Say whether something is mounted at or below `guest`."""
        return guest in self._at or guest in self._above

    def below_file(self, guest: str) -> bool:
        """Say whether `guest` is below a name that is mounted as one file."""
        return any(m.name is not None and guest.startswith(f"{m.guest}/") for m in self.mounts)

    def _add_parents(self, path: str) -> None:
        while path != "/":
            parent, _, name = path.rpartition("/")
            self._above.setdefault(parent or "/", set()).add(name)
            path = parent or "/"

    def _locate(self, base: str, path: str) -> Place:
        guest, slash = joined(base, path)
        mount, name = self._mounted(guest)
        synthetic = mount is None and guest in self._above
        return Place(guest, mount, name, synthetic, slash)

    def _mounted(self, guest: str) -> tuple[Mount | None, str]:
        exact = self._at.get(guest)
        if exact is not None:
            return exact, exact.name or ""
        parent, _, base = guest.rpartition("/")
        for mount in self._files:
            if mount.guest.rpartition("/")[0] == parent and mount.temporary(base):
                return mount, base
        prefix = parent
        while True:
            mount_above = self._at.get(prefix or "/")
            if mount_above is not None and mount_above.name is None:
                return mount_above, guest[len(prefix) + 1 :]
            if not prefix:
                return None, ""
            prefix = prefix.rpartition("/")[0]


def joined(base: str, path: str) -> tuple[str, bool]:
    """Return the normal form of `path` seen from `base`, and whether it must be a directory."""
    if not path:
        raise OSError(errno.ENOENT, "empty path")
    if "\0" in path:
        raise OSError(errno.EINVAL, "NUL in path")
    if len(path) > PATH_BYTES_MAX:
        raise OSError(errno.ENAMETOOLONG, "path too long")
    parts: list[str] = [] if path[0] == "/" else base[1:].split("/") if base != "/" else []
    last = ""
    for last in path.split("/"):
        if last == "..":
            del parts[-1:]
        elif last and last != ".":
            parts.append(last)
    # Length again: joins onto deep bases must not grow without bound.
    if sum(map(len, parts)) + len(parts) > PATH_BYTES_MAX:
        raise OSError(errno.ENAMETOOLONG, "path too long")
    return "/" + "/".join(parts), last in ("", ".", "..")
