"""Resource limits of a worker process, set before anything else and never raised again.

Guarantees: no core file with guest data, a bounded number of descriptors, and bounded memory of
the worker's own (RLIMIT_DATA; wasm's address reservation is not data and stays free, measured).
Does not bound the guest: that is the store's memory limit and the host's counters.
"""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

from capbox.sandbox.lockdown.libc import libc

_PR_SET_PDEATHSIG = 1
_SLACK_BYTES = 192 << 20
_SPARE_DESCRIPTORS = 64


def die_with_parent(parent: int) -> None:
    """Ask for SIGKILL when the forking process dies, and leave at once if it already has."""
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def restrict(*, memory_bytes: int, open_files: int) -> None:
    """Apply the limits for a guest of `memory_bytes`. Raises OSError."""
    data = _data_bytes() + memory_bytes + _SLACK_BYTES
    _lower(resource.RLIMIT_DATA, data)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, open_files + _SPARE_DESCRIPTORS)


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _data_bytes() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0
