"""Trees that are deep, folders that are full, and files larger than memory and bounds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from capbox.authority.limits import Limits
from capbox.messages import ToolResult

LEVELS = 1_000
HUGE = 10 << 30
FEW = 1_000_000
TOO_MANY = "[not every effect of this call could be read back; the list is incomplete]"


def code(result: ToolResult) -> str | None:
    return None if result.error is None else result.error.code


def lines(result: ToolResult) -> list[str]:
    return [line for line in result.content.splitlines() if line and line != TOO_MANY]


def deep(folder: Path) -> str:
    """Make a file a thousand levels down; return its path below `folder`."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(LEVELS):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    bottom = os.open("bottom.txt", os.O_CREAT | os.O_WRONLY, dir_fd=here)
    os.write(bottom, b"needle\n")
    os.close(bottom)
    os.close(here)
    return "d/" * LEVELS + "bottom.txt"


async def test_a_file_a_thousand_levels_down_is_read_and_changed(
    make_box: object, workspace: Path
) -> None:
    path = deep(workspace)
    async with make_box() as box:  # type: ignore[operator]
        read = await box.call("read", path=path)
        edited = await box.call("edit", path=path, old="needle", new="thread")
        again = await box.call("bash", script=f"cat {path}")
    assert (read.content, edited.ok, again.content) == ("     1\tneedle", True, "thread\n")


@pytest.mark.slow
async def test_a_tree_of_a_thousand_levels_is_searched_and_removed(
    make_box: object, workspace: Path
) -> None:
    path = deep(workspace)
    async with make_box(limits=Limits(wall_seconds=300)) as box:  # type: ignore[operator]
        globbed = await box.call("glob", pattern="**/bottom.txt")
        grepped = await box.call("grep", pattern="needle")
        found = await box.call("bash", script="find . | wc -l")
        removed = await box.call("bash", script="rm -rf d; ls")
    # Names of 2,000 bytes: the list of what was looked at may be cut, and then each answer says so.
    assert lines(globbed) == [path]
    assert lines(grepped) == [f"{path}:1:needle"]
    assert lines(found) == [f"{LEVELS + 2}"]
    # So long are the names that one call cannot have all removals on record: it stops before.
    gone = sum(effect.action in ("rmdir", "delete") for effect in removed.effects)
    assert (code(removed), gone + sum(1 for _ in os.walk(workspace)) - 1) == ("effects", LEVELS + 1)


@pytest.mark.slow
async def test_a_folder_of_a_hundred_thousand_files_is_listed_and_searched(
    make_box: object, workspace: Path
) -> None:
    for number in range(100_000):
        (workspace / f"{number}.txt").touch()
    (workspace / "needle.txt").write_text("needle\n")
    async with make_box(limits=Limits(wall_seconds=300)) as box:  # type: ignore[operator]
        globbed = await box.call("glob", pattern="*")
        one = await box.call("glob", pattern="needle*")
        grepped = await box.call("grep", pattern="needle")
        counted = await box.call("bash", script="ls | wc -l; find . -type f | wc -l")
        listed = await box.call("bash", script="ls")
        removed = await box.call("bash", script="rm -rf ./*")
    assert globbed.data is not None and globbed.data["total"] == 100_001
    assert len(globbed.content) < 20_000
    assert (one.content, grepped.content) == ("needle.txt", "needle.txt:1:needle\n" + TOO_MANY)
    assert counted.content == "100001\n100001\n"
    assert listed.ok and len(listed.content.encode()) <= Limits().output_bytes
    # More changes than one call can have on record: it stops before the first that it could not.
    assert code(removed) == "effects"
    assert sum(e.action == "delete" for e in removed.effects) == 100_001 - len(
        os.listdir(workspace)
    )


SPARSE = [
    ("wc -c huge", None, f"{HUGE} huge\n"),
    ("stat -c %s huge", None, f"{HUGE}\n"),
    ("head -c 5 huge", None, "first"),
    ("tail -c 5 huge", None, "last\n"),
    ("tail -n 1 huge | tr -d '\\0'", "memory", ""),
    ("cp huge copy", "written", ""),
    ("cat huge > copy", "written", ""),
    ("cat huge", "output", ""),
    ("x=$(cat huge)", "memory", ""),
    ("sort huge", "memory", ""),
    ("md5sum huge", "time", ""),
]


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@pytest.fixture
def huge(workspace: Path) -> Path:
    """A file of ten gigabytes that takes two blocks."""
    path = workspace / "huge"
    with path.open("wb") as file:
        file.write(b"first\n")
        file.truncate(HUGE - 5)
        file.seek(HUGE - 5)
        file.write(b"last\n")
    return path


@pytest.mark.parametrize(("script", "bound", "answer"), SPARSE)
async def test_a_script_on_ten_gigabytes_answers_or_names_its_bound(
    make_box: object, huge: Path, script: str, bound: str | None, answer: str
) -> None:
    limits = Limits(wall_seconds=1.0 if bound == "time" else 60.0, written_bytes=FEW)
    async with make_box(limits=limits) as box:  # type: ignore[operator]
        result = await box.call("bash", script=script)
    assert (code(result), result.content) == (bound, answer)
    copy = huge.with_name("copy")
    assert size(copy) <= FEW
    assert size(huge) == HUGE


async def test_the_file_tools_on_ten_gigabytes_read_a_part_or_say_so(
    make_box: object, huge: Path
) -> None:
    async with make_box() as box:  # type: ignore[operator]
        read = await box.call("read", path="huge")
        grepped = await box.call("grep", pattern="first")
        edited = await box.call("edit", path="huge", old="first", new="other")
    assert "10,737,418,240 bytes" in read.content
    assert "1 binary file skipped" in grepped.content
    assert code(edited) == "too_large"
    assert all(effect.bytes < 1_000_000 for r in (read, grepped) for effect in r.effects)


@pytest.mark.slow
async def test_a_text_of_ten_gigabytes_is_read_by_pages(make_box: object, workspace: Path) -> None:
    with (workspace / "text").open("wb") as file:
        file.write(b"".join(b"line %d\n" % n for n in range(1, 100_001)))
        file.truncate(HUGE)
    async with make_box(limits=Limits(wall_seconds=300)) as box:  # type: ignore[operator]
        first = await box.call("read", path="text", limit=2)
        later = await box.call("read", path="text", offset=50_000, limit=1)
    assert first.content.startswith("     1\tline 1\n     2\tline 2\n")
    assert later.content.startswith(" 50000\tline 50000")
