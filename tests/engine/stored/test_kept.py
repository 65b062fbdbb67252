"""Stores are listed with whose they are, and removed when no run has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from capbox.authority.paths import HostPath
from capbox.engine.stored.kept import Kept, kept, remove
from capbox.engine.stored.places import OWNER, Places

TOOLS = (("words", "d1"), ("other", "d2"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three stores: two tools in one workspace, one of them in another one too."""
    root = tmp_path / "stores"
    for workspace, digest in (("/a", "d1"), ("/a", "d2"), ("/b", "d1")):
        places = Places(root, HostPath(workspace), TOOLS)
        place = places.place(digest, "memo")
        Path(place, "n").write_bytes(bytes(5_000))
        places.close()
    return root


def owners(root: Path) -> list[tuple[str, str, str, str]]:
    """What is listed, without places."""
    return [(one.name, one.tool, one.digest, one.workspace) for one in kept(root)]


def named(root: Path, tool: str, workspace: str) -> Kept:
    """The one store of a tool in a workspace."""
    (one,) = [one for one in kept(root) if (one.tool, one.workspace) == (tool, workspace)]
    return one


def test_each_is_listed_with_its_tool_its_workspace_and_its_size(root: Path) -> None:
    assert owners(root) == [
        ("memo", "other", "d2", "/a"),
        ("memo", "words", "d1", "/a"),
        ("memo", "words", "d1", "/b"),
    ]
    assert {one.size() for one in kept(root)} == {8192}
    assert len({one.id for one in kept(root)}) == 3


def test_where_there_is_none_none_is_listed(tmp_path: Path) -> None:
    assert kept(tmp_path / "none") == ()


def test_one_is_removed_and_no_other(root: Path) -> None:
    one = named(root, "words", "/a")
    assert remove(root, one)
    assert owners(root) == [("memo", "other", "d2", "/a"), ("memo", "words", "d1", "/b")]
    assert not one.path.parent.exists() and one.path.parent.parent.exists()
    for rest in kept(root):
        assert remove(root, rest)
    assert list(root.iterdir()) == []


def test_what_a_run_has_is_not_removed_until_that_run_ends(root: Path) -> None:
    one = named(root, "words", "/a")
    runs = [Places(root, HostPath("/a"), TOOLS) for _ in range(2)]
    for run in runs:
        assert Path(run.place("d1", "memo")) == one.path
    runs[0].close()
    assert not remove(root, one) and (one.path / "n").exists()
    assert remove(root, named(root, "other", "/a"))  # nobody has that
    runs[1].close()
    assert remove(root, one) and not one.path.exists()


def test_a_run_that_had_one_begins_anew_after_it_was_removed(root: Path) -> None:
    one = named(root, "words", "/a")
    assert remove(root, one)
    places = Places(root, HostPath("/a"), TOOLS)
    assert Path(places.place("d1", "memo")) == one.path
    assert list(one.path.iterdir()) == []
    places.close()


def test_what_a_tool_put_there_does_not_keep_it_and_a_link_leads_nowhere(
    root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("x")
    one = named(root, "words", "/a")
    (one.path / "link").symlink_to(outside)
    deep = os.open(one.path, os.O_RDONLY)
    for _ in range(100):
        os.mkdir("d" * 200, dir_fd=deep)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.close(deep)
    assert one.size() is None
    assert remove(root, one)
    assert (outside / "x").exists() and not one.path.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"tool": 1}'])
def test_one_whose_owner_is_not_on_record_is_listed_all_the_same(root: Path, text: str) -> None:
    (named(root, "other", "/a").path.parent / OWNER).write_text(text)
    assert owners(root)[0] == ("memo", "", "", "")


def test_a_removal_that_was_killed_is_ended_by_the_next_one(root: Path) -> None:
    (root / ".0123" / "deep").mkdir(parents=True)
    assert len(kept(root)) == 3
    remove(root, named(root, "words", "/b"))
    assert not (root / ".0123").exists()
