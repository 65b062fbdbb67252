"""The eleven probes by which sandboxes are compared: none of them gets through.

Each is shown to work on naive tools by test_catalogue.py; here, which attacks stand for which
probe, and the few whose own numbers matter, against a real session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from capbox.engine.session import Session
from capbox.engine.settings import Settings
from capbox.surfaces.demo.attacks.catalogue import ATTACKS

PROBES: Mapping[str, tuple[str, ...]] = {
    "read /etc/passwd": ("read-absolute", "read-dot-dot", "script-read"),
    "read outside the grant": ("read-sibling", "read-sibling-absolute", "grep-outside"),
    "follow a symlink out": ("link-file-out", "link-folder-out", "link-make-and-read"),
    "write outside, write in a read-only mount": (
        "write-absolute",
        "write-dot-dot",
        "write-read-only",
        "link-write-out",
    ),
    "127.0.0.1": ("network-loopback", "network-udp"),
    "169.254.169.254": ("network-metadata",),
    "environment secret": ("environment", "proc-environment"),
    "endless loop": ("loop",),
    "2 GB of memory": ("memory",),
    "64 forks": ("background",),
    "200 MB of output": ("output",),
}
OpenSession = Callable[[Settings], AbstractAsyncContextManager[Session]]


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_works_on_naive_tools_and_is_contained(
    probe: str,
    user: str,
    walls: str,
    bites: Callable[[str], Mapping[str, str | None]],
    trials: Callable[[str, str], Mapping[str, list[str | None]]],
) -> None:
    for attack in PROBES[probe]:
        assert bites(user)[attack] is not None
        assert trials(user, walls)[attack][1] is None


def test_there_are_eleven_probes_and_each_names_attacks_of_the_demo() -> None:
    known = {attack.id for attack in ATTACKS}
    assert (len(PROBES), {a for found in PROBES.values() for a in found} - known) == (11, set())


REAL: Mapping[str, tuple[str, str]] = {
    "/etc/passwd of this machine": ("cat /etc/passwd /proc/1/root/etc/passwd", "root:"),
    "the metadata address": (
        "cat < /dev/tcp/169.254.169.254/80; curl -s http://169.254.169.254/latest/; echo done",
        "ami-",
    ),
    "the environment of this process": ("env; cat /proc/self/environ /proc/1/environ", "PYTEST_"),
    "the machine's processes": ("ps aux; ls /proc; kill -9 1; echo done", "init"),
}


@pytest.mark.parametrize("probe", REAL)
async def test_the_real_machine_is_out_of_reach_by_default(
    probe: str, open_session: OpenSession, tmp_path: Path
) -> None:
    script, sign = REAL[probe]
    async with open_session(Settings(workspace=tmp_path, writes=(".",))) as session:
        found = await session.call("bash", {"script": script})
    assert sign not in found.content
    assert {e.path for e in found.effects if e.action == "read"} == set()


@pytest.mark.slow
async def test_two_gigabytes_and_two_hundred_megabytes_meet_the_default_bounds(
    open_session: OpenSession, tmp_path: Path
) -> None:
    scripts = {
        "memory": "x=0123456789abcdef; while [ ${#x} -lt 2000000000 ]; do x=$x$x; done",
        "output": "for i in $(seq 200); do head -c 1000000 /dev/zero; done",
    }
    async with open_session(Settings(workspace=tmp_path, writes=(".",))) as session:
        for bound, script in scripts.items():
            found = await session.call("bash", {"script": script})
            assert found.error is not None
            assert (found.ok, found.error.code) == (False, bound)
