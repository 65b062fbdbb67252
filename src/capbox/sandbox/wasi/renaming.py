"""path_rename, and what a symbolic link may say.

Guarantees: a directory moves only where every name below it is judged alike, else EXDEV (so `mv`
copies, and each file is judged); a replaced file passes its mode and extended attributes on; a
link never leads out of its mount, not even after a move; what another call puts in the place of
what was judged does not arrive. For that, everything moves by way of a name beside its old one
that no guest can know, on record meanwhile. Does not: put back what a kill leaves (`leftovers`).
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from capbox.sandbox.judge import CHANGE, MOVE, REPLACE, Judge
from capbox.sandbox.leftovers import put_back
from capbox.sandbox.spec import STAGED
from capbox.sandbox.wasi.access import EXCLUDED, LEADS_OUT, SPECIAL, Access, Parent
from capbox.sandbox.wasi.mounts import Place

SWAPPED = "something else has taken its place"
# What a rename is judged by: the type of the object, and the text of a link.
Nature = tuple[int, str]
MADE = {stat.S_IFREG: "create", stat.S_IFDIR: "mkdir", stat.S_IFLNK: "symlink"}
# security.capability would turn a guest's file into a privileged program.
KEPT_ATTRIBUTES = ("user.", "system.posix_acl_")
MODE_BITS = 0o777


class Renaming:
    """The one host function that has two names."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._call = access.call

    def path_rename(
        self, fd: int, pointer: int, length: int, to: int, new_pointer: int, new_length: int
    ) -> int:
        """Move a file, link or directory within one mount."""
        old, new = (
            self._access.place(fd, pointer, length),
            self._access.place(to, new_pointer, new_length),
        )
        with self._access.parent(old, CHANGE) as source:
            self._access.check_made(source.mount, source.base)
            nature = _nature(source, source.base)
            kind = MOVE if nature[0] == stat.S_IFDIR else REPLACE
            self._access.check(source, old, kind)
            with self._access.parent(new, kind) as target:
                if source.mount is not target.mount:
                    raise OSError(errno.EXDEV, "another mount")
                self._check_type(nature, old, new, source, target)
                self._move(nature, old, source, target)
        return 0

    def _check_type(
        self, nature: Nature, old: Place, new: Place, source: Parent, target: Parent
    ) -> None:
        kind, text = nature
        judge = source.mount.judge
        if source.mount.name not in (None, target.base):
            # A file mount grants one name, not names to move it to.
            raise self._call.refuse("write", new.guest, SPECIAL)
        if kind == stat.S_IFDIR:
            tree = self._access.tree
            if tree.holds_mount(old.guest) or tree.holds_mount(new.guest):
                raise OSError(errno.EBUSY, "something is mounted here")
            # Attack: `x/hooks/pre-commit` is allowed, and so is `mv x .git` to a naive check.
            alike = judge.states(old.name) == judge.states(new.name) and judge.states(
                source.name
            ) == judge.states(target.name)
            # Attack: `a/b/link -> ../../in` moved up to `b/link` would lead out.
            if not alike or _depth(target.name) < _depth(source.name):
                raise OSError(errno.EXDEV, "names below are judged differently there")
        elif kind == stat.S_IFLNK:
            problem = check_target(judge, text, new.name, target.name)
            if problem is not None:
                raise self._call.refuse("write", new.guest, problem)
        elif kind != stat.S_IFREG:
            raise self._call.refuse("write", old.guest, SPECIAL)

    def _move(self, nature: Nature, old: Place, source: Parent, target: Parent) -> None:
        mount, call = source.mount, self._call
        replaces = target.regular()
        staged = STAGED + os.urandom(8).hex()
        if source.name != target.name:
            call.save_rename(mount, source.name, target.name, staged)
        renamed = call.effect("rename", mount, source.name, saved=True)
        made = "write" if replaces else MADE[nature[0]]
        arrived = call.effect(made, mount, target.name, saved=True)
        if source.name == target.name:
            return
        # Attack: another call of this run swaps a file for a directory or a link between the
        # judgement and the rename, and plants hooks or a link that leads out.
        forget = call.staged(renamed, staged)
        try:
            os.rename(source.base, staged, src_dir_fd=source.fd, dst_dir_fd=source.fd)
            if _nature(source, staged) != nature:
                raise call.refuse("write", old.guest, SWAPPED)
            # Attack: the folder above is moved deeper, a link that climbs out of the deep place is
            # made in the directory, and this rename brings both up. Once it is staged, no link can
            # be judged in it any more, and no directory ever comes back up.
            if nature[0] == stat.S_IFDIR and not self._access.unmoved(source):
                raise OSError(errno.EXDEV, "its folder was moved meanwhile")
            if replaces and nature[0] == stat.S_IFREG:
                _pass_attributes(target, source, staged)
            os.rename(staged, target.base, src_dir_fd=source.fd, dst_dir_fd=target.fd)
        finally:
            back = put_back(source.fd, staged, source.base)
            forget()
            if back is not None:
                call.not_renamed(mount, source.name)
            if back is False:
                # It stays where it is, and that is recorded.
                kept = source.name.removesuffix(source.base) + staged
                call.effect("create", mount, kept, saved=True)
        call.moved(mount, source.name, renamed, arrived)
        mount.made.discard(source.base)


def check_target(judge: Judge, text: str, *links: str) -> str | None:
    """Say why a link called `links` (asked and real name) may not have this text, None if it may.

    Only leading ".." are counted, later ones refused: `dir/..` may be anywhere if `dir` is a link.
    """
    if not text or text.startswith("/") or "\0" in text:
        return LEADS_OUT
    parts = [part for part in text.split("/") if part not in ("", ".")]
    rest = parts
    while rest[:1] == [".."]:
        rest = rest[1:]
    ups = len(parts) - len(rest)
    for link in links:
        above = link.split("/")[:-1]
        if ".." in rest or ups > len(above):
            return LEADS_OUT
        target = "/".join([*above[: len(above) - ups], *rest])
        # Attack: a link `.git -> mine` makes `mine/hooks` what a person's git runs.
        if judge.states(target) != judge.states(link):
            return EXCLUDED
    return None


def _depth(name: str) -> int:
    return name.count("/")


def _nature(parent: Parent, base: str) -> Nature:
    status = os.stat(base, dir_fd=parent.fd, follow_symlinks=False)
    kind = stat.S_IFMT(status.st_mode)
    return kind, os.readlink(base, dir_fd=parent.fd) if kind == stat.S_IFLNK else ""


def _pass_attributes(replaced: Parent, source: Parent, base: str) -> None:
    """Give the file `base` at `source` the mode, owner and attributes of what it will replace."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        before = os.open(replaced.base, flags, dir_fd=replaced.fd)
    except OSError:
        return  # unreadable to us: nothing that we could copy
    try:
        after = os.open(base, flags, dir_fd=source.fd)
        try:
            _copy_attributes(before, after)
        finally:
            os.close(after)
    finally:
        os.close(before)


def _copy_attributes(before: int, after: int) -> None:
    old, new = os.fstat(before), os.fstat(after)
    # A file with other names would change under all of them.
    if new.st_nlink > 1 or not stat.S_ISREG(new.st_mode) or not stat.S_ISREG(old.st_mode):
        return
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        _tolerant(os.fchown, after, old.st_uid, old.st_gid)
    os.fchmod(after, stat.S_IMODE(old.st_mode) & MODE_BITS)
    if not hasattr(os, "listxattr"):
        return
    try:
        names = os.listxattr(before)
    except OSError:
        return
    for name in names:
        if name.startswith(KEPT_ATTRIBUTES):
            _tolerant(lambda name=name: os.setxattr(after, name, os.getxattr(before, name)))


def _tolerant(act: Callable[..., None], *arguments: int) -> None:
    """Do what not every file system, user or filter of system calls allows."""
    try:
        act(*arguments)
    except OSError:
        return
