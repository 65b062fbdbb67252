"""seccomp: what a worker needs works, everything else answers EPERM, on every thread."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.sandbox.lockdown import seccomp

Inmate = Callable[[str], dict[str, str]]

ALLOWED = (
    "handle files as the host does",
    "read in the room",
    "write in the room",
    "create in the room",
    "list the room",
    "map memory",
    "set a file non-blocking",
    "chmod",
    "write to the parent",
)
DENIED = (
    *("make a TCP socket", "make a Unix socket", "make a socket pair"),
    *("signal the parent", "signal itself", "own the parent's signals"),
    *("choose SIGKILL for input", "start a thread", "raise a limit"),
    *("map executable memory", "map executable, not writable memory", "make memory executable"),
    *("chmod setuid", "chmod setgid by name", "create setuid", "map shared memory"),
    *("chmod by name", "chmod in the read-only grant", "set times in the read-only grant"),
    "set times by a name at a round address",
    *("clone3", "execve", "execveat", "ptrace", "process_vm_readv", "memfd_create"),
    *("io_uring_setup", "userfaultfd", "bpf", "keyctl", "add_key", "unshare", "setns", "mount"),
    *("pivot_root", "chroot", "prctl", "personality", "prlimit64", "pidfd_open"),
    *("perf_event_open", "open_by_handle_at", "linkat", "mknodat", "kcmp", "seccomp"),
    *("landlock_restrict_self", "clone"),
)
X86_ONLY = ("fork", "x32 getpid", "x32 execve")
HEADERS = {
    "x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    "aarch64": "/usr/include/asm-generic/unistd.h",
}
DEFINITION = re.compile(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)", re.MULTILINE)
# What the generic table calls by the name of its 32-bit twin.
GENERIC = {"newfstatat": "fstatat"}


def test_what_a_worker_needs_works_and_nothing_else(inmate: Inmate) -> None:
    tried = inmate("rlimits,privileges,landlock,seccomp")
    denied = DENIED + (X86_ONLY if platform.machine() == "x86_64" else ())
    assert {name: tried[name] for name in ALLOWED} == dict.fromkeys(ALLOWED, "ok")
    assert {name: tried[name] for name in denied} == dict.fromkeys(denied, "EPERM")


def test_without_the_filter_the_same_attempts_succeed(inmate: Inmate) -> None:
    tried = inmate("rlimits")
    names = ("make a TCP socket", "signal the parent", "own the parent's signals")
    names += ("start a thread", "make memory executable", "chmod setuid", "create setuid")
    names += ("map shared memory", "chmod in the read-only grant")
    names += ("set times in the read-only grant", "set times by a name at a round address")
    assert {name: tried[name] for name in names} == dict.fromkeys(names, "ok")


def test_the_filter_alone_still_lets_files_be_opened_that_landlock_is_there_for(
    inmate: Inmate,
) -> None:
    tried = inmate("rlimits,seccomp")
    assert (tried["open /etc/passwd"], tried["make a TCP socket"]) == ("ok", "EPERM")


@pytest.mark.parametrize("machine", HEADERS)
def test_the_numbers_are_those_of_the_kernels_own_table(machine: str) -> None:
    header = Path(HEADERS[machine])
    if not header.is_file():
        pytest.skip(f"no {header} here")
    known = {name: int(number) for name, number in DEFINITION.findall(header.read_text())}
    ours = seccomp.numbers(machine)
    assert {n: known.get(n, known.get(GENERIC.get(n, n))) for n in ours} == ours


@pytest.mark.parametrize("machine", HEADERS)
def test_calls_that_reach_others_are_on_no_list(machine: str) -> None:
    reaching = {"socket", "connect", "sendmsg", "execve", "clone", "clone3", "fork", "kill"}
    reaching |= {"tgkill", "ptrace", "ioctl", "linkat", "prctl", "setrlimit", "prlimit64", "dup"}
    reaching |= {"pkey_mprotect", "shmat", "memfd_create", "io_uring_setup", "personality"}
    assert reaching & seccomp.numbers(machine).keys() == set()


@pytest.mark.parametrize("machine", HEADERS)
def test_the_program_fits_into_what_a_jump_and_the_kernel_can_hold(machine: str) -> None:
    assert 0 < len(seccomp.assemble(machine)) // 8 < 4096
