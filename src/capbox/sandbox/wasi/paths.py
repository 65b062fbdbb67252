"""The path_* functions and capbox_fs: opening, looking, making, removing, linking.

Guarantees: every name is judged before its effect, every effect is recorded before it happens, and
nothing that a *person* follows later (a link, a redirecting file) leads out of what was granted.
Does not: rename (see `renaming`).
"""

from __future__ import annotations

import errno
import os
import stat
from struct import Struct

from capbox.sandbox.judge import CHANGE, READ, REPLACE
from capbox.sandbox.process.device import PATH as DEVICE
from capbox.sandbox.wasi import abi
from capbox.sandbox.wasi.access import ONE_FILE, SPECIAL, Access, Opened
from capbox.sandbox.wasi.call import StopCall
from capbox.sandbox.wasi.files import chosen_times, packed_status, synthetic_status
from capbox.sandbox.wasi.mounts import Place
from capbox.sandbox.wasi.renaming import check_target
from capbox.sandbox.wasi.table import Descriptor, Kind

DANGLING = "a link that leads nowhere"
HARD_LINK = "hard links are never made"
SYNTHETIC_MODE = stat.S_IFDIR | 0o555
MODE_BITS = 0o777
# Libraries ask for them unasked, and do without: no refusal that a person should hear of.
ABSENT = frozenset({"/dev/null", "/dev/random", "/dev/urandom"})
_FS_STATUS = Struct("<IIII")


class Paths:
    """Host functions on names."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._call = access.call
        self._memory = access.memory
        self._table = access.table

    def path_open(
        self,
        fd: int,
        lookup: int,
        pointer: int,
        length: int,
        oflags: int,
        rights: int,
        _inheriting: int,
        fdflags: int,
        out: int,
    ) -> int:
        """Open or make a file, or open a directory."""
        place = self._access.place(fd, pointer, length)
        self._memory.slice(out, 4)
        self._table.check_room()
        append = bool(fdflags & abi.FD_APPEND)
        write = bool(rights & abi.RIGHT_WRITE or oflags & abi.O_TRUNC)
        if place.guest == DEVICE and place.mount is None:
            descriptor = Descriptor(Kind.DEVICE)
        elif place.guest in ABSENT and place.mount is None:
            raise FileNotFoundError(errno.ENOENT, "no such device")
        elif place.synthetic:
            descriptor = self._open_synthetic(place, oflags, write=write)
        else:
            flags = os.O_APPEND if append else 0
            if write:
                flags |= os.O_RDWR if rights & abi.RIGHT_READ else os.O_WRONLY
            if oflags & abi.O_DIRECTORY:
                flags |= os.O_DIRECTORY
            follow = bool(lookup & abi.LOOKUP_FOLLOW)
            found = self._found(place, oflags, flags, follow=follow)
            descriptor = self._descriptor(found, place, write=write)
            descriptor.append = append
            self._announce(descriptor, truncate=bool(oflags & abi.O_TRUNC))
        self._memory.put_u32(out, self._table.add(descriptor))
        return 0

    def path_filestat_get(self, fd: int, lookup: int, pointer: int, length: int, out: int) -> int:
        """Return type, size and times."""
        place = self._access.place(fd, pointer, length)
        self._memory.slice(out, 64)
        if place.synthetic:
            names = len(self._access.tree.children(place.guest))
            self._memory.write(out, synthetic_status(1 + names))
            return 0
        found = self._access.look(place, follow=bool(lookup & abi.LOOKUP_FOLLOW))
        os.close(found.fd)
        self._memory.write(out, packed_status(found.status))
        return 0

    def path_filestat_set_times(
        self,
        fd: int,
        lookup: int,
        pointer: int,
        length: int,
        accessed: int,
        modified: int,
        flags: int,
    ) -> int:
        """Set times by name; of a link itself never."""
        place = self._access.place(fd, pointer, length)
        follow = bool(lookup & abi.LOOKUP_FOLLOW)
        found = self._access.opened(place, os.O_RDONLY, kind=REPLACE, follow=follow)
        try:
            times = chosen_times(found.status, accessed, modified, flags)
            self._call.effect("utime", found.mount, found.name)
            os.utime(found.fd, ns=times)
        finally:
            os.close(found.fd)
        return 0

    def path_create_directory(self, fd: int, pointer: int, length: int) -> int:
        """Make a directory."""
        place = self._access.place(fd, pointer, length)
        if place.synthetic or (place.mount is not None and not place.name):
            raise OSError(errno.EEXIST, "exists")
        with self._access.parent(place, CHANGE) as parent:
            if parent.mount.name is not None:
                raise self._call.refuse("write", place.guest, ONE_FILE)
            parent.check_free()
            self._call.charge_created(parent.mount)
            self._call.effect("mkdir", parent.mount, parent.name)
            os.mkdir(parent.base, MODE_BITS, dir_fd=parent.fd)
        return 0

    def path_unlink_file(self, fd: int, pointer: int, length: int) -> int:
        """Remove a name that is not a directory's."""
        place = self._access.place(fd, pointer, length)
        with self._access.parent(place, REPLACE) as parent:
            self._access.check_made(parent.mount, parent.base)
            is_directory = stat.S_ISDIR(parent.status().st_mode)
            if is_directory or place.slash:
                raise OSError(errno.EISDIR if is_directory else errno.ENOTDIR, "wrong type")
            self._call.effect("delete", parent.mount, parent.name)
            os.unlink(parent.base, dir_fd=parent.fd)
        return 0

    def path_remove_directory(self, fd: int, pointer: int, length: int) -> int:
        """Remove an empty directory."""
        place = self._access.place(fd, pointer, length)
        with self._access.parent(place, CHANGE) as parent:
            if self._access.tree.holds_mount(place.guest) and parent.mount.name is None:
                raise OSError(errno.EBUSY, "something is mounted here")
            if not stat.S_ISDIR(parent.status().st_mode):
                raise OSError(errno.ENOTDIR, "not a directory")
            self._call.effect("rmdir", parent.mount, parent.name)
            os.rmdir(parent.base, dir_fd=parent.fd)
        return 0

    def path_symlink(
        self, text_pointer: int, text_length: int, fd: int, pointer: int, length: int
    ) -> int:
        """Make a symbolic link with a relative target inside the mount."""
        text = self._memory.text(text_pointer, text_length)
        place = self._access.place(fd, pointer, length)
        with self._access.parent(place, REPLACE) as parent:
            if parent.mount.name is not None:
                raise self._call.refuse("write", place.guest, SPECIAL)
            problem = check_target(parent.mount.judge, text, place.name, parent.name)
            if problem is not None:
                raise self._call.refuse("write", place.guest, problem)
            parent.check_free()
            self._call.charge_created(parent.mount)
            self._call.effect("symlink", parent.mount, parent.name)
            os.symlink(text, parent.base, dir_fd=parent.fd)
        return 0

    def path_readlink(
        self, fd: int, pointer: int, length: int, buffer: int, room: int, out: int
    ) -> int:
        """Return a link's text, cut to the buffer."""
        place = self._access.place(fd, pointer, length)
        target = self._memory.slice(buffer, room)
        self._memory.slice(out, 4)
        if place.synthetic or (place.mount is not None and not place.name):
            raise OSError(errno.EINVAL, "not a link")
        with self._access.parent(place, READ) as parent:
            self._access.check_made(parent.mount, parent.base)
            if stat.S_ISLNK(parent.status().st_mode):
                # Attack: a link's text carries what its maker had read to whom may not read it.
                self._call.looked("read", parent.mount, parent.name)
            text = os.fsencode(os.readlink(parent.base, dir_fd=parent.fd))[:room]
        target[: len(text)] = text
        self._memory.put_u32(out, len(text))
        return 0

    def path_link(
        self,
        _fd: int,
        _lookup: int,
        _pointer: int,
        _length: int,
        to: int,
        pointer: int,
        length: int,
    ) -> int:
        """Refuse: a hard link would give a file a name that no later check can judge."""
        place = self._access.place(to, pointer, length)
        self._call.refuse("write", place.guest, HARD_LINK)
        raise OSError(errno.EPERM, HARD_LINK)

    def capbox_fs_stat(self, pointer: int, length: int, out: int) -> int:
        """capbox_fs.stat: mode, number of links, owner and group of an absolute path."""
        place = self._access.tree.locate("/", self._memory.text(pointer, length))
        self._memory.slice(out, _FS_STATUS.size)
        if place.synthetic:
            self._memory.write(out, _FS_STATUS.pack(SYNTHETIC_MODE, 1, 0, 0))
            return 0
        found = self._access.look(place, follow=True)
        os.close(found.fd)
        s = found.status
        links = min(s.st_nlink, 0xFFFFFFFF)
        self._memory.write(out, _FS_STATUS.pack(s.st_mode, links, s.st_uid, s.st_gid))
        return 0

    def capbox_fs_chmod(self, pointer: int, length: int, mode: int) -> int:
        """capbox_fs.chmod: permission bits only."""
        place = self._access.tree.locate("/", self._memory.text(pointer, length))
        # Attack: a setuid file that the guest wrote, started by a person later.
        if mode & ~MODE_BITS:
            raise OSError(errno.EINVAL, "only permission bits")
        found = self._access.opened(place, os.O_RDONLY, kind=REPLACE, follow=True)
        try:
            if not found.name:
                raise OSError(errno.EPERM, "the root of a mount")
            self._call.effect("chmod", found.mount, found.name)
            os.fchmod(found.fd, mode)
        finally:
            os.close(found.fd)
        return 0

    def _open_synthetic(self, place: Place, oflags: int, *, write: bool) -> Descriptor:
        if oflags & abi.O_CREAT and oflags & abi.O_EXCL:
            raise OSError(errno.EEXIST, "exists")
        if write:
            raise OSError(errno.EISDIR, "a directory")
        return Descriptor(Kind.SYNTHETIC, guest=place.guest)

    def _found(self, place: Place, oflags: int, flags: int, *, follow: bool) -> Opened:
        access = self._access
        kind = REPLACE if flags & (os.O_WRONLY | os.O_RDWR) else READ
        if not oflags & abi.O_CREAT:
            return access.opened(place, flags, kind=kind, follow=follow)
        if oflags & abi.O_DIRECTORY or place.slash:
            raise OSError(errno.EINVAL, "directories are made by path_create_directory")
        if oflags & abi.O_EXCL:
            return access.create(place, flags)
        for attempt in (access.opened, access.opened):
            try:
                return attempt(place, flags, kind=kind, follow=follow)
            except FileNotFoundError:
                pass
            try:
                return access.create(place, flags)
            except FileExistsError:
                # Made by someone else meanwhile, or a dangling link: look again, once.
                continue
        raise self._call.refuse("write", place.guest, DANGLING)

    def _descriptor(self, found: Opened, place: Place, *, write: bool) -> Descriptor:
        is_directory = stat.S_ISDIR(found.status.st_mode)
        return Descriptor(
            Kind.DIRECTORY if is_directory else Kind.FILE,
            found.fd,
            guest=place.guest,
            mount=found.mount,
            name=found.name,
            write=write,
        )

    def _announce(self, opened: Descriptor, *, truncate: bool) -> None:
        if opened.kind is not Kind.FILE or opened.mount is None:
            return
        try:
            if opened.write:
                opened.effect = self._call.effect("write", opened.mount, opened.name)
            else:
                opened.effect = self._call.looked("read", opened.mount, opened.name)
            if truncate:
                os.ftruncate(opened.fd, 0)
        except (OSError, StopCall):
            os.close(opened.fd)
            raise
