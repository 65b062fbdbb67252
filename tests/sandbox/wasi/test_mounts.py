"""Mounts as a tree: prefixes, synthetic parents, single files, several rules, read-only places."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from capbox.sandbox.spec import Rule


@pytest.fixture
def tree(world: Any) -> Any:
    """A workspace, a nested writable directory in it, two single files and a map under /mnt."""
    ws, other = world.workspace, world.root / "other"
    (ws / "out").mkdir()
    other.mkdir()
    for path in (
        ws / "a.txt",
        ws / "one.txt",
        ws / "out" / "b.txt",
        other / "one.txt",
        other / "x",
    ):
        path.write_text(path.name)
    return world.guest(
        world.mount("/workspace", ws, Rule(False)),
        world.mount("/workspace/out", ws / "out", Rule(False), Rule(True)),
        world.mount(
            "/workspace/one.txt", ws, Rule(True, (".env*",), (), "one.txt"), name="one.txt"
        ),
        world.mount("/mnt/one.txt", other, Rule(True, (), (), "one.txt"), name="one.txt"),
        world.mount("/mnt/deep/er", other, Rule(False)),
    )


ROWS = [
    ("read the workspace", lambda g: g.read_file("/workspace/a.txt"), "a.txt"),
    ("write the workspace", lambda g: g.write_file("/workspace/a.txt"), "EACCES"),
    ("make in the workspace", lambda g: g.write_file("/workspace/new"), "EACCES"),
    ("make below the nested mount", lambda g: g.write_file("/workspace/out/new"), "written"),
    ("remove the nested mount", lambda g: g.rmdir("/workspace/out"), "EBUSY"),
    ("write the one file", lambda g: g.write_file("/workspace/one.txt"), "written"),
    ("delete the one file", lambda g: g.unlink("/workspace/one.txt"), "done"),
    ("below the one file", lambda g: g.read_file("/workspace/one.txt/x"), "ENOTDIR"),
    ("a neighbour of the mapped file", lambda g: g.read_file("/mnt/x"), "EACCES"),
    ("make a neighbour", lambda g: g.write_file("/mnt/new"), "EACCES"),
    ("the mapped file", lambda g: g.read_file("/mnt/one.txt"), "one.txt"),
    ("move the one file away", lambda g: g.rename("/mnt/one.txt", "/mnt/two.txt"), "EACCES"),
    ("read through the map", lambda g: g.read_file("/mnt/deep/er/x"), "x"),
    ("write through the map", lambda g: g.write_file("/mnt/deep/er/x"), "EACCES"),
    ("a synthetic parent", lambda g: g.names("/mnt"), ["deep", "one.txt"]),
    ("a deeper one", lambda g: g.names("/mnt/deep"), ["er"]),
    ("the root", lambda g: g.names("/"), ["mnt", "workspace"]),
    ("look at a synthetic parent", lambda g: g.stat("/mnt"), (3, 0)),
    ("make in a synthetic parent", lambda g: g.mkdir("/mnt/deep/new"), "EACCES"),
    ("remove a synthetic parent", lambda g: g.rmdir("/mnt/deep"), "EACCES"),
    ("open a synthetic parent to write", lambda g: g.open("/mnt", "w"), "EISDIR"),
    ("make one that exists", lambda g: g.mkdir("/mnt/deep"), "EEXIST"),
    ("rename over mounts", lambda g: g.rename("/mnt/one.txt", "/workspace/out/y"), "EXDEV"),
    ("rename between mounts", lambda g: g.rename("/workspace/out/b.txt", "/mnt/one.txt"), "EXDEV"),
    ("chmod a file of a read-only place", lambda g: g.chmod("/workspace/a.txt", 0o777), "EACCES"),
]


@pytest.mark.parametrize(("act", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_the_longest_mount_decides(tree: Any, outcome: Any, act: Any, expected: object) -> None:
    assert outcome(lambda: act(tree)) == expected


def test_the_workspace_exists_without_any_grant(world: Any, outcome: Any) -> None:
    guest = world.guest()
    assert guest.names("/") == ["workspace"]
    assert guest.names("/workspace") == []
    assert outcome(lambda: guest.read_file("/workspace/a.txt")) == "EACCES"
    # That the workspace looks empty is not the truth, so it is told of too.
    assert [(r.action, r.path) for r in guest.finish().refused] == [
        ("read", "/workspace"),
        ("read", "/workspace/a.txt"),
    ]


def test_the_way_to_what_is_granted_is_listed_without_a_word(tree: Any) -> None:
    tree.names("/mnt")
    assert tree.finish().refused == ()


def test_two_rules_never_add_up(world: Any, outcome: Any) -> None:
    ws = world.workspace
    (ws / "a").write_text("a")
    (ws / "b").symlink_to("a")
    # Each rule hides one of the two names, so no single rule allows the link and its target.
    guest = world.guest(world.mount("/workspace", ws, Rule(False, ("a",)), Rule(False, ("b",))))
    assert guest.read_file("/workspace/a") == "a"
    assert outcome(lambda: guest.read_file("/workspace/b")) == "EACCES"


def set_note(path: Path) -> bool:
    """Set an extended attribute, where the file system has them."""
    try:
        os.setxattr(path, "user.note", b"kept")
    except OSError:
        return False
    return True


def replace(guest: Any, temporary: str, target: str, content: bytes) -> str:
    """Replace a file as the toolbox does."""
    fd = guest.open(temporary, "wcx")
    guest.write(fd, content)
    guest.close(fd)
    return str(guest.rename(temporary, target))


def test_a_single_file_is_replaced_by_rename_of_its_temporary_name(tree: Any, world: Any) -> None:
    path = world.workspace / "one.txt"
    path.chmod(0o640)
    noted = set_note(path)
    done = replace(tree, "/workspace/.capbox-1-one.txt.tmp", "/workspace/one.txt", b"new")
    assert (done, path.read_text()) == ("done", "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert not noted or os.getxattr(path, "user.note") == b"kept"
    tree.finish()
    assert [(t.action, t.path, t.bytes) for t in tree.effects().touched] == [
        ("write", "/workspace/one.txt", 3)
    ]


TEMPORARY = [
    ("another temporary name", ".capbox-1-two.txt.tmp", "EACCES"),
    ("no temporary name", "one.txt.tmp", "EACCES"),
    ("its own temporary name", ".capbox-x-one.txt.tmp", "done"),
]


@pytest.mark.parametrize(("name", "expected"), [r[1:] for r in TEMPORARY])
def test_only_its_own_temporary_names_exist_beside_a_single_file(
    world: Any, outcome: Any, name: str, expected: str
) -> None:
    (world.workspace / "one.txt").write_text("old")
    guest = world.guest(
        world.mount("/workspace/one.txt", world.workspace, Rule(True), name="one.txt")
    )
    got = outcome(lambda: replace(guest, f"/workspace/{name}", "/workspace/one.txt", b"new"))
    assert got == expected


def test_a_temporary_name_that_someone_else_made_is_out_of_reach(
    tree: Any, world: Any, outcome: Any
) -> None:
    path = world.root / "other" / ".capbox-1-one.txt.tmp"
    path.write_text("not yours")
    name = "/mnt/.capbox-1-one.txt.tmp"
    got = [
        outcome(act)
        for act in (
            lambda: tree.read_file(name),
            lambda: tree.write_file(name, mode="w"),
            lambda: tree.write_file(name, mode="wcx"),
            lambda: tree.unlink(name),
            lambda: tree.stat(name),
            lambda: tree.rename(name, "/mnt/one.txt"),
            lambda: tree.rename("/mnt/one.txt", name),
        )
    ]
    assert got == ["ENOENT", "ENOENT", "EEXIST", "ENOENT", "ENOENT", "ENOENT", "EACCES"]
    assert path.read_text() == "not yours"


def test_left_over_temporary_files_are_removed_at_the_end(tree: Any, world: Any) -> None:
    tree.write_file("/mnt/.capbox-1-one.txt.tmp", mode="wcx")
    assert (world.root / "other" / ".capbox-1-one.txt.tmp").exists()
    tree.finish()
    assert not (world.root / "other" / ".capbox-1-one.txt.tmp").exists()


def test_a_single_file_that_became_a_link_is_not_followed(
    tree: Any, world: Any, outcome: Any
) -> None:
    (world.workspace / "one.txt").unlink()
    (world.workspace / "one.txt").symlink_to("a.txt")
    assert outcome(lambda: tree.read_file("/workspace/one.txt")) == "ELOOP"
    assert outcome(lambda: tree.write_file("/workspace/one.txt")) == "ELOOP"


def test_a_replacing_rename_never_passes_on_privileges(world: Any) -> None:
    guest = world.writer()
    (world.workspace / "tool").write_text("old")
    (world.workspace / "tool").chmod(0o4755)
    guest.write_file("/workspace/mine")
    guest.rename("/workspace/mine", "/workspace/tool")
    assert stat.S_IMODE((world.workspace / "tool").stat().st_mode) == 0o755


def test_a_granted_name_lifts_the_exclusion_for_itself_only(world: Any, outcome: Any) -> None:
    ws = world.workspace
    (ws / ".env").write_text("mine")
    (ws / ".env.local").write_text("not")
    rule = Rule(False, (".env*",), (), ".env")
    guest = world.guest(world.mount("/workspace/.env", ws, rule, name=".env"))
    assert guest.read_file("/workspace/.env") == "mine"
    assert outcome(lambda: guest.read_file("/workspace/.env.local")) == "EACCES"


def test_below_what_is_granted_as_one_file_the_refusal_says_so(world: Any, outcome: Any) -> None:
    guest = world.guest(world.mount("/workspace/new", world.workspace, Rule(True), name="new"))
    attempts = (
        lambda: guest.mkdir("/workspace/new"),
        lambda: guest.open("/workspace/new/a.txt", "wc"),
        lambda: guest.open("/workspace/newer/a.txt", "wc"),
    )
    assert [outcome(attempt) for attempt in attempts] == ["EACCES"] * 3
    one_file = "the grant is for one file, as no directory was there"
    assert [(r.path, r.reason) for r in guest.finish().refused] == [
        ("/workspace/new", one_file),
        ("/workspace/new/a.txt", one_file),
        ("/workspace/newer/a.txt", "no grant covers this path"),
    ]
