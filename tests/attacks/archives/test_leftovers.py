"""Archives that leave in the workspace what must not be there: each does, unpacked naively."""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.attacks.archives.hostile import (
    TAR,
    OpenSession,
    Place,
    entry,
    naive_tar,
    tar_of,
    unpacked,
)

# What no archive may leave behind: a pipe that blocks its reader, a program with another's rights,
# and files that a person's own tools obey.
LEFT: Mapping[str, tuple[Callable[[Place], bytes], str, Callable[[Place], bool], str]] = {
    "a FIFO": (
        tar_of(entry("pipe", b"", type=tarfile.FIFOTYPE)), TAR,
        lambda place: stat.S_ISFIFO(mode_of(place.into / "pipe")), "pipe: Cannot mkfifo",
    ),
    "a setuid program": (
        tar_of(entry("su", mode=0o4755)), TAR + " -p",
        lambda place: bool(mode_of(place.into / "su") & stat.S_ISUID),
        "su: setuid and setgid are not restored",
    ),
    "a hook of git": (
        tar_of(entry(".git/hooks/post-checkout", mode=0o755), entry("plain")), TAR,
        lambda place: (place.into / ".git").exists(),
        ".git/hooks/post-checkout: Cannot open: Permission denied",
    ),
    "a policy of capbox": (
        tar_of(entry("capbox.toml"), entry("plain")), TAR,
        lambda place: (place.into / "capbox.toml").exists(),
        "capbox.toml: Cannot open: Permission denied",
    ),
}  # fmt: skip


def mode_of(path: Path) -> int:
    return path.lstat().st_mode if path.is_symlink() or path.exists() else 0


@pytest.mark.parametrize("attack", LEFT)
def test_an_archive_leaves_what_it_must_not_when_unpacked_naively(
    attack: str, place: Place
) -> None:
    make, _, left, _ = LEFT[attack]
    naive_tar(place, make(place))
    assert left(place)


@pytest.mark.parametrize("attack", LEFT)
async def test_an_archive_leaves_nothing_that_it_must_not(
    attack: str, place: Place, open_session: OpenSession
) -> None:
    make, script, left, says = LEFT[attack]
    (place.work / "evil").write_bytes(make(place))
    found = await unpacked(place, script, open_session)
    assert says in found.content
    assert not left(place)
