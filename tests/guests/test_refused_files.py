"""Commands that change files, on files that the run may not read: they stay as they are."""

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
