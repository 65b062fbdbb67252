"""fd_readdir: a directory's names, encoded once and handed out in pieces.

Guarantees: excluded names are not shown, nor names that are not UTF-8 (a guest could not open
them); what open listings hold is bounded. Does not: show "." and ".." of a synthetic directory
with real inodes.
"""

from __future__ import annotations

import errno
import os
from itertools import compress, islice

from capbox.sandbox.spec import STAGED
from capbox.sandbox.wasi.abi import (
    CHARACTER_DEVICE,
    DIRECTORY,
    DIRENT,
    REGULAR,
    SYMBOLIC_LINK,
    UNKNOWN,
)
from capbox.sandbox.wasi.access import NO_GRANT, Access
from capbox.sandbox.wasi.mounts import Mount
from capbox.sandbox.wasi.table import Descriptor

NOT_UTF8 = "its name is not UTF-8, so no tool can see it"
LISTING_BYTES_MAX = 32 << 20
NAMES_MAX = 250_000
CHUNK = 4096


class Listing:
    """Reads directories for `fd_readdir`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._memory = access.memory
        self._table = access.table

    def fd_readdir(self, fd: int, pointer: int, length: int, cookie: int, out: int) -> int:
        """Copy entries from number `cookie` on; the last one may be cut (as WASI wants it)."""
        directory = self._table.get(fd)
        self._table.base(fd)
        buffer = self._memory.slice(pointer, length)
        self._memory.slice(out, 4)
        if cookie == 0 or directory.listing is None:
            directory.listing = None
            directory.listing = self._encoded(directory)
        content, starts = directory.listing
        if cookie >= len(starts):
            raise OSError(errno.EINVAL, "no such entry")
        chunk = content[starts[cookie] : starts[cookie] + length]
        buffer[: len(chunk)] = chunk
        self._memory.put_u32(out, len(chunk))
        return 0

    def _encoded(self, directory: Descriptor) -> tuple[bytes, list[int]]:
        room = LISTING_BYTES_MAX - self._table.listed_bytes()
        content = bytearray()
        starts = [0]
        for name, inode, kind in self._entries(directory):
            content += DIRENT.pack(len(starts), inode, len(name), kind)
            content += name
            starts.append(len(content))
            if len(content) > room:
                raise OSError(errno.ENOMEM, "too many names")
        return bytes(content), starts

    def _entries(self, directory: Descriptor) -> list[tuple[bytes, int, int]]:
        inode = 1 if directory.fd < 0 else os.fstat(directory.fd).st_ino
        entries = [(b".", inode, DIRECTORY), (b"..", inode, DIRECTORY)]
        mounted = self._access.tree.children(directory.guest)
        if directory.mount is not None:
            call = self._access.call
            call.looked("list", directory.mount, directory.name)
            entries += self._host_entries(directory, directory.mount)
            mounted -= {name.decode() for name, _, _ in entries} if mounted else set()
        elif not mounted:
            # It looks empty because nothing in it is granted: that should not pass for the truth.
            self._access.call.refuse("read", directory.guest, NO_GRANT)
        return entries + [(name.encode(), 1, UNKNOWN) for name in sorted(mounted)]

    def _host_entries(self, directory: Descriptor, mount: Mount) -> list[tuple[bytes, int, int]]:
        found: list[tuple[bytes, int, int]] = []
        with os.scandir(directory.fd) as scan:
            entries = list(islice(scan, NAMES_MAX + 1))
        if len(entries) > NAMES_MAX:
            raise OSError(errno.ENOMEM, "too many names")
        for start in range(0, len(entries), CHUNK):
            self._access.call.check_time()
            chunk = entries[start : start + CHUNK]
            names = [entry.name for entry in chunk]
            shown = mount.judge.shown(directory.name, names)
            for entry, text in compress(zip(chunk, names, strict=True), shown):
                if text.startswith(STAGED):
                    continue  # another call is moving it
                try:
                    name = text.encode()
                except UnicodeEncodeError:
                    shown_as = text.encode(errors="replace").decode()
                    self._access.call.refuse("read", f"{directory.guest}/{shown_as}", NOT_UTF8)
                    continue
                found.append((name, entry.inode(), _kind(entry)))
        return found


def _kind(entry: os.DirEntry[str]) -> int:
    if entry.is_file(follow_symlinks=False):
        return REGULAR
    if entry.is_dir(follow_symlinks=False):
        return DIRECTORY
    return SYMBOLIC_LINK if entry.is_symlink() else CHARACTER_DEVICE
