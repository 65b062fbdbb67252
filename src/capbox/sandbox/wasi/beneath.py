"""Opening a name beneath a mount's root, and learning the name of what was opened.

Guarantees: nothing outside the root is ever opened, whatever links say; magic links are refused;
descriptors are close-on-exec, non-blocking and never a controlling terminal. Two ways of doing the
same: openat2 (Linux 5.6) or a walk by components with O_NOFOLLOW. Does not: judge names.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat

from capbox.sandbox.wasi.mounts import Mount

ALWAYS = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
LINKS_MAX = 40
RETRIES_MAX = 64
O_PATH = getattr(os, "O_PATH", os.O_RDONLY)

_SYS_OPENAT2 = 437
_RESOLVE = 0x02 | 0x08  # RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH
_DELETED = " (deleted)"


def opener(mounts: tuple[Mount, ...], *, openat2: bool) -> Walk:
    """Return the best way that works here; the walk always does."""
    if openat2:
        fast = _Openat2()
        if fast.works(mounts):
            return fast
    return Walk()


class Walk:
    """Component by component, following links ourselves; the names walked are the real name."""

    def open(self, mount: Mount, name: str, flags: int) -> tuple[int, str]:
        """Open `name` ("" is the root); return the descriptor and the real name of the object.

        Raises: OSError; EXDEV if the name leads out of the root, ELOOP for a link that may not be
        followed (`flags` has O_NOFOLLOW) or a magic link.
        """
        todo = [part for part in reversed(name.split("/")) if part]
        held: list[tuple[int, str]] = []
        links = 0
        try:
            while todo:
                part = todo.pop()
                if part == "..":
                    if not held:
                        raise OSError(errno.EXDEV, "leads out of the root")
                    os.close(held.pop()[0])
                    continue
                here = held[-1][0] if held else mount.fd
                if part == "." or (not todo and not _is_link(part, here)):
                    if todo:
                        continue
                    return self._last(part, here, held, flags)
                if _is_link(part, here):
                    links += 1
                    if not todo and flags & os.O_NOFOLLOW and flags & O_PATH:
                        return self._last(part, here, held, flags)
                    if links > LINKS_MAX or (not todo and flags & os.O_NOFOLLOW):
                        raise OSError(errno.ELOOP, "link not followed")
                    todo += _target_parts(part, here)
                    continue
                into = O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | ALWAYS
                held.append((os.open(part, into, dir_fd=here), part))
            return self._last(".", held[-1][0] if held else mount.fd, held, flags)
        finally:
            for fd, _ in held:
                os.close(fd)

    def real_name(self, mount: Mount, fd: int, asked: str) -> str:
        """Return the present name of an opened object; here the walk itself was the proof."""
        return asked

    def _last(
        self, part: str, here: int, held: list[tuple[int, str]], flags: int
    ) -> tuple[int, str]:
        fd = os.open(part, flags | ALWAYS | os.O_NOFOLLOW, dir_fd=here)
        names = [name for _, name in held]
        return fd, "/".join(names if part == "." else [*names, part])


class _How(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


class _Openat2(Walk):
    """The kernel resolves; names come from /proc/self/fd."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._syscall = libc.syscall
        self._syscall.restype = ctypes.c_long
        self._syscall.argtypes = (
            ctypes.c_long,
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_void_p,
            ctypes.c_size_t,
        )
        self._how: dict[int, _How] = {}
        self._names = ""

    def works(self, mounts: tuple[Mount, ...]) -> bool:
        """Say whether the kernel has openat2 and /proc shows descriptors' names."""
        # Size 0 is EINVAL where the call exists; ENOSYS, or EPERM from an old seccomp filter, else.
        self._syscall(_SYS_OPENAT2, -1, b"", None, 0)
        if ctypes.get_errno() != errno.EINVAL:
            return False
        try:
            # Not /proc/self/fd: "self" would be resolved anew each time (12 % of the call).
            self._names = f"/proc/{os.readlink('/proc/self')}/fd/"
            for mount in mounts:
                mount.real = self._name_of(mount.fd)
        except OSError:
            return False
        return True

    def open(self, mount: Mount, name: str, flags: int) -> tuple[int, str]:
        """See `Walk.open`."""
        how = self._how.get(flags)
        if how is None:
            # openat2 refuses flags that mean nothing together with O_PATH.
            always = os.O_CLOEXEC if flags & O_PATH else ALWAYS
            how = self._how[flags] = _How(flags | always, 0, _RESOLVE)
        path = os.fsencode(name) if name else b"."  # a name on the disk need not be UTF-8
        for _ in range(RETRIES_MAX):
            fd = self._syscall(_SYS_OPENAT2, mount.fd, path, ctypes.byref(how), 24)
            if fd >= 0:
                return int(fd), self._checked_name(mount, int(fd), name)
            code = ctypes.get_errno()
            # EAGAIN: something was renamed meanwhile and ".." could not be proved to be beneath.
            if code not in (errno.EAGAIN, errno.EINTR):
                raise OSError(code, os.strerror(code))
        raise OSError(errno.EXDEV, "renamed without end")

    def real_name(self, mount: Mount, fd: int, asked: str) -> str:
        """See `Walk.real_name`; here the kernel knows."""
        if mount.name is not None:
            return asked
        path = self._name_of(fd)
        for _ in range(2):
            root = mount.real
            if path == root:
                return ""
            prefix = root if root.endswith("/") else root + "/"
            if path.startswith(prefix):
                return path[len(prefix) :]
            # The root itself may have been renamed by someone outside.
            mount.real = self._name_of(mount.fd)
        raise OSError(errno.EXDEV, "the opened object has no name beneath the root")

    def _name_of(self, fd: int) -> str:
        name = os.readlink(self._names + str(fd))
        # Deleted after it was opened; else it is really called so.
        return name if os.fstat(fd).st_nlink else name.removesuffix(_DELETED)

    def _checked_name(self, mount: Mount, fd: int, asked: str) -> str:
        try:
            return self.real_name(mount, fd, asked)
        except OSError:
            os.close(fd)
            raise


def _is_link(part: str, here: int) -> bool:
    if part == ".":
        return False
    try:
        return stat.S_ISLNK(os.stat(part, dir_fd=here, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _target_parts(part: str, here: int) -> list[str]:
    target = os.readlink(part, dir_fd=here)
    if target.startswith("/"):
        raise OSError(errno.EXDEV, "absolute link")
    # A trailing slash demands a directory; "." keeps that demand.
    parts = [p for p in target.split("/") if p]
    if target.endswith("/"):
        parts.append(".")
    return parts[::-1]
