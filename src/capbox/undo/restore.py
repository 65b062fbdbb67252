"""Making one name what it was, beneath its root and by no link.

Guarantees: what is there is replaced whole, by rename, or only its mode and times are set; nothing
outside the opened folder is touched, whatever stands at the name. Does not: save what it replaces.
"""

from __future__ import annotations

import os
import stat
from base64 import b64decode
from contextlib import suppress
from pathlib import Path

from capbox.sandbox.undo.blobs import Blobs, copy, digest_of
from capbox.sandbox.undo.state import State, seen

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def put(folder: int, base: str, state: State | None, blobs: Blobs) -> str:
    """Make `base` in `folder` what `state` says, but for a folder's mode and times.

    Returns what that did, in a word ("" for nothing). Raises OSError.
    """
    now = seen(folder, base)
    if state is None:
        return _removed(folder, base, now)
    if state.kind == "folder":
        if now is not None and now.kind == "folder":
            return ""
        _removed(folder, base, now)
        os.mkdir(base, 0o700, dir_fd=folder)
        return "mkdir"
    if now is not None and now.kind == "folder":
        os.rmdir(base, dir_fd=folder)
    if state.kind == "file":
        return _file(folder, base, state, now, blobs)
    if now is not None and now.kind == state.kind and now.text == state.text:
        _times(folder, base, state)
        return ""
    name = _temporary()
    if state.kind == "link":
        os.symlink(state.text, name, dir_fd=folder)
    else:
        os.mkfifo(name, state.mode & 0o777, dir_fd=folder)
    _times(folder, name, state)
    os.rename(name, base, src_dir_fd=folder, dst_dir_fd=folder)
    return "symlink" if state.kind == "link" else "create"


def open_up(folder: int, base: str) -> None:
    """Let the owner of a folder change what is in it. Raises OSError, also where a link stands.

    Attack: a link is put there in between, to a private folder, and that is opened to everybody.
    """
    # Its owner may not read it, so it cannot be opened but for its place.
    fd = os.open(base, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        Path(f"/proc/self/fd/{fd}").chmod(stat.S_IMODE(os.fstat(fd).st_mode) | 0o700)
    finally:
        os.close(fd)


def settle(folder: int, base: str, state: State, *, times: bool) -> None:
    """Give a folder the mode, and with `times` the times, that it had. Raises OSError."""
    fd = os.open(base, _READ | os.O_DIRECTORY, dir_fd=folder)
    try:
        found = os.fstat(fd)
        mode = _owned(fd, state)
        if stat.S_IMODE(found.st_mode) != mode:
            os.fchmod(fd, mode)
        if times:
            os.utime(fd, ns=(state.atime_ns, state.mtime_ns))
    finally:
        os.close(fd)


def _removed(folder: int, base: str, now: State | None) -> str:
    if now is None:
        return ""
    if now.kind == "folder":
        os.rmdir(base, dir_fd=folder)
        return "rmdir"
    os.unlink(base, dir_fd=folder)
    return "delete"


def _file(folder: int, base: str, state: State, now: State | None, blobs: Blobs) -> str:
    if now is not None and now.kind == "file" and now.size == state.size:
        with suppress(PermissionError):
            fd = os.open(base, _READ, dir_fd=folder)
            try:
                if digest_of(fd) == state.blob:
                    _attributes(fd, state)
                    return "chmod" if now.mode != state.mode else ""
            finally:
                os.close(fd)
    source, name = blobs.open(state.blob), _temporary()
    try:
        target = os.open(name, _NEW, 0o600, dir_fd=folder)
        try:
            copy(source, target)
            _attributes(target, state)
            os.rename(name, base, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(name, dir_fd=folder)
            raise
        finally:
            os.close(target)
    finally:
        os.close(source)
    return "create" if now is None else "write"


def _attributes(fd: int, state: State) -> None:
    """Give an open file the owner, mode, attributes and times that it had."""
    os.fchmod(fd, _owned(fd, state))
    for name, value in state.attributes:
        with suppress(OSError):  # not every file system takes what another had
            os.setxattr(fd, name, b64decode(value))
    os.utime(fd, ns=(state.atime_ns, state.mtime_ns))


def _owned(fd: int, state: State) -> int:
    """Give an open file the owner that it had, if we may; return the mode that it is to have.

    Attack: somebody else's setuid program in a shared folder would come back as one of ours.
    """
    owners, found = (state.uid, state.gid), os.fstat(fd)
    if (found.st_uid, found.st_gid) != owners:
        with suppress(PermissionError):
            os.fchown(fd, *owners)
        found = os.fstat(fd)
    return state.mode if (found.st_uid, found.st_gid) == owners else state.mode & 0o1777


def _times(folder: int, base: str, state: State) -> None:
    times = (state.atime_ns, state.mtime_ns)
    os.utime(base, ns=times, dir_fd=folder, follow_symlinks=False)


def _temporary() -> str:
    return f".capbox-{os.urandom(8).hex()}-undo.tmp"
