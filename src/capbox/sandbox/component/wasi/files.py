"""wasi:filesystem: descriptors below "/", each a descriptor of the preview 1 host.

Guarantees: every name is judged, every effect recorded and bounded as for any guest, as each
function is one of `sandbox/wasi`. Does not: link, or show what an inode is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from capbox.sandbox.component.wasi.below import Below, Refusal
from capbox.sandbox.component.wasi.streams import (
    NONE,
    Descriptor,
    Failure,
    InputStream,
    OutputStream,
    Result,
)
from capbox.sandbox.wasi import abi
from capbox.sandbox.wasi.table import ROOT_FD

_NS = 1_000_000_000
_KINDS = {
    **{abi.CHARACTER_DEVICE: "character-device", abi.DIRECTORY: "directory"},
    **{abi.REGULAR: "regular-file", abi.SYMBOLIC_LINK: "symbolic-link"},
}
_OPEN = {
    **{"create": abi.O_CREAT, "directory": abi.O_DIRECTORY},
    **{"exclusive": abi.O_EXCL, "truncate": abi.O_TRUNC},
}
Flags = frozenset[str]
Time = tuple[str, tuple[int, int] | None]


@dataclass(frozen=True, slots=True, eq=False)
class DirectoryStream:
    """What is left of a listing, in order."""

    left: list[tuple[str, int]] = field(default_factory=list)


class Files:
    """The functions of wasi:filesystem."""

    def __init__(self, below: Below) -> None:
        self._below = below

    def preopens_get_directories(self) -> list[object]:
        """Return the one directory that there is from the start."""
        return [(Descriptor(ROOT_FD), "/")]

    def types_filesystem_error_code(self, failure: Failure) -> Result:
        """Return what went wrong with a file's stream."""
        return "some", (failure.code, None)

    def descriptor_open_at(
        self, at: Descriptor, follow: Flags, path: str, how: Flags, flags: Flags
    ) -> Result:
        """Open or make a file, or open a directory."""
        rights = abi.RIGHT_READ if "read" in flags else 0
        rights |= abi.RIGHT_WRITE if "write" in flags else 0
        wanted = sum(_OPEN[flag] for flag in how)
        opened = (len(follow), wanted, rights)
        return _tried(lambda: Descriptor(self._below.opened(at.fd, path, opened), flags))

    def dropped(self, thing: object) -> None:
        """Close a descriptor that nothing uses any more, but the first one."""
        file = thing.file if isinstance(thing, InputStream | OutputStream) else thing
        if isinstance(file, Descriptor):
            file.users -= 1
            if not file.users and file.fd != ROOT_FD:
                _tried(lambda: self._below("fd_close", file.fd))

    def descriptor_read(self, opened: Descriptor, count: int, offset: int) -> Result:
        """Return bytes at an offset, and whether the end was reached."""
        found = _tried(lambda: self._below.read(opened.fd, count, offset))
        return ("ok", (found[1], count > 0 and not found[1])) if found[0] == "ok" else found

    def descriptor_write(self, opened: Descriptor, content: bytes, offset: int) -> Result:
        """Write bytes at an offset; return how many."""
        return _tried(lambda: self._below.write(opened.fd, content, offset))

    def descriptor_read_via_stream(self, opened: Descriptor, offset: int) -> Result:
        """Return a stream that reads from an offset on."""
        opened.users += 1
        return "ok", InputStream(opened.fd, offset, opened)

    def descriptor_write_via_stream(self, opened: Descriptor, offset: int) -> Result:
        """Return a stream that writes from an offset on."""
        opened.users += 1
        return "ok", OutputStream(opened.fd, offset, file=opened)

    def descriptor_append_via_stream(self, opened: Descriptor) -> Result:
        """Return a stream that writes at the end."""
        opened.users += 1
        return "ok", OutputStream(opened.fd, 0, append=True, file=opened)

    def descriptor_advise(
        self, opened: Descriptor, offset: int, length: int, advice: object
    ) -> Result:
        """Accept advice without following it."""
        return _tried(lambda: self._below("fd_advise", opened.fd, offset, length, 0))

    def descriptor_sync(self, opened: Descriptor) -> Result:
        """Flush a file to its disk."""
        return _tried(lambda: self._below("fd_sync", opened.fd))

    descriptor_sync_data = descriptor_sync

    def descriptor_get_flags(self, opened: Descriptor) -> Result:
        """Return how it was opened."""
        return "ok", opened.flags

    def descriptor_get_type(self, opened: Descriptor) -> Result:
        """Return what it is."""
        return _tried(lambda: (_kind(self._below.kind(opened.fd)), None))

    def descriptor_set_size(self, opened: Descriptor, size: int) -> Result:
        """Truncate or extend."""
        return _tried(lambda: self._below("fd_filestat_set_size", opened.fd, size))

    def descriptor_set_times(self, opened: Descriptor, accessed: Time, modified: Time) -> Result:
        """Set times of an open file."""
        times = _times(accessed, modified)
        return _tried(lambda: self._below("fd_filestat_set_times", opened.fd, *times))

    def descriptor_set_times_at(
        self, at: Descriptor, follow: Flags, path: str, accessed: Time, modified: Time
    ) -> Result:
        """Set times by name."""
        times, name = _times(accessed, modified), self._below.path(path)
        call = "path_filestat_set_times"
        return _tried(lambda: self._below(call, at.fd, len(follow), *name, *times))

    def descriptor_read_directory(self, opened: Descriptor) -> Result:
        """Return a directory's entries."""
        return _tried(lambda: DirectoryStream(self._below.entries(opened.fd)[::-1]))

    def directory_entry_stream_read_directory_entry(self, stream: DirectoryStream) -> Result:
        """Return the next entry, or that there is none."""
        if not stream.left:
            return "ok", NONE
        name, kind = stream.left.pop()
        return "ok", ("some", ((_kind(kind), None), name))

    def descriptor_create_directory_at(self, at: Descriptor, path: str) -> Result:
        """Make a directory."""
        return _tried(lambda: self._below.on("path_create_directory", at.fd, path))

    def descriptor_remove_directory_at(self, at: Descriptor, path: str) -> Result:
        """Remove an empty directory."""
        return _tried(lambda: self._below.on("path_remove_directory", at.fd, path))

    def descriptor_unlink_file_at(self, at: Descriptor, path: str) -> Result:
        """Remove a name that is not a directory's."""
        return _tried(lambda: self._below.on("path_unlink_file", at.fd, path))

    def descriptor_readlink_at(self, at: Descriptor, path: str) -> Result:
        """Return a link's text."""
        return _tried(lambda: self._below.link_text(at.fd, path))

    def descriptor_symlink_at(self, at: Descriptor, text: str, path: str) -> Result:
        """Make a symbolic link."""

        def link() -> None:
            name = self._below.path(path, second=True)
            self._below("path_symlink", *self._below.path(text), at.fd, *name)

        return _tried(link)

    def descriptor_rename_at(self, at: Descriptor, old: str, to: Descriptor, new: str) -> Result:
        """Move a file, link or directory."""
        return self._two_names(at, "path_rename", (), (old, to, new))

    def descriptor_link_at(
        self, at: Descriptor, follow: Flags, old: str, to: Descriptor, new: str
    ) -> Result:
        """Refuse: hard links are never made."""
        return self._two_names(at, "path_link", (len(follow),), (old, to, new))

    def descriptor_stat(self, opened: Descriptor) -> Result:
        """Return type, size and times."""
        return _tried(lambda: _status(self._below.status(opened.fd)))

    def descriptor_stat_at(self, at: Descriptor, follow: Flags, path: str) -> Result:
        """Return type, size and times of a name."""
        return _tried(lambda: _status(self._below.status(at.fd, path, follow=bool(follow))))

    def descriptor_is_same_object(self, one: Descriptor, other: Descriptor) -> bool:
        """Say whether two descriptors are of one file."""
        try:
            return self._below.status(one.fd)[:2] == self._below.status(other.fd)[:2]
        except Refusal:
            return False

    def descriptor_metadata_hash(self, opened: Descriptor) -> Result:
        """Return a number that tells files apart."""
        return _tried(lambda: _hashed(self._below.status(opened.fd)))

    def descriptor_metadata_hash_at(self, at: Descriptor, follow: Flags, path: str) -> Result:
        """Return a number that tells files apart."""
        return _tried(lambda: _hashed(self._below.status(at.fd, path, follow=bool(follow))))

    def _two_names(
        self,
        at: Descriptor,
        call: str,
        before: tuple[int, ...],
        names: tuple[str, Descriptor, str],
    ) -> Result:
        old, to, new = names

        def act() -> None:
            target = self._below.path(new, second=True)
            self._below(call, at.fd, *before, *self._below.path(old), to.fd, *target)

        return _tried(act)


def _tried(act: Callable[[], object]) -> Result:
    try:
        return "ok", act()
    except Refusal as refusal:
        return "err", (refusal.code, None)


def _kind(number: int) -> str:
    return _KINDS.get(number, "unknown")


def _status(fields: tuple[int, ...]) -> tuple[object, ...]:
    _, _, kind, links, size, *times = fields
    return (_kind(kind), None), links, size, *(("some", divmod(time, _NS)) for time in times)


def _hashed(fields: tuple[int, ...]) -> tuple[int, int]:
    digest = hashlib.sha256(repr(fields[:2]).encode()).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")


def _times(accessed: Time, modified: Time) -> tuple[int, int, int]:
    """Return both times in nanoseconds, and the flags that say which are meant."""
    flags, found = 0, []
    for (tag, time), (given, now) in (
        (accessed, (abi.SET_ATIME, abi.SET_ATIME_NOW)),
        (modified, (abi.SET_MTIME, abi.SET_MTIME_NOW)),
    ):
        seconds, nanoseconds = time or (0, 0)
        found.append(min(seconds * _NS + nanoseconds, (1 << 64) - 1))
        flags |= {"no-change": 0, "now": now, "timestamp": given}[tag]
    return found[0], found[1], flags
