"""Starts a program in a kernel without some walls: `python without.py landlock,memfd PROGRAM ...`

A seccomp filter makes the named system calls answer ENOSYS, as a kernel that never had them does;
it stays through every exec and fork. Linux on x86-64 and aarch64.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
LOAD_NUMBER, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000

_BOTH = {"landlock": (444, 445, 446), "openat2": (437,)}
CALLS = {
    "x86_64": {**_BOTH, "memfd": (319,), "seccomp": (317,)},
    "aarch64": {**_BOTH, "memfd": (279,), "seccomp": (277,)},
}


class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def take_away(walls: list[str]) -> None:
    """Make the system calls of these walls answer ENOSYS, here and in every program started."""
    numbers = [n for wall in walls for n in CALLS[platform.machine()][wall]]
    lines = [(LOAD_NUMBER, 0, 0, 0)]
    for number in numbers:
        lines += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | errno.ENOSYS)]
    lines.append((RETURN, 0, 0, ALLOW))
    code = b"".join(struct.pack("=HBBI", *line) for line in lines)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = Program(len(lines), ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # Not the seccomp call: that one may be among those that are taken away.
    if libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the filter was refused")


if __name__ == "__main__":
    take_away([wall for wall in sys.argv[1].split(",") if wall])
    os.execv(sys.argv[2], sys.argv[2:])
