"""What the kernel offers is found out without changing anything."""

from __future__ import annotations

import platform
import resource
import socket
from pathlib import Path

import pytest

from capbox.sandbox.lockdown import landlock, seccomp
from capbox.sandbox.lockdown.walls import probe


def test_probing_puts_up_no_wall() -> None:
    before = Path("/proc/self/status").read_text().split("NoNewPrivs")[1].split("Cpus")[0]
    walls = probe()
    after = Path("/proc/self/status").read_text().split("NoNewPrivs")[1].split("Cpus")[0]
    assert before == after
    assert (walls.landlock, walls.seccomp) == (landlock.abi() > 0, seccomp.available())
    socket.socket().close()
    assert resource.getrlimit(resource.RLIMIT_CORE) is not None


def test_a_linux_of_today_has_them_all() -> None:
    if platform.system() != "Linux" or not landlock.abi():
        pytest.skip("no Landlock here")
    walls = probe()
    assert (walls.landlock, walls.seccomp, walls.openat2, walls.memfd) == (True,) * 4
