"""Landlock: after `restrict`, this thread and its children reach only the given directories.

Guarantees: file systems outside the rules cannot be opened, even by code that broke out of the
guest; TCP and signals to other processes are cut off where the kernel can (ABI 4 and 6). Does not
hide names (stat and readlink are not covered) and knows nothing of exclusions below a directory.
Source: linux/landlock.h, Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable

from capbox.sandbox.lockdown.libc import checked, libc

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1

_ALL_V1 = (1 << 13) - 1  # the others among them no worker has: execute, sockets, devices
_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = 2, 4, 8, 16, 32
_MAKE_DIR, _MAKE_REG, _MAKE_SYM = 1 << 7, 1 << 8, 1 << 12
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
READ = _READ_FILE | _READ_DIR
WRITE = (
    (_WRITE_FILE | _TRUNCATE | _REFER)
    | (_REMOVE_DIR | _REMOVE_FILE)
    | (_MAKE_DIR | _MAKE_REG | _MAKE_SYM)
)
EXECUTE = 1
_NET_TCP = 3
_SCOPE_ABSTRACT_UNIX_AND_SIGNALS = 3


def abi() -> int:
    """Return the kernel's Landlock ABI version, or 0 where there is none."""
    version = int(libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG))
    return max(version, 0)


def restrict(places: Iterable[tuple[int, bool]]) -> None:
    """Confine this thread, and what it starts from now on, to directories: (descriptor, write).

    Needs no_new_privs. Raises OSError when the kernel refuses; the caller must then not serve.
    """
    confine([(directory, READ | (WRITE if write else 0)) for directory, write in places])


def confine(places: Iterable[tuple[int, int]], *, tcp: bool = False) -> None:
    """As `restrict`, with the rights below each descriptor, and perhaps with TCP."""
    version = abi()
    if version == 0:
        raise OSError(errno.ENOSYS, "no Landlock in this kernel")
    handled = _handled(version)
    attributes = struct.pack("=Q", handled)
    if version >= 4:
        attributes += struct.pack("=Q", 0 if tcp else _NET_TCP)
    if version >= 6:
        attributes += struct.pack("=Q", _SCOPE_ABSTRACT_UNIX_AND_SIGNALS)
    ruleset = checked(libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0), "Landlock")
    try:
        for directory, allowed in places:
            rule = struct.pack("=Qi", allowed & handled, directory)
            checked(libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0), "Landlock")
        checked(libc.syscall(_RESTRICT_SELF, ruleset, 0), "Landlock")
    finally:
        os.close(ruleset)


def _handled(version: int) -> int:
    handled = _ALL_V1
    for since, right in ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL_DEV)):
        handled |= right if version >= since else 0
    return handled
