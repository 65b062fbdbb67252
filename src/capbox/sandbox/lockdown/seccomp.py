"""seccomp: an allow list of system calls for a worker, on every thread at once.

Guarantees: no sockets, no exec, no new threads or processes, no signals, no ptrace, and no memory
that becomes executable; anything not listed answers EPERM. Does not look at path names or behind
other pointers (a filter cannot read memory safely): Landlock and the guest's own wall do that, and
`openat2` could still create a file with a setuid bit.
Source: linux/seccomp.h, linux/filter.h; numbers from the kernel's unistd tables.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Mapping
from pathlib import Path

from capbox.sandbox.lockdown.libc import checked, libc

# Each with its number on x86_64 and aarch64.
CALLS = """
read 0 63 | write 1 64 | readv 19 65 | writev 20 66 | close 3 57 | lseek 8 62 | ftruncate 77 46
preadv 295 69 | preadv2 327 286 | pwritev 296 70 | pwritev2 328 287
openat 257 56 | openat2 437 437 | fstat 5 80 | newfstatat 262 79 | statx 332 291
getdents64 217 61 | readlink 89 - | readlinkat 267 78 | mkdirat 258 34 | unlinkat 263 35
symlinkat 266 36 | renameat 264 38 | renameat2 316 276 | fchmod 91 52
fchown 93 55 | utimensat 280 88 | fsync 74 82 | fsetxattr 190 7 | fgetxattr 193 10
flistxattr 196 13 | fcntl 72 25
mmap 9 222 | mprotect 10 226 | munmap 11 215 | brk 12 214 | mremap 25 216 | madvise 28 233
rt_sigaction 13 134 | rt_sigprocmask 14 135 | rt_sigreturn 15 139 | sigaltstack 131 132
poll 7 - | ppoll 271 73 | futex 202 98 | sched_yield 24 124 | restart_syscall 219 128
nanosleep 35 101 | clock_nanosleep 230 115 | clock_gettime 228 113 | clock_getres 229 114
timerfd_settime 286 86 | getrandom 318 278 | sendto 44 206 | recvfrom 45 207 | recvmsg 47 212
getpid 39 172 | gettid 186 178 | exit 60 93 | exit_group 231 94 | rseq 334 293
"""
_SETUID_AND_SETGID = 0o6000
_PROT_EXEC = 4
_MAP_SHARED = 1
_ANY = 0xFFFFFFFF
# An attacker who can write code still needs memory that may execute it; shared memory would not
# count against RLIMIT_DATA; and as root, or in a shared directory, a file that runs as its owner
# would outlive the sandbox.
FORBIDDEN_BITS: Mapping[str, tuple[tuple[float, int], ...]] = {
    "mmap": ((2, _PROT_EXEC), (3, _MAP_SHARED)),
    "mprotect": ((2, _PROT_EXEC),),
    "openat": ((3, _SETUID_AND_SETGID),),
    "mkdirat": ((2, _SETUID_AND_SETGID),),
    "fchmod": ((1, _SETUID_AND_SETGID),),
    # Landlock does not know of times and modes: only what is open can be changed, by no path.
    "utimensat": ((1, _ANY), (1.5, _ANY)),
}
# F_GETFD F_SETFD F_GETFL F_SETFL F_DUPFD_CLOEXEC. With F_SETOWN and F_SETSIG a descriptor sends any
# signal to any process of this user, the parent too.
ALLOWED_VALUES = {"fcntl": (1, (1, 2, 3, 4, 1030))}

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _FLAG_TSYNC = 1, 1
_ALLOW, _ERRNO_EPERM, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_OFFSET, _ARCH_OFFSET, _ARGUMENTS_OFFSET = 0, 4, 16


def numbers(machine: str) -> Mapping[str, int]:
    """Return the numbers of the allowed calls on `machine`, by name."""
    column = list(_AUDIT_ARCH).index(machine) + 1
    entries = (entry.split() for line in CALLS.split("\n") for entry in line.split("|") if entry)
    return {entry[0]: int(entry[column]) for entry in entries if entry[column] != "-"}


def available() -> bool:
    """Say whether this kernel and machine can carry the filter (nothing is installed)."""
    if platform.machine() not in _SECCOMP:
        return False
    try:
        actions = Path("/proc/sys/kernel/seccomp/actions_avail").read_text(encoding="ascii")
    except OSError:
        return False
    # A filter of length zero is EINVAL where the call exists, ENOSYS or EPERM where it does not.
    empty = _Program(0, None)
    number = _SECCOMP[platform.machine()]
    libc.syscall(number, _SET_MODE_FILTER, 0, ctypes.byref(empty))
    return "errno" in actions and ctypes.get_errno() == errno.EINVAL


def restrict() -> None:
    """Install the filter on every thread of this process. Raises OSError when it is refused."""
    machine = platform.machine()
    if machine not in _SECCOMP:
        raise OSError(errno.ENOSYS, f"no filter for {machine}")
    code = assemble(machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    number = _SECCOMP[machine]
    answer = libc.syscall(number, _SET_MODE_FILTER, _FLAG_TSYNC, ctypes.byref(program))
    # A positive one names a thread that could not follow.
    if checked(answer, "seccomp") > 0:
        raise OSError(errno.ESRCH, "seccomp: a thread stayed outside")


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def assemble(machine: str) -> bytes:
    """Return the classic BPF program; x32 calls have other numbers and so fall to EPERM."""
    lines = [
        (_LOAD, 0, 0, _ARCH_OFFSET),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_OFFSET),
    ]
    for name, number in numbers(machine).items():
        verdict = [(_RETURN, 0, 0, _ALLOW)]
        for index, bits in FORBIDDEN_BITS.get(name, ()):
            refused = [(_JUMP_ANY_BIT, 0, 1, bits), (_RETURN, 0, 0, _ERRNO_EPERM)]
            verdict = [_argument(index), *refused, *verdict]
        if name in ALLOWED_VALUES:
            index, values = ALLOWED_VALUES[name]
            each = [(_JUMP_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
            verdict = [_argument(index), *each, (_RETURN, 0, 0, _ERRNO_EPERM), *verdict]
        lines += [(_JUMP_EQUAL, 0, len(verdict), number), *verdict]
    lines.append((_RETURN, 0, 0, _ERRNO_EPERM))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _argument(index: float) -> tuple[int, int, int, int]:
    # The low half, of a pointer with .5 the high one; the others are not wider in the kernel.
    return (_LOAD, 0, 0, _ARGUMENTS_OFFSET + int(8 * index))
