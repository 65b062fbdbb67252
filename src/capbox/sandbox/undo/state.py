"""What lies at a name: type, mode, owner, times, a link's text, and the content as a blob.

Guarantees: no link is followed, nothing but regular files is read, and what was read has its hash.
Does not: walk (see `walk`), or hold on to an object: a state is a value.
"""

from __future__ import annotations

import os
import stat
from base64 import b64encode
from dataclasses import dataclass
from errno import ENODATA, ENOTSUP, EPERM

from capbox.messages import Json
from capbox.sandbox.undo.blobs import Blobs

KEPT_ATTRIBUTES = ("user.", "system.posix_acl_")
ATTRIBUTES_BYTES_MAX = 64 << 10
INLINE_BYTES_MAX = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_UNTOUCHED = _READ | getattr(os, "O_NOATIME", 0)
_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFLNK: "link",
    stat.S_IFDIR: "folder",
    stat.S_IFIFO: "fifo",
}

Signature = tuple[Json, ...]
"""What tells a later change by somebody else; of a folder kind, mode and owner alone."""


class NotKept(Exception):
    """It cannot be saved; the message says why, for the model and the person."""


class Heavy(Exception):
    """The content is too large to be copied while others wait."""


@dataclass(frozen=True, slots=True)
class State:
    """One object; times in nanoseconds. `blob` is the SHA-256 of a file's content, once kept.

    `attributes` are pairs of name and base64.
    """

    kind: str
    mode: int
    size: int
    mtime_ns: int
    atime_ns: int
    ino: int
    uid: int
    gid: int
    text: str = ""
    blob: str = ""
    attributes: tuple[tuple[str, str], ...] = ()

    def signature(self) -> Signature:
        """Return what is compared with a later look."""
        match self.kind:
            case "folder":
                return "folder", self.mode, self.uid, self.gid
            case "link":
                return "link", self.text
            case kind:
                return kind, self.mode, self.size, self.mtime_ns, self.ino, self.uid, self.gid

    def to_json(self) -> list[Json]:
        """Return the state as an index line has it."""
        values = [getattr(self, name) for name in self.__slots__]  # `astuple` copies deeply
        return [list(map(list, v)) if isinstance(v, tuple) else v for v in values]


def parse_state(value: Json) -> State | None:
    """Return the state of an index line, None for "nothing there". Raises ValueError."""
    match value:
        case None:
            return None
        case [str(kind), *numbers, str(text), str(blob), [*attributes]] if (
            kind in _KINDS.values() and len(numbers) == 7
        ):
            a, b, c, d, e, f, g = map(_number, numbers)
            pairs = tuple(_pair(one) for one in attributes)
            return State(kind, a, b, c, d, e, f, g, text, blob, pairs)
        case _:
            raise ValueError("not a state")


def _number(value: Json) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("not a number")


def _pair(value: Json) -> tuple[str, str]:
    match value:
        case [str(name), str(content)] if name.startswith(KEPT_ATTRIBUTES):
            return name, content
        case _:
            raise ValueError("not an attribute")


def seen(folder: int, base: str) -> State | None:
    """Return what has this name, without its content; None if nothing has. Raises OSError."""
    try:
        found = os.stat(base, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return _state(found, os.readlink(base, dir_fd=folder) if stat.S_ISLNK(found.st_mode) else "")


def captured(
    folder: int, base: str, blobs: Blobs, bytes_max: int, *, inline: bool = False
) -> State | None:
    """Return what has this name, with its content kept. Raises NotKept or OSError.

    Heavy, if it is to be done `inline` and is large.
    """
    found = seen(folder, base)
    if found is None or found.kind in ("link", "fifo"):
        return found
    if found.kind == "special":
        raise NotKept("it is no file, folder, link or pipe, so it could not be restored")
    if found.kind == "folder":
        return found
    fd = _opened(folder, base)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise NotKept("it changed while it was saved")
        if status.st_size > bytes_max:
            raise NotKept(f"saving its {status.st_size} bytes would exceed the bound of one run")
        if inline and status.st_size > INLINE_BYTES_MAX:
            raise Heavy
        blob = blobs.put(fd, status.st_size)
        return _state(status, "", blob, _attributes(fd))
    finally:
        os.close(fd)


def _opened(folder: int, base: str) -> int:
    try:
        return os.open(base, _UNTOUCHED, dir_fd=folder)
    except OSError as error:
        if error.errno != EPERM:
            raise NotKept(f"it cannot be read ({error.strerror})") from None
    return os.open(base, _READ, dir_fd=folder)  # not the owner, who alone may leave atime alone


def _state(
    found: os.stat_result,
    text: str,
    blob: str = "",
    attributes: tuple[tuple[str, str], ...] = (),
) -> State:
    return State(
        kind=_KINDS.get(stat.S_IFMT(found.st_mode), "special"),
        mode=stat.S_IMODE(found.st_mode),
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        atime_ns=found.st_atime_ns,
        ino=found.st_ino,
        uid=found.st_uid,
        gid=found.st_gid,
        text=text,
        blob=blob,
        attributes=attributes,
    )


def _attributes(fd: int) -> tuple[tuple[str, str], ...]:
    if not hasattr(os, "listxattr"):
        return ()
    found: list[tuple[str, str]] = []
    size = 0
    try:
        for name in os.listxattr(fd):
            if name.startswith(KEPT_ATTRIBUTES):
                value = os.getxattr(fd, name)
                size += len(value)
                if size > ATTRIBUTES_BYTES_MAX:
                    raise NotKept("its extended attributes are too large")
                found.append((name, b64encode(value).decode()))
    except OSError as error:
        if error.errno not in (ENOTSUP, ENODATA, EPERM):
            raise
    return tuple(found)
