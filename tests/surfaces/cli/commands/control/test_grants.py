"""`capbox grants`: also what a folder begins with is listed, and can be forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from capbox.engine.home import Home
from capbox.surfaces.cli.opening import Choice, Remembered, folder_key


def test_what_is_remembered_for_a_folder_is_listed_and_forgotten(
    capbox: Callable, workspace: Path, home: Home, tmp_path: Path
) -> None:
    home.prepare()
    remembered = Remembered(home.state / "folders.json")
    other = tmp_path / "other"
    other.mkdir()
    assert remembered.put(folder_key(workspace), Choice("edit")) is None
    assert remembered.put(folder_key(other), Choice("none", ("read:/workspace/a",))) is None
    other.rmdir()
    here, gone = capbox("grants", "list", "--json").json["folders"]
    assert here == {
        "id": folder_key(workspace).id,
        "path": str(workspace.resolve()),
        "choice": "write:/workspace",
        "grants": ["write:/workspace"],
        "problem": None,
    }
    assert (gone["grants"], gone["problem"]) == (
        ["read:/workspace/a"],
        "another folder is there now, or none",
    )
    table = " ".join(capbox("grants", "list").out.split())
    assert f"{here['id']} each run in {here['path']} write:/workspace" in table
    assert f"{gone['id']} not used: another folder" in table
    assert capbox("grants", "remove", here["id"]).code == 0
    assert remembered.get(folder_key(workspace)) is None
    assert [one["id"] for one in capbox("grants", "list", "--json").json["folders"]] == [gone["id"]]
    assert capbox("grants", "remove", here["id"]).code == 2
