"""The checked ways to a file: every host call on a path goes through `opened` or `parent`.

Guarantees: an object is opened only if the name as asked and the real name of the opened
descriptor are both allowed by one rule; nothing is created or truncated by the opening itself;
only regular files and directories are opened; what is refused is recorded. Does not: know WASI.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from capbox.sandbox.judge import READ, REPLACE
from capbox.sandbox.raw import GuestMemory
from capbox.sandbox.spec import is_staged
from capbox.sandbox.wasi.beneath import O_PATH, Walk, opener
from capbox.sandbox.wasi.call import Call
from capbox.sandbox.wasi.mounts import Mount, MountTree, Place
from capbox.sandbox.wasi.table import Table

NO_GRANT = "no grant covers this path"
ONE_FILE = "the grant is for one file, as no directory was there"
NOT_WRITABLE = "no grant allows writing here"
EXCLUDED = "excluded from the grant"
LEADS_OUT = "a link leads out of the granted directory"
OURS = "a name that capbox uses while it moves a file"
SPECIAL = "not a regular file or directory"
UNSEARCHED = "the file has several hard links, and not every folder could be searched for them"
MULTILINK = "the file has several hard links; it is replaced by rename, never written in place"
SCAN_ENTRIES_MAX = 500_000
_PARENT_FLAGS = O_PATH | os.O_DIRECTORY


@dataclass(frozen=True, slots=True)
class Opened:
    """An open object: its host descriptor, its real name in the mount, what `fstat` says."""

    fd: int
    mount: Mount
    name: str
    status: os.stat_result


class Parent:
    """The open directory that holds a judged name; closes itself."""

    __slots__ = ("_owned", "base", "fd", "mount", "name")

    def __init__(self, mount: Mount, fd: int, *, owned: bool, directory: str, base: str) -> None:
        self.mount = mount
        self.fd = fd
        self.base = base
        self.name = f"{directory}/{base}" if directory else base
        self._owned = owned

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._owned:
            os.close(self.fd)

    def status(self) -> os.stat_result:
        """Return what the name itself is, without following it."""
        return os.stat(self.base, dir_fd=self.fd, follow_symlinks=False)

    def regular(self) -> bool:
        """Say whether the name is a regular file's."""
        try:
            return stat.S_ISREG(self.status().st_mode)
        except FileNotFoundError:
            return False

    def check_free(self) -> None:
        """Raise EEXIST if anything has the name, so that no effect is recorded for nothing."""
        try:
            self.status()
        except FileNotFoundError:
            return
        raise FileExistsError(errno.EEXIST, "exists")


class Access:
    """Rights at the moment of the effect, for all mounts of a worker."""

    def __init__(self, call: Call, memory: GuestMemory, table: Table) -> None:
        self.call = call
        self.memory = memory
        self.table = table
        self.tree = MountTree(())
        self._opener = Walk()
        self._excluded: frozenset[tuple[int, int]] | None = None
        self._searched = False

    def adopt(self, tree: MountTree, *, openat2: bool) -> None:
        """Take over the mounts of this worker, once."""
        self.tree = tree
        self._opener = opener(tree.mounts, openat2=openat2)

    def restart(self) -> None:
        """Forget which files are excluded: the next call looks again."""
        self._excluded, self._searched = None, False
        for mount in self.tree.mounts:
            mount.measure()

    def place(self, fd: int, pointer: int, length: int) -> Place:
        """Return where a guest's (directory, path) leads."""
        return self.tree.locate(self.table.base(fd), self.memory.text(pointer, length))

    def granted(self, place: Place, kind: int) -> Mount:
        """Return the mount if the name as asked is allowed; else record and raise EACCES."""
        mount = place.mount
        if mount is None:
            reason = ONE_FILE if self.tree.below_file(place.guest) else NO_GRANT
            made_up = place.synthetic and kind != READ
            raise self.refused(kind, place, NOT_WRITABLE if made_up else reason)
        if is_staged(place.name.rpartition("/")[2]):
            raise self.refused(kind, place, OURS)
        verdict = mount.judge.verdict(place.name if mount.name is None else "")
        if verdict[kind] == 0:
            unwritable = verdict[READ] != 0 and not mount.judge.may_write()
            raise self.refused(kind, place, NOT_WRITABLE if unwritable else EXCLUDED)
        return mount

    def refused(self, kind: int, place: Place, reason: str) -> OSError:
        """Record a refusal and return it as the error for the guest."""
        return self.call.refuse("read" if kind == READ else "write", place.guest, reason)

    def look(self, place: Place, *, follow: bool) -> Opened:
        """Open an object of any type for its status only."""
        mount = self.granted(place, READ)
        self.check_made(mount, place.name)
        return self._judged_open(mount, place, O_PATH, kind=READ, follow=follow)

    def opened(self, place: Place, flags: int, *, kind: int, follow: bool) -> Opened:
        """Open a regular file or directory; `kind` is what will be done with it."""
        mount = self.granted(place, kind)
        self.check_made(mount, place.name)
        found = self._judged_open(mount, place, flags, kind=kind, follow=follow)
        try:
            self._check_object(found, place, kind)
        except OSError:
            os.close(found.fd)
            raise
        return found

    def parent(self, place: Place, kind: int) -> Parent:
        """Open the directory that holds `place`, both of its names judged for `kind`."""
        mount = self.granted(place, kind)
        directory, _, base = place.name.rpartition("/")
        if not base:
            raise OSError(errno.EBUSY, "the root of a mount")
        if not directory:
            return Parent(mount, mount.fd, owned=False, directory="", base=base)
        try:
            fd, real = self._opener.open(mount, directory, _PARENT_FLAGS)
        except OSError as error:
            raise self._explained(error, place, kind) from None
        found = Parent(mount, fd, owned=True, directory=real, base=base)
        if not mount.judge.allows(kind, place.name, found.name):
            os.close(fd)
            raise self.refused(kind, place, EXCLUDED)
        return found

    def create(self, place: Place, flags: int) -> Opened:
        """Make a new regular file and open it. EEXIST if anything has the name, even a link."""
        with self.parent(place, REPLACE) as parent:
            mount = parent.mount
            parent.check_free()
            if mount.name is not None and parent.base != mount.name:
                mount.made.add(parent.base)
            self.call.charge_created(mount)
            self.call.effect("create", mount, parent.name)
            new = flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY
            fd = os.open(parent.base, new, 0o666, dir_fd=parent.fd)
            try:
                real = self._opener.real_name(mount, fd, parent.name)
                if mount.name is None and not mount.judge.allows(REPLACE, place.name, real):
                    # The directory was renamed under us by someone outside: take it back.
                    os.unlink(parent.base, dir_fd=parent.fd)
                    raise self.refused(REPLACE, place, EXCLUDED)
                return Opened(fd, mount, real, os.fstat(fd))
            except OSError:
                os.close(fd)
                raise

    def _judged_open(
        self, mount: Mount, place: Place, flags: int, *, kind: int, follow: bool
    ) -> Opened:
        if not follow or mount.name is not None:
            flags |= os.O_NOFOLLOW
        if place.slash:
            flags |= os.O_DIRECTORY
        try:
            fd, real = self._opener.open(mount, place.name, flags)
        except OSError as error:
            raise self._explained(error, place, kind) from None
        if mount.name is None and not mount.judge.allows(kind, place.name, real):
            os.close(fd)
            raise self.refused(kind, place, EXCLUDED)
        return Opened(fd, mount, real, os.fstat(fd))

    def check(self, parent: Parent, place: Place, kind: int) -> None:
        """Judge both names of an already open parent for another `kind`."""
        mount = self.granted(place, kind)
        if mount.name is None and not mount.judge.allows(kind, place.name, parent.name):
            raise self.refused(REPLACE, place, EXCLUDED)

    def unmoved(self, parent: Parent) -> bool:
        """Say whether the directory of an opened name is still where it was judged."""
        directory = parent.name.rpartition("/")[0]
        try:
            fd, real = self._opener.open(parent.mount, directory, _PARENT_FLAGS | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            return real == directory and os.path.sameopenfile(fd, parent.fd)
        finally:
            os.close(fd)

    def check_made(self, mount: Mount, name: str) -> None:
        """ENOENT for a temporary name that this call did not make."""
        # A temporary name of a file mount that this call did not make is someone else's file.
        if mount.name is not None and name != mount.name and name not in mount.made:
            raise OSError(errno.ENOENT, "no such temporary file")

    def _check_object(self, found: Opened, place: Place, kind: int) -> None:
        mode = found.status.st_mode
        if stat.S_ISDIR(mode):
            if found.mount.name is not None:
                raise self.refused(kind, place, SPECIAL)
            return
        if not stat.S_ISREG(mode):
            raise self.refused(kind, place, SPECIAL)
        if found.status.st_nlink > 1:
            if kind != READ:
                self.refused(kind, place, MULTILINK)
                raise OSError(errno.EMLINK, MULTILINK)
            # Attack: an old hard link gives an excluded file an innocent name, perhaps in a mount
            # that does not hold the excluded one.
            if not self._searched:
                self._excluded = excluded_inodes(self._opener, self.tree, self.call.check_time)
                self._searched = True
            if self._excluded is None:
                raise self.refused(kind, place, UNSEARCHED)
            if (found.status.st_dev, found.status.st_ino) in self._excluded:
                raise self.refused(kind, place, EXCLUDED)

    def _explained(self, error: OSError, place: Place, kind: int) -> OSError:
        if error.errno == errno.EXDEV:
            return self.refused(kind, place, LEADS_OUT)
        if error.errno in (errno.ENXIO, errno.ENODEV):
            return self.refused(kind, place, SPECIAL)
        return error


def excluded_inodes(
    way: Walk, tree: MountTree, check_time: Callable[[], None]
) -> frozenset[tuple[int, int]] | None:
    """Return (device, inode) of every file of `tree` that may not be read.

    None if that is not known: there are too many files, or one folder could not be looked into.
    """
    found: set[tuple[int, int]] = set()
    # What has a mount of its own is judged there alone: a grant that names it lifts exclusions.
    own = {mount.host_path(mount.name or "") for mount in tree.mounts}
    todo = [(mount, "") for mount in tree.mounts if mount.name is None and not mount.judge.plain]
    seen = 0
    while todo:
        mount, directory = todo.pop()
        check_time()
        try:
            fd, _ = way.open(mount, directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            # Attack: the folder of the excluded file, made unreadable or buried in others until
            # its path is too long to open.
            return None
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    seen += 1
                    if seen > SCAN_ENTRIES_MAX:
                        return None
                    name = f"{directory}/{entry.name}" if directory else entry.name
                    if mount.host_path(name) in own:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        todo.append((mount, name))
                    elif mount.judge.verdict(name)[READ] == 0:
                        status = os.stat(entry.name, dir_fd=fd, follow_symlinks=False)
                        found.add((status.st_dev, status.st_ino))
        finally:
            os.close(fd)
    return frozenset(found)
