"""`capbox workspace`, and what a registered workspace gives to runs in it and to no other."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.hearing import HearingModel, hearing
from tests.surfaces.cli.conftest import Capbox

from capbox.engine.home import Home
from capbox.models.script import ScriptedReply
from capbox.surfaces.cli.entry import Entry


@pytest.fixture
def ear() -> HearingModel:
    """A model that keeps what it is told."""
    return hearing(*(ScriptedReply(text="Done.") for _ in range(4)))


@pytest.fixture
def entry(entry: Entry, ear: HearingModel) -> Entry:
    """The runtime with that model behind every specification."""

    def opened(spec: str, _base_url: str | None) -> HearingModel:
        ear.script = replace(ear.script, name=spec)
        return ear

    return replace(entry, open_model=opened)


@pytest.fixture
def inside() -> object:
    """Go to a folder, and back at the end."""
    began = Path.cwd()
    yield os.chdir
    os.chdir(began)


Go = Callable[[Path], None]


@pytest.fixture
def two(tmp_path: Path, capbox: Capbox) -> tuple[Path, Path]:
    """Two registered workspaces."""
    site, shop = tmp_path / "site", tmp_path / "shop"
    for folder in (site, shop):
        (folder / "docs").mkdir(parents=True)
        (folder / "AGENTS.md").write_text(f"notes of {folder.name}")
    done = capbox(
        *("workspace", "add", site, "--grant", "read:/workspace", "--model", "scripted:m"),
        *("--style", "concise", "--instructions", "Tabs.", "--budget", "turns=7,calls=9"),
    )
    assert done.code == 0, done.err
    assert capbox("workspace", "add", shop, "--name", "store").code == 0
    return site, shop


def test_what_was_added_is_listed_shown_and_removed(capbox: Capbox, two: tuple[Path, Path]) -> None:
    site, shop = two
    listed = capbox("workspace", "list", "--json").json
    assert isinstance(listed, list)
    assert [one["name"] for one in listed if isinstance(one, dict)] == ["site", "store"]
    assert capbox("workspace", "show", "site", "--json").json == {
        "name": "site",
        "path": str(site),
        "there": True,
        "grants": ["read:/workspace"],
        "model": "scripted:m",
        "style": "concise",
        "instructions": "Tabs.",
        "budget": {"turns": 7, "calls": 9},
    }
    assert f"folder: {site}" in capbox("workspace", "show", "site").out
    assert capbox("workspace", "remove", "store").code == 0
    assert shop.is_dir()
    for command in ("show", "remove"):
        done = capbox("workspace", command, "store")
        assert done.code == 2 and "there are: site" in done.err


def test_to_add_again_changes_only_what_is_said(capbox: Capbox, two: tuple[Path, Path]) -> None:
    assert capbox("workspace", "add", two[0], "--style", "learning", "--model", "").code == 0
    shown = capbox("workspace", "show", "site", "--json").json
    assert isinstance(shown, dict)
    assert (shown["style"], shown["model"]) == ("learning", None)
    assert (shown["grants"], shown["instructions"]) == (["read:/workspace"], "Tabs.")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("{new}", "--name", "site"), "has this name"),
        (("{new}", "--name", "../x"), "is no name"),
        (("{new}", "--style", "nosuch"), "there are: default"),
        (("{new}", "--grant", "raed:/x"), "raed"),
        (("{new}", "--grant", "read:/workspace/nothing"), "no such file"),
        (("{new}", "--budget", "sud=1"), "sud"),
        (("{new}/nothing",), "not a directory"),
        (("{home}",), "capbox's own directory"),
        (("/",), "capbox's own directory"),
    ],
)
def test_what_cannot_be_is_refused_and_loses_nothing(
    flags: tuple[str, ...], told: str, capbox: Capbox, two: object, tmp_path: Path, home: Home
) -> None:
    new = tmp_path / "new"
    new.mkdir()
    before = (home.config / "workspaces.toml").read_text()
    words = [flag.format(new=new, home=home.config.parent) for flag in flags]
    done = capbox("workspace", "add", *words)
    assert done.code == 2 and told in done.err, done.err
    assert (home.config / "workspaces.toml").read_text() == before


def test_a_run_in_the_folder_has_the_settings_and_one_elsewhere_has_none(
    capbox: Capbox, two: tuple[Path, Path], ear: HearingModel, inside: Go
) -> None:
    site, shop = two
    inside(site)
    done = capbox("run", "Go.", "--json")
    assert done.code == 0, done.out
    assert ear.requests[-1].system.count("Tabs.") == 1 and "Be brief" in ear.system
    assert "- read:/workspace\n" in ear.system and "- model:scripted:m\n" in ear.system
    assert "7 replies, 9 tool calls" in ear.system and "notes of site" in ear.system
    inside(shop)
    assert capbox("run", "Go.", "--json").code == 2  # it has no model
    assert capbox("run", "Go.", "--json", "--model", "scripted:x", "--read", ".").code == 0
    for word in ("Tabs.", "Be brief", "scripted:m", "7 replies", "notes of site", str(site)):
        assert word not in ear.system
    assert "notes of shop" in ear.system


def test_a_run_in_one_workspace_cannot_read_another(
    capbox: Capbox, two: tuple[Path, Path], inside: Go, home: Home
) -> None:
    site, shop = two
    inside(site)
    (site / "link.md").symlink_to(shop / "AGENTS.md")
    config = home.config / "workspaces.toml"
    for path in (shop / "AGENTS.md", "../shop/AGENTS.md", "link.md", config):
        done = capbox("call", "read", f"path={path}", "--read", ".")
        assert done.code != 0 and "notes of shop" not in done.out + done.err
    assert "notes of site" in capbox("call", "read", "path=AGENTS.md", "--read", ".").out


@pytest.mark.parametrize(
    ("flags", "there", "gone"),
    [
        (("--read", "docs"), "- read:/workspace/docs\n", "- read:/workspace\n"),
        (("--model", "scripted:o"), "- model:scripted:o\n", "scripted:m"),
        (("--style", "learning"), "wants to learn", "Be brief"),
        (("--max-turns", "3"), "3 replies, 9 tool calls", "7 replies"),
    ],
    ids=" ".join,
)
def test_a_flag_stands_before_what_the_workspace_says(
    flags: tuple[str, ...],
    there: str,
    gone: str,
    capbox: Capbox,
    two: object,
    ear: HearingModel,
) -> None:
    done = capbox("run", "Go.", "--json", "-w", "site", *flags)
    assert done.code == 0, done.out
    assert there in ear.system and gone not in ear.system and "Tabs." in ear.system


def test_in_a_folder_below_a_flag_means_what_was_typed_there(
    capbox: Capbox, two: tuple[Path, Path], inside: Go
) -> None:
    inside(two[0] / "docs")
    shown = capbox("prompt", "--read", ".").out
    assert "- read:/workspace/docs\n" in shown and "- read:/workspace\n" not in shown
    assert "Tabs." in shown
    assert "- read:/workspace\n" in capbox("prompt").out


def test_another_folder_in_its_place_has_nothing_of_it(
    capbox: Capbox, two: tuple[Path, Path], inside: Go
) -> None:
    site, _ = two
    site.rename(site.with_name("old"))
    site.mkdir()
    (site / "evil.txt").write_text("x")
    inside(site)
    done = capbox("prompt")
    assert "Tabs." not in done.out and "read:/workspace" not in done.out
    assert "is not the folder that was registered as site" in done.err
    done = capbox("prompt", "-w", "site")
    assert done.code == 2 and "capbox workspace add" in done.err
    assert capbox("workspace", "add", site).code == 0
    assert '"grants": []' in capbox("workspace", "show", "site", "--json").out


def test_a_file_that_cannot_be_read_is_kept_and_stops_the_run(
    capbox: Capbox, two: tuple[Path, Path], home: Home, inside: Go
) -> None:
    file = home.config / "workspaces.toml"
    file.write_text("version = 1\noops")
    inside(two[0])
    for command in (
        ("run", "Go.", "--model", "scripted:x"),
        ("workspace", "list"),
        ("workspace", "add", str(two[1])),
        ("workspace", "remove", "site"),
    ):
        done = capbox(*command)
        assert done.code == 2 and "workspaces.toml: cannot be read" in done.err, done.err
    assert file.read_text() == "version = 1\noops"


def test_w_and_a_folder_exclude_each_other(capbox: Capbox, two: tuple[Path, Path]) -> None:
    done = capbox("prompt", "-w", "site", "--workspace", two[1])
    assert done.code == 2 and "leave out one" in done.err
    assert "Tabs." in capbox("prompt", "--workspace", two[0]).out


def test_blast_radius_counts_what_the_workspace_grants(
    capbox: Capbox, two: tuple[Path, Path]
) -> None:
    shown = json.loads(capbox("blast-radius", "-w", "site", "--json").out)
    assert "read:/workspace" in json.dumps(shown)


# --- going on with a session there ----------------------------------------------------------------


@pytest.mark.parametrize("command", [("resume",), ("run", "Go.", "--resume", "last")], ids=" ".join)
def test_to_go_on_with_a_session_gives_it_nothing_of_the_workspace_that_it_never_held(
    capbox: Capbox,
    two: tuple[Path, Path],
    ear: HearingModel,
    inside: Go,
    command: tuple[str, ...],
) -> None:
    inside(two[0])
    assert capbox("run", "Go.", "--json", "--read", "docs", "--model", "scripted:o").code == 0
    assert "- read:/workspace/docs\n" in ear.system and "- read:/workspace\n" not in ear.system
    done = capbox(*command, "--json")
    assert done.code == 0, done.err
    assert "- read:/workspace/docs\n" in ear.system and "- read:/workspace\n" not in ear.system
    assert "- model:scripted:o\n" in ear.system and "scripted:m" not in ear.system
    assert "Tabs." in ear.system and "7 replies" in ear.system


def test_a_session_that_held_nothing_goes_on_with_nothing_unless_a_flag_grants_it(
    capbox: Capbox, two: tuple[Path, Path], ear: HearingModel, inside: Go
) -> None:
    inside(two[0])
    assert capbox("run", "Go.", "--json", "--preset", "none").code == 0
    assert "- read:/workspace\n" not in ear.system
    assert capbox("resume", "--json").code == 0
    assert "- read:/workspace\n" not in ear.system
    assert capbox("resume", "--json", "--read", ".").code == 0
    assert "- read:/workspace\n" in ear.system


def test_a_session_is_gone_on_with_from_anywhere_by_the_name_of_its_workspace(
    capbox: Capbox, two: tuple[Path, Path], ear: HearingModel, inside: Go
) -> None:
    site, shop = two
    inside(site)
    assert capbox("run", "Go.", "--json").code == 0
    inside(shop)
    assert "there is none in" in capbox("resume").err
    done = capbox("run", "--resume", "last", "-w", "site", "--json")
    assert done.code == 0 and "notes of site" in ear.system, done.err
    (one,) = capbox("sessions", "list", "--json").json["sessions"]
    assert capbox("resume", one["id"], "--json").code == 0
    assert "Tabs." in ear.system and "notes of shop" not in ear.system


def test_a_path_typed_below_the_workspace_means_what_is_there_when_a_session_goes_on(
    capbox: Capbox, two: tuple[Path, Path], ear: HearingModel, inside: Go
) -> None:
    site, _ = two
    inside(site)
    assert capbox("run", "Go.", "--json", "--preset", "none").code == 0
    (one,) = capbox("sessions", "list", "--json").json["sessions"]
    inside(site / "docs")
    assert capbox("resume", one["id"], "--json", "--read", ".").code == 0
    assert "- read:/workspace/docs\n" in ear.system and "- read:/workspace\n" not in ear.system


def test_the_tools_of_the_loop_are_there_when_a_session_goes_on(
    capbox: Capbox, two: tuple[Path, Path], ear: HearingModel, inside: Go
) -> None:
    inside(two[0])
    assert capbox("run", "Go.", "--json").code == 0
    before = {tool.name for tool in ear.requests[-1].tools}
    assert {"todo", "recall", "brief"} <= before
    assert capbox("resume", "--json").code == 0
    assert {tool.name for tool in ear.requests[-1].tools} == before
    assert capbox("run", "Go.", "--json", "--tool", "read").code == 0
    assert capbox("resume", "--json").code == 0
    assert [tool.name for tool in ear.requests[-1].tools] == ["read"]
