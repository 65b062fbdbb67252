"""Scratch space: what lies there counts, however it is hidden."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.authority.paths import HostPath
from capbox.sandbox.scratch import DEPTH_MAX, ENTRIES_MAX, bytes_left

MAX = 1_000_000
SIZE = 4096


def hidden_by_depth(root: Path, depth: int) -> None:
    """Build a chain of directories and put a file at its end, by descriptors."""
    fd = os.open(root, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d" * 100, dir_fd=fd)
        below = os.open("d" * 100, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    written = os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    os.write(written, bytes(100 * SIZE))
    os.close(written)
    os.close(fd)


def many(root: Path) -> None:
    """Make more entries than are counted."""
    for number in range(ENTRIES_MAX + 1):
        (root / str(number)).symlink_to("x")


TREES: dict[str, tuple[Callable[[Path], object], bool | None]] = {
    "nothing": (lambda root: None, True),
    "a link to a large file": (lambda root: (root / "l").symlink_to("/usr/bin/python3"), True),
    "a link to a tree": (lambda root: (root / "l").symlink_to("/usr"), True),
    "a file": (lambda root: (root / "f").write_bytes(bytes(100 * SIZE)), None),
    "a file below a path of 5,000 bytes": (lambda root: hidden_by_depth(root, 50), None),
    "a file deeper than is looked": (lambda root: hidden_by_depth(root, DEPTH_MAX + 1), False),
    "a file as large as the limit": (lambda root: (root / "f").write_bytes(bytes(MAX)), False),
}


@pytest.mark.parametrize("name", TREES)
def test_what_is_left_is_what_the_tree_leaves(name: str, tmp_path: Path) -> None:
    build, whole = TREES[name]
    build(tmp_path)
    left = bytes_left(HostPath(str(tmp_path)), MAX)
    if whole is None:
        assert 0 < left <= MAX - 100 * SIZE
    else:
        assert left == (MAX if whole else 0)


@pytest.mark.slow
def test_a_tree_too_wide_to_count_is_full(tmp_path: Path) -> None:
    many(tmp_path)
    assert bytes_left(HostPath(str(tmp_path)), MAX) == 0


def test_no_directory_is_no_space_and_no_descriptor_stays_open(tmp_path: Path) -> None:
    hidden_by_depth(tmp_path, DEPTH_MAX + 1)
    before = len(os.listdir("/proc/self/fd"))
    assert bytes_left(HostPath(str(tmp_path)), MAX) == 0
    assert bytes_left(HostPath("/nowhere"), MAX) == 0
    assert len(os.listdir("/proc/self/fd")) == before
