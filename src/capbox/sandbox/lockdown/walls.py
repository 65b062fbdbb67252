"""Which walls this kernel offers, asked once by the parent and told to every worker.

Guarantees: a wall that is said to be up here must go up in each worker, or that worker refuses to
serve. Does not put up any wall itself.
"""

from __future__ import annotations

import ctypes
import errno
import os

from capbox.sandbox.lockdown import landlock, seccomp
from capbox.sandbox.lockdown.libc import libc
from capbox.sandbox.process.frames import Walls

_OPENAT2 = 437


def probe() -> Walls:
    """Ask the kernel, without side effects, what it offers."""
    return Walls(
        landlock=landlock.abi() > 0,
        seccomp=seccomp.available(),
        openat2=_has_openat2(),
        memfd=_has_memfd(),
    )


def _has_openat2() -> bool:
    libc.syscall(_OPENAT2, -1, b".", None, 0)
    return ctypes.get_errno() not in (errno.ENOSYS, errno.EPERM)


def _has_memfd() -> bool:
    if not hasattr(os, "memfd_create"):
        return False
    try:
        os.close(os.memfd_create("capbox-probe"))
    except OSError:
        return False
    return True
