"""Privileges: what root could leave behind for others is gone, handling granted files is not."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

Inmate = Callable[[str], dict[str, str]]

ALLOWED = (
    "handle files as the host does",
    "read in the room",
    "write in the room",
    "give a file away",
    "change another's mode",
)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has capabilities to give up")


@as_root
def test_an_escaped_worker_of_root_cannot_leave_a_privileged_program_behind(
    inmate: Inmate,
) -> None:
    assert inmate("rlimits")["make a program privileged"] == "ok"
    tried = inmate("rlimits,privileges")
    assert tried["make a program privileged"] == "EPERM"
    assert {name: tried[name] for name in ALLOWED} == dict.fromkeys(ALLOWED, "ok")


def test_all_walls_together_leave_no_way_to_it(inmate: Inmate) -> None:
    tried = inmate("rlimits,privileges,landlock,seccomp")
    assert tried["make a program privileged"] == "EPERM"
    assert tried["handle files as the host does"] == "ok"
