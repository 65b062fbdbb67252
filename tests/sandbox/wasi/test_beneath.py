"""Opening beneath a root: what is opened, under which name, and what is never opened."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox import spec
from capbox.sandbox.spec import Rule
from capbox.sandbox.wasi.beneath import Walk, opener
from capbox.sandbox.wasi.mounts import Mount, OpenMount


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """A root with links of every kind."""
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "sub" / "a").write_text("a")
    (tmp_path / "outside").write_text("no")
    for name, target in {
        "to_sub": "sub",
        "to_a": "sub/a",
        "to_a_slash": "sub/a/",
        "sub/up": "../sub/./deep/../a",
        "sub/out": "../../outside",
        "out_and_back": "../root/sub/a",
        "abs": str(root / "sub" / "a"),
        "loop": "loop",
        "root": ".",
    }.items():
        (root / name).symlink_to(target)
    fd = os.open(root, os.O_PATH | os.O_DIRECTORY)
    given = spec.Mount(GuestPath("/workspace"), HostPath(str(root)), (Rule(True, (".env",)),))
    yield Mount(OpenMount(given, fd))
    os.close(fd)


ROWS = [
    ("", os.O_RDONLY, ""),
    ("sub", os.O_RDONLY, "sub"),
    ("sub/a", os.O_RDONLY, "sub/a"),
    ("to_sub/a", os.O_RDONLY, "sub/a"),
    ("to_a", os.O_RDONLY, "sub/a"),
    ("sub/up", os.O_RDONLY, "sub/a"),
    ("root/root/to_sub/up", os.O_RDONLY, "sub/a"),
    ("to_a", os.O_PATH | os.O_NOFOLLOW, "to_a"),
    ("to_a", os.O_RDONLY | os.O_NOFOLLOW, "ELOOP"),
    ("to_a_slash", os.O_RDONLY, "ENOTDIR"),
    ("loop", os.O_RDONLY, "ELOOP"),
    ("loop/x", os.O_PATH | os.O_NOFOLLOW, "ELOOP"),
    ("sub/out", os.O_RDONLY, "EXDEV"),
    ("out_and_back", os.O_RDONLY, "EXDEV"),
    ("abs", os.O_RDONLY, "EXDEV"),
    ("abs", os.O_PATH | os.O_NOFOLLOW, "abs"),
    ("nowhere", os.O_RDONLY, "ENOENT"),
    ("sub/a/b", os.O_RDONLY, "ENOTDIR"),
    ("to_sub", os.O_RDONLY | os.O_DIRECTORY, "sub"),
]


@pytest.mark.parametrize("openat2", [True, False])
@pytest.mark.parametrize(("name", "flags", "expected"), ROWS)
def test_both_ways_open_the_same_object_and_know_its_name(
    mount: Mount, openat2: bool, name: str, flags: int, expected: str
) -> None:
    way = opener((mount,), openat2=openat2)
    try:
        fd, real = way.open(mount, name, flags)
    except OSError as error:
        assert errno.errorcode[error.errno] == expected
    else:
        os.close(fd)
        assert real == expected


def test_the_walk_is_used_where_it_is_asked_for(mount: Mount) -> None:
    assert type(opener((mount,), openat2=False)) is Walk


@pytest.mark.parametrize("openat2", [True, False])
def test_a_root_that_was_renamed_meanwhile_keeps_its_names(
    mount: Mount, tmp_path: Path, openat2: bool
) -> None:
    way = opener((mount,), openat2=openat2)
    (tmp_path / "root").rename(tmp_path / "elsewhere")
    (tmp_path / "root").mkdir()
    fd, real = way.open(mount, "to_a", os.O_RDONLY)
    assert (real, os.read(fd, 10)) == ("sub/a", b"a")
    os.close(fd)
