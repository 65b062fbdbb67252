"""What a worker gives up of what it was started with: privileges it could gain, and root's own.

Guarantees: no_new_privs, no tracing by others of its user, and of root's capabilities only those
that handling files of a granted directory takes. Without this an escaped guest of a root's run
could put file capabilities on a program in its grant, which would outlive the sandbox.
Source: linux/capability.h, capabilities(7).
"""

from __future__ import annotations

import ctypes

from capbox.sandbox.lockdown.libc import checked, libc

_PR_SET_NO_NEW_PRIVS, _PR_SET_DUMPABLE = 38, 4
_VERSION_3 = 0x20080522
_CHOWN, _DAC_OVERRIDE, _FOWNER = 1 << 0, 1 << 1, 1 << 3
_KEPT = (_CHOWN | _DAC_OVERRIDE | _FOWNER, 0)


def restrict() -> None:
    """Give them up, on this thread and what it starts from now on. Raises OSError."""
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    held = (ctypes.c_uint32 * 6)()  # twice, for the low and the high half: effective, permitted...
    checked(libc.capget(header, held), "capget")
    for half, kept in enumerate(_KEPT):
        effective, permitted = 3 * half, 3 * half + 1
        held[effective] = held[permitted] = held[permitted] & kept
        held[3 * half + 2] = 0
    checked(libc.capset(header, held), "capset")
