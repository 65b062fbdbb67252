"""What a killed worker leaves half done in a person's folders: it is removed, or put back.

Guarantees: touches only names that the worker recorded before it used them, that begin as no
person's do (`.capbox-`), and that a grant of the call lets it write; no link leads elsewhere.
Does not: restore what was replaced or changed; a name that is not UTF-8 stays where it is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress

from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.effects import EffectLog
from capbox.sandbox.judge import REPLACE, Judge
from capbox.sandbox.spec import Job, Mount, Touched, is_staged, is_temporary

_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


def tidy(job: Job, effects: EffectLog) -> tuple[Touched, ...]:
    """Take back what `effects` left half done, after the worker's death; return what that did."""
    did: list[Touched] = []
    if effects.staged is not None:
        moved, name = effects.staged
        if is_staged(name) and not _done(job, moved, lambda fd, base: put_back(fd, name, base)):
            guest, host = beside(moved.path, name), beside(moved.host or "", name)
            did.append(Touched("create", GuestPath(guest), HostPath(host)))
    for touched in effects.touched:
        made = touched.action == "create" and is_temporary(touched.path)
        if made and _done(job, touched, _removed):
            did.append(Touched("delete", touched.path, touched.host))
    return tuple(did)


def put_back(folder: int, staged: str, base: str) -> bool:
    """Undo the first half of a move, if it stands. False if something else is called `base` now."""
    if not _exists(folder, staged):
        return True
    with suppress(OSError):
        if not _exists(folder, base):
            os.rename(staged, base, src_dir_fd=folder, dst_dir_fd=folder)
            return True
    return False


def beside(path: str, base: str) -> str:
    """Return the path of `base` in the directory of `path`."""
    return f"{path.rpartition('/')[0]}/{base}"


def _done(job: Job, touched: Touched, act: Callable[[int, str], bool]) -> bool:
    """Say whether `act` did its part on the name, in a mount that holds it and may write it."""
    for mount in job.mounts:
        root = mount.host.rstrip("/") + "/"
        if touched.host is not None and touched.host.startswith(root):
            name = touched.host.removeprefix(root)
            with suppress(OSError):
                if _writable(mount, name) and _at(root, name, act):
                    return True
    return False


def _writable(mount: Mount, name: str) -> bool:
    if mount.name is not None:
        ours = "/" not in name and is_temporary(name, mount.name)
        return ours and any(rule.write for rule in mount.rules)
    return Judge(mount.rules).verdict(name)[REPLACE] != 0


def _at(root: str, name: str, act: Callable[[int, str], bool]) -> bool:
    """Act in the directory that holds `name`, reached without any link. Raises OSError."""
    *folders, base = name.split("/")
    fd = os.open(root, _DIRECTORY)
    try:
        for folder in folders:
            if folder in ("", ".", ".."):
                return False
            fd, above = os.open(folder, _DIRECTORY | os.O_NOFOLLOW, dir_fd=fd), fd
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
