"""Commands and tools that change files, on files that the run may not read or write."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox.box import Box
from capbox.engine.local import LocalEngine


@pytest.mark.parametrize(
    ("name", "status", "content"),
    [("plain", 0, "KEY=changed\n"), ("again", 2, "KEY=secret\n")],
)
async def test_sed_in_place_leaves_a_file_that_it_may_not_read(
    engine: LocalEngine, tmp_path: Path, name: str, status: int, content: str
) -> None:
    place = tmp_path / "workspace"
    place.mkdir()
    for file in (".env", "plain"):
        (place / file).write_text("KEY=secret\n")
    (place / "again").hardlink_to(place / ".env")
    async with Box(workspace=place, grants=("write:/workspace",), engine=engine) as box:
        result = await box.call("bash", script=f"sed -i s/secret/changed/ {name}")
    assert result.data is not None and result.data["exit_code"] == status
    assert (place / name).read_text() == content
    assert sorted(path.name for path in place.iterdir()) == [".env", "again", "plain"]


CHANGE = "--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-a\n+b\n"
CREATE = "--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+b\n"
DELETE = "--- a/{0}\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
RENAME = "diff --git a/{0} b/dir/x\nrename from {0}\nrename to dir/x\n"
OUTSIDE = "write:/workspace/dir"


@pytest.mark.parametrize(
    ("grant", "patch", "name", "denied"),
    [
        (OUTSIDE, CHANGE, "file", ["write /workspace/file"]),
        (OUTSIDE, CREATE, "new", ["write /workspace/new"]),
        (OUTSIDE, DELETE, "file", ["write /workspace/file"]),
        (OUTSIDE, RENAME, "file", ["write /workspace/file"]),
        (OUTSIDE, CHANGE, "dir/file", []),
        (OUTSIDE, CHANGE, "dir/again", []),
        ("write:/workspace", CHANGE, ".env", ["write /workspace/.env"]),
        ("write:/workspace", CHANGE, "file", []),
        ("write:/workspace", CREATE, "new", []),
        ("write:/workspace", DELETE, "file", []),
        ("write:/workspace", RENAME, "file", []),
    ],
)
async def test_a_patch_asks_for_the_right_that_it_needs(
    engine: LocalEngine, tmp_path: Path, grant: str, patch: str, name: str, denied: list[str]
) -> None:
    place = tmp_path / "workspace"
    (place / "dir").mkdir(parents=True)
    for file in ("file", ".env", "dir/file"):
        (place / file).write_text("a\n")
    (place / "dir" / "again").hardlink_to(place / "dir" / "file")
    async with Box(workspace=place, grants=(grant,), engine=engine) as box:
        result = await box.call("apply_patch", patch=patch.format(name))
    assert [str(one.access) for one in result.denied] == denied
    assert result.ok == (denied == [])
