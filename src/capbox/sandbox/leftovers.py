"""What a call that was cut short leaves half done in a person's folders: removed, or put back.

Guarantees: touches only names that the worker recorded before it used them, that begin as no
person's do (`.capbox-`), and that a grant of the call lets it write; no link leads elsewhere, not
even one in place of the mount itself; takes a second at most. Does not: restore what was replaced
or changed; a name that is not UTF-8 stays where it is.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.effects import EffectLog
from capbox.sandbox.handles import SandboxError
from capbox.sandbox.judge import REPLACE, Judge
from capbox.sandbox.pool import open_root
from capbox.sandbox.spec import Job, Mount, Touched, is_staged, is_temporary

T = TypeVar("T")
# A worker that was taken over writes the list, and must not choose how long this takes.
SECONDS_MAX = 1.0
_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def tidy(job: Job, effects: EffectLog) -> tuple[Touched, ...]:
    """Take back what `effects` left half done, when the call is over; return what that did."""
    places = [(mount, Judge(mount.rules)) for mount in job.mounts]
    did: list[Touched] = []
    if effects.staged is not None and is_staged(effects.staged[1]):
        moved, name = effects.staged
        back = _there(places, moved.host, lambda fd, base: put_back(fd, name, base))
        if back:
            did.append(Touched("create", moved.path, moved.host))
        elif back is False:
            guest, host = _beside(moved.path, name), _beside(moved.host or "", name)
            did.append(Touched("create", GuestPath(guest), HostPath(host)))
    late = time.monotonic() + SECONDS_MAX
    for touched in effects.touched:
        # Attack: a list that pairs the path of a temporary file with the place of another one.
        made = touched.action == "create" and is_temporary(touched.host or "")
        if made and time.monotonic() < late and _there(places, touched.host, _removed):
            did.append(Touched("delete", touched.path, touched.host))
    return tuple(did)


def put_back(folder: int, staged: str, base: str) -> bool | None:
    """Undo the first half of a move. None: it does not stand. False: the name is taken by now."""
    with suppress(OSError):
        if not _exists(folder, staged):
            return None
        if not _exists(folder, base):
            os.rename(staged, base, src_dir_fd=folder, dst_dir_fd=folder)
            return True
    return False


def _beside(path: str, base: str) -> str:
    """Return the path of `base` in the directory of `path`."""
    return f"{path.rpartition('/')[0]}/{base}"


def _there(
    places: list[tuple[Mount, Judge]], host: str | None, act: Callable[[int, str], T]
) -> T | None:
    """Act in the directory of `host`, by the first mount that may write there. None if none may."""
    for mount, judge in places:
        root = mount.host.rstrip("/") + "/"
        if host is not None and host.startswith(root):
            name = host.removeprefix(root)
            with suppress(OSError, ValueError, SandboxError):
                if _writable(mount, judge, name):
                    return _at(mount, name, act)
    return None


def _writable(mount: Mount, judge: Judge, name: str) -> bool:
    if mount.name is not None:
        return "/" not in name and is_temporary(name, mount.name) and judge.may_write()
    return judge.verdict(name)[REPLACE] != 0


def _at(mount: Mount, name: str, act: Callable[[int, str], T]) -> T:
    """Act in the directory that holds `name`, reached without any link. Raises OSError."""
    *folders, base = name.split("/")
    fd = open_root(mount)
    try:
        for folder in folders:
            if folder in ("", ".", ".."):
                raise OSError(errno.EXDEV, "leads elsewhere")
            fd, above = os.open(folder, _DIRECTORY, dir_fd=fd), fd
            os.close(above)
        return act(fd, base)
    finally:
        os.close(fd)


def _exists(folder: int, base: str) -> bool:
    try:
        os.stat(base, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _removed(folder: int, base: str) -> bool:
    if not stat.S_ISREG(os.stat(base, dir_fd=folder, follow_symlinks=False).st_mode):
        return False
    os.unlink(base, dir_fd=folder)
    return True
