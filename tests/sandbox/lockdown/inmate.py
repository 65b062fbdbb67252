"""A program that puts up walls around itself as a worker does, then tries things and says how.

usage: inmate.py WALLS ROOM READ_ONLY PARENT   (WALLS: of rlimits,privileges,landlock,seccomp)
Prints one JSON object: for each attempt the errno's name or "ok", from two threads.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import mmap
import os
import platform
import resource
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from capbox.sandbox.lockdown import landlock, privileges, rlimits, seccomp

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
ROOM, READ_ONLY, PARENT = Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
READ, WRITE, EXEC = 1, 2, 4
F_SETOWN, F_SETSIG = 8, 10
CAP_SETUID = struct.pack("<5I", 0x02000001, 1 << 7, 0, 0, 0)  # linux/capability.h: vfs_cap_data
TABLE = {"x86_64": 0, "aarch64": 1}[platform.machine()]
NUMBERS = {
    "fork": (57, -1),
    "clone": (56, 220),
    "clone3": (435, 435),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "memfd_create": (319, 279),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "prctl": (157, 167),
    "personality": (135, 92),
    "prlimit64": (302, 261),
    "pidfd_open": (434, 434),
    "perf_event_open": (298, 241),
    "open_by_handle_at": (304, 265),
    "linkat": (265, 37),
    "mknodat": (259, 33),
    "kcmp": (312, 272),
    "seccomp": (317, 277),
    "landlock_restrict_self": (446, 446),
    "x32 getpid": (0x40000000 + 39, -1),
    "x32 execve": (0x40000000 + 520, -1),
}


def attempt(do: Callable[[], object]) -> str:
    """Return "ok", or the name of the errno."""
    try:
        do()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    return "ok"


def call(name: str) -> None:
    """Make a system call with arguments that are harmless if it is let through."""
    ctypes.set_errno(0)
    if libc.syscall(NUMBERS[name][TABLE], -1, 0, 0, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), name)


def mapped(protection: int, sharing: int = mmap.MAP_PRIVATE) -> int:
    """Map a page."""
    address = libc.mmap(None, 4096, protection, sharing | mmap.MAP_ANONYMOUS, -1, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        raise OSError(ctypes.get_errno(), "mmap")
    return int(address)


def made_executable() -> None:
    """Map a page and turn it from writable into executable."""
    if libc.mprotect(ctypes.c_void_p(mapped(READ | WRITE)), 4096, READ | EXEC) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")


def times_set_from(address: int) -> None:
    """Set the times of a file whose name lies at `address`, of which the low half may be zero."""
    fixed = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x10
    libc.mmap(ctypes.c_void_p(address), 4096, READ | WRITE, fixed, -1, 0)
    ctypes.memmove(address, b"mine", 5)
    if libc.utimensat(room_fd, ctypes.c_void_p(address), None, 0) != 0:
        raise OSError(ctypes.get_errno(), "utimensat")


def opened(path: Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> None:
    """Open and close."""
    os.close(os.open(path, flags, mode))


def poked(pid: int | str) -> None:
    """Write into the memory of a process through /proc."""
    opened(Path(f"/proc/{pid}/mem"), os.O_RDWR)


ours, _theirs = socket.socketpair()
room_fd = os.open(ROOM, os.O_PATH | os.O_DIRECTORY)
file_fd = os.open(ROOM / "mine", os.O_RDWR | os.O_CREAT, 0o600)
theirs_fd = os.open(ROOM / "not mine", os.O_RDWR | os.O_CREAT, 0o600)

ATTEMPTS: dict[str, Callable[[], object]] = {
    "read in the room": lambda: opened(ROOM / "mine"),
    "write in the room": lambda: opened(ROOM / "mine", os.O_RDWR),
    "create in the room": lambda: opened(ROOM / f"new-{threading.get_ident()}", os.O_CREAT),
    "list the room": lambda: os.listdir(os.open(ROOM, os.O_RDONLY | os.O_DIRECTORY)),
    "read in the read-only grant": lambda: opened(READ_ONLY / "theirs"),
    "write in the read-only grant": lambda: opened(READ_ONLY / "theirs", os.O_RDWR),
    "truncate in the read-only grant": lambda: opened(READ_ONLY / "theirs", os.O_TRUNC),
    "create in the read-only grant": lambda: opened(READ_ONLY / "new", os.O_CREAT),
    "remove in the read-only grant": lambda: os.unlink(
        "spare", dir_fd=os.open(READ_ONLY, os.O_PATH)
    ),
    "open /": lambda: os.close(os.open("/", os.O_RDONLY | os.O_DIRECTORY)),
    "open /etc/passwd": lambda: opened(Path("/etc/passwd")),
    "write /tmp": lambda: opened(Path("/tmp/capbox-inmate"), os.O_CREAT | os.O_RDWR),
    "open /proc/self/mem": lambda: poked("self"),
    "open /proc/PARENT/mem": lambda: poked(PARENT),
    "open /dev/null": lambda: opened(Path("/dev/null")),
    "make a TCP socket": lambda: socket.socket().close(),
    "make a Unix socket": lambda: socket.socket(socket.AF_UNIX).close(),
    "make a socket pair": socket.socketpair,
    "signal the parent": lambda: os.kill(PARENT, 0),
    "signal itself": lambda: os.kill(os.getpid(), 0),
    "own the parent's signals": lambda: fcntl.fcntl(ours, F_SETOWN, PARENT),
    "choose SIGKILL for input": lambda: fcntl.fcntl(ours, F_SETSIG, signal.SIGKILL),
    "set a file non-blocking": lambda: fcntl.fcntl(ours, fcntl.F_SETFL, 0),
    "start a thread": lambda: threading_start(),
    "map memory": lambda: mapped(READ | WRITE),
    "map executable memory": lambda: mapped(READ | WRITE | EXEC),
    "map executable, not writable memory": lambda: mapped(READ | EXEC),
    "make memory executable": made_executable,
    "map shared memory": lambda: mapped(READ | WRITE, mmap.MAP_SHARED),
    "chmod": lambda: os.fchmod(file_fd, 0o644),
    "chmod setuid": lambda: os.fchmod(file_fd, 0o4755),
    "chmod setgid by name": lambda: os.chmod("mine", 0o2755, dir_fd=room_fd),
    "chmod by name": lambda: os.chmod("mine", 0o644, dir_fd=room_fd),
    "chmod in the read-only grant": lambda: os.chmod(READ_ONLY / "theirs", 0o644),
    "set times in the read-only grant": lambda: os.utime(READ_ONLY / "theirs"),
    "set times by a name at a round address": lambda: times_set_from(1 << 33),
    "make a program privileged": lambda: os.setxattr(file_fd, "security.capability", CAP_SETUID),
    "give a file away": lambda: os.fchown(theirs_fd, 1, 1),
    "change another's mode": lambda: os.fchmod(theirs_fd, 0o600),
    "create setuid": lambda: opened(ROOM / "suid", os.O_CREAT, 0o4755),
    "handle files as the host does": lambda: as_the_host_does(),
    "raise a limit": lambda: limit_raised(),
    "write to the parent": lambda: ours.send(b"x"),
    **{name: (lambda name=name: call(name)) for name in NUMBERS if NUMBERS[name][TABLE] >= 0},
}


def threading_start() -> None:
    """Start a thread; Python says RuntimeError for EPERM."""
    try:
        threading.Thread(target=lambda: None).start()
    except RuntimeError as error:
        raise OSError(errno.EPERM, "thread") from error


def as_the_host_does() -> None:
    """Make every kind of call that the WASI host makes on files."""
    name = f"kept-{threading.get_ident()}"
    fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=room_fd)
    buffers = [bytearray(2)]
    os.writev(fd, [b"ab"]), os.pwritev(fd, [b"cd"], 2)
    os.lseek(fd, 0, os.SEEK_SET), os.readv(fd, buffers), os.preadv(fd, buffers, 1)
    os.ftruncate(fd, 3), os.fstat(fd), os.fsync(fd), os.utime(fd, ns=(1, 1))
    os.fchmod(fd, 0o640), os.fchown(fd, os.getuid(), os.getgid()), os.listxattr(fd)
    os.readlink(f"/proc/self/fd/{fd}")
    os.stat(name, dir_fd=room_fd, follow_symlinks=False)
    os.rename(name, name + "2", src_dir_fd=room_fd, dst_dir_fd=room_fd)
    os.symlink("mine", name, dir_fd=room_fd)
    os.readlink(name, dir_fd=room_fd)
    os.unlink(name, dir_fd=room_fd)
    os.mkdir(name, dir_fd=room_fd)
    os.rmdir(name, dir_fd=room_fd)
    with os.scandir(os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=room_fd)) as entries:
        [entry.stat(follow_symlinks=False) for entry in entries]
    os.unlink(name + "2", dir_fd=room_fd)
    os.close(fd)


def limit_raised() -> None:
    """Raise a limit; Python says ValueError for EPERM."""
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    except ValueError as error:
        raise OSError(errno.EPERM, "limit") from error


def all_attempts() -> dict[str, str]:
    """Try everything; without a filter not what would make a second process of this one."""
    filtered = "seccomp" in sys.argv[1]
    return {n: attempt(do) for n, do in ATTEMPTS.items() if filtered or n not in NUMBERS}


def main() -> None:
    """Lock, try on the main thread and on one that was started as the worker starts its timer."""
    walls = sys.argv[1].split(",")
    places = [(room_fd, True), (os.open(READ_ONLY, os.O_PATH | os.O_DIRECTORY), False)]
    found: dict[str, dict[str, str]] = {}
    locked = threading.Event()

    def other() -> None:
        locked.wait()
        found["other"] = all_attempts()

    if "rlimits" in walls:
        rlimits.restrict(memory_bytes=64 << 20, open_files=256)
    if "privileges" in walls:
        privileges.restrict()
    if "landlock" in walls:
        landlock.restrict(places)
    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    if "seccomp" in walls:
        seccomp.restrict()
    found["main"] = all_attempts()
    locked.set()
    thread.join()
    os.write(1, json.dumps(found).encode())
    os._exit(0)


if __name__ == "__main__":
    main()
