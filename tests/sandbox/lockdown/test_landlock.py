"""Landlock: what is granted stays reachable, everything else is not, on every thread."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from capbox.sandbox.lockdown import landlock

Inmate = Callable[[str], dict[str, str]]

ALLOWED = (
    "handle files as the host does",
    "read in the room",
    "write in the room",
    "create in the room",
    "list the room",
    "read in the read-only grant",
)
DENIED = (
    "write in the read-only grant",
    "truncate in the read-only grant",
    "create in the read-only grant",
    "remove in the read-only grant",
    "open /",
    "open /etc/passwd",
    "write /tmp",
    "open /proc/self/mem",
    "open /dev/null",
)


def test_only_the_granted_directories_can_be_opened_and_only_as_granted(inmate: Inmate) -> None:
    tried = inmate("rlimits,landlock")
    assert {name: tried[name] for name in ALLOWED} == dict.fromkeys(ALLOWED, "ok")
    assert {name: tried[name] for name in DENIED} == dict.fromkeys(DENIED, "EACCES")


def test_without_the_wall_the_same_attempts_succeed(inmate: Inmate) -> None:
    tried = inmate("rlimits")
    outside = ("open /", "open /etc/passwd", "open /dev/null", "write in the read-only grant")
    assert {name: tried[name] for name in outside} == dict.fromkeys(outside, "ok")


def test_signals_stay_inside_where_the_kernel_can_keep_them(inmate: Inmate) -> None:
    if landlock.abi() < 6:
        pytest.skip("this kernel's Landlock has no scopes")
    tried = inmate("rlimits,landlock")
    assert (tried["signal itself"], tried["signal the parent"]) == ("ok", "EPERM")


def test_a_rule_on_what_is_no_directory_is_an_error_and_not_a_hole() -> None:
    with pytest.raises(OSError, match="Landlock"):
        landlock.restrict([(-1, False)])
