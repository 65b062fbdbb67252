"""`capbox doctor`: says what stands, and is 0 exactly if a call can be made."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from capbox import app
from capbox.engine.home import Home
from capbox.surfaces.cli.commands.checks import Check, examine
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.program import main

NAMES = [
    "wasm",
    "landlock",
    "seccomp",
    "openat2",
    "memfd",
    "pidfd",
    "/proc",
    "python",
    "toolbox",
    "build tools",
    "compile cache",
    "config folder",
    "state folder",
    "cache folder",
    "journal key",
    "anthropic SDK",
    "openai SDK",
]


def test_there_is_a_line_for_each_wall_and_dependency_and_a_call_is_tried(
    capbox: Callable,
) -> None:
    found = capbox("doctor", "--json").json
    assert [check["name"] for check in found["checks"]] == [*NAMES, "a tool call"]
    assert found["ok"] is True
    assert found["checks"][-1]["state"] == "up"
    done = capbox("doctor")
    assert done.code == 0
    for name in NAMES:
        assert any(line[6:].startswith(name) for line in done.out.splitlines())
    assert "capbox can run here" in done.out
    assert "Landlock is given its parent directory" in done.out


def test_looking_changes_nothing(home: Home) -> None:
    list(examine(home, app.GUESTS))
    assert not home.state.exists()


def checked(home: Home, guests: Path = app.GUESTS) -> dict[str, Check]:
    return {check.name: check for check in examine(home, guests)}


def test_a_folder_open_to_others_stops_everything(home: Home, capbox: Callable) -> None:
    home.prepare()
    home.state.chmod(0o755)
    found = checked(home)["state folder"]
    assert (found.state, found.stops, "chmod 700" in found.means) == ("down", True, True)
    done = capbox("doctor")
    assert (done.code, "capbox cannot run here" in done.out) == (1, True)
    assert "not tried" in done.out


def test_a_key_open_to_others_stops_everything(home: Home, capbox: Callable) -> None:
    assert capbox("doctor").code == 0
    (home.state / "journal.key").chmod(0o644)
    assert checked(home)["journal key"].stops
    assert capbox("doctor").code == 1


def test_tools_that_were_not_built_stop_everything(
    home: Home, tmp_path: Path, entry: Entry, capsys: pytest.CaptureFixture[str]
) -> None:
    found = checked(home, tmp_path)["toolbox"]
    assert (found.state, found.stops, "make setup" in found.means) == ("down", True, True)
    assert main(replace(entry, guests=lambda: tmp_path), ["doctor"]) == 1
    assert "toolbox" in capsys.readouterr().out


def test_a_module_without_a_snapshot_is_a_warning(home: Home, tmp_path: Path) -> None:
    guests = tmp_path / "guests"
    shutil.copytree(app.GUESTS / "toolbox", guests / "toolbox")
    (guests / "toolbox.wasm").write_bytes(b"\0asm plain")
    found = checked(home, guests)["toolbox"]
    assert (found.state, found.stops) == ("warn", False)
    assert checked(home)["toolbox"].state == "up"


def test_an_empty_compile_cache_is_a_warning(tmp_path: Path) -> None:
    home = Home(tmp_path / "a", tmp_path / "b", tmp_path / "c")
    assert checked(home)["compile cache"].state == "warn"
