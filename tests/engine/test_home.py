"""capbox's own directories are this user's alone, and no workspace or grant reaches them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from capbox.engine.home import Home
from capbox.engine.settings import SettingsError


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Directories that do not exist yet."""
    return Home(tmp_path / "h" / "config", tmp_path / "h" / "state", tmp_path / "h" / "cache")


def test_missing_directories_are_made_closed_to_others(home: Home) -> None:
    home.prepare()
    modes = [stat.S_IMODE(d.stat().st_mode) for d in (home.config, home.state, home.cache)]
    assert modes == [0o700] * 3


def test_preparing_twice_is_fine(home: Home) -> None:
    home.prepare()
    home.prepare()


@pytest.mark.parametrize("which", ["config", "state", "cache"])
@pytest.mark.parametrize("mode", [0o750, 0o705, 0o722, 0o701])
def test_a_directory_that_is_open_to_others_is_refused_and_left_as_it_is(
    home: Home, which: str, mode: int
) -> None:
    home.prepare()
    directory: Path = getattr(home, which)
    directory.chmod(mode)
    with pytest.raises(SettingsError, match=f"open to others: run chmod 700 {directory}"):
        home.prepare()
    assert stat.S_IMODE(directory.stat().st_mode) == mode


def test_a_link_in_the_place_of_a_directory_is_refused(home: Home, tmp_path: Path) -> None:
    home.prepare()
    home.state.rmdir()
    (tmp_path / "theirs").mkdir(mode=0o700)
    home.state.symlink_to(tmp_path / "theirs")
    with pytest.raises(SettingsError, match="not this user's directory"):
        home.prepare()


def test_a_file_in_the_place_of_a_directory_is_refused(home: Home) -> None:
    home.config.parent.mkdir()
    home.config.write_text("")
    with pytest.raises(SettingsError, match="cannot be used"):
        home.prepare()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_refused(home: Home) -> None:
    home.prepare()
    os.chown(home.state, 65534, 65534)
    with pytest.raises(SettingsError, match="not this user's directory"):
        home.prepare()


def test_a_workspace_that_holds_or_lies_in_an_own_directory_is_refused(
    home: Home, tmp_path: Path
) -> None:
    home.prepare()
    (tmp_path / "link").symlink_to(home.state)
    linked = Home(home.config, tmp_path / "link", home.cache)
    table = {
        tmp_path: False,
        tmp_path / "h": False,
        home.state: False,
        home.state / "journal": False,
        home.config / "x" / "y": False,
        tmp_path / "h" / "statehouse": True,
        tmp_path / "work": True,
    }
    for own in (home, linked):
        assert {path: accepts(own, path) for path in table} == table


def accepts(home: Home, workspace: Path) -> bool:
    """Say whether a workspace may be there."""
    try:
        home.refuse_inside(str(workspace))
    except SettingsError:
        return False
    return True


def test_its_guards_name_the_real_directories(home: Home, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to("real")
    guards = Home(tmp_path / "alias" / "c", tmp_path / "alias", tmp_path / "x").guards()
    assert [str(rule) for rule in guards] == [
        f"never: read {tmp_path}/real/c",
        f"never: read {tmp_path}/real",
        f"never: read {tmp_path}/x",
    ]
