"""A compiler behind a wall: `python -I -m capbox.tools.sdk.building.walled PLAN PROGRAM WORD...`.

PLAN is JSON: `{"read": [PATH], "write": [PATH], "tcp": BOOL}`; what is read may be executed too.

Guarantees: the program, and all that it starts, opens nothing else, and is not started where the
wall does not go up; without `tcp` it makes no socket of any kind. Does not: hide names, or bound
memory or time.
Source: linux/seccomp.h, linux/filter.h.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import stat
import struct
import sys

from capbox.sandbox.lockdown import landlock, privileges
from capbox.sandbox.lockdown.libc import checked, libc

_NO_FOLDER = 1 | 2 | 4 | 1 << 14 | 1 << 15  # linux/landlock.h: what a rule of a file may say
_READ = landlock.READ | landlock.EXECUTE


_PR_SET_SECCOMP, _MODE_FILTER, _IO_URING_SETUP = 22, 2, 425
# The machine's name to the kernel, and its number of socket(2).
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_X32 = 0x40000000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _EPERM, _KILL = 0x7FFF0000, 0x00050001, 0x80000000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _refuse_sockets(machine: int, number: int) -> None:
    # Attack: build.rs asks the session bus or a container daemon to run what it likes. Landlock
    # does not know of sockets with names.
    lines = (
        *((_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)),
        *((_AT_LEAST, 2, 0, _X32), (_EQUAL, 1, 0, number), (_EQUAL, 0, 1, _IO_URING_SETUP)),
        *((_RETURN, 0, 0, _EPERM), (_RETURN, 0, 0, _ALLOW)),
    )
    code = b"".join(struct.pack("=HBBI", *line) for line in lines)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(lines), ctypes.cast(buffer, ctypes.c_void_p))
    answer = libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0)
    checked(answer, "seccomp")


def main() -> None:
    """Put up the wall and become the program."""
    _, plan, *command = sys.argv
    given = json.loads(plan)
    rules = [(path, _READ) for path in given["read"]]
    rules += [(path, _READ | landlock.WRITE) for path in given["write"]]
    places = []
    for path, rights in rules:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what is not there, or not for this user, needs no rule
        folder = stat.S_ISDIR(os.fstat(opened).st_mode)
        places.append((opened, rights if folder else rights & _NO_FOLDER))
    privileges.restrict()
    landlock.confine(places, tcp=given["tcp"])
    if not given["tcp"] and platform.machine() in _SOCKET:
        _refuse_sockets(*_SOCKET[platform.machine()])
    os.execv(command[0], command)  # noqa: S606 - no shell is what is wanted


if __name__ == "__main__":
    main()
