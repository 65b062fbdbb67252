"""Attacks on the file mechanism, on real files, in both ways of opening.

Every row is one thing that a hostile guest tries; beside each refusal stands what stays allowed.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SECRET = "TOP-SECRET"
CONFIG = "[core]\n"
COMPOSED, DECOMPOSED = (unicodedata.normalize(f, ".envé") for f in ("NFC", "NFD"))


@pytest.fixture
def guest(world: Any) -> Any:
    """A workspace with secrets, hooks, links of every kind and special files."""
    ws, outside = world.workspace, world.root / "outside"
    outside.mkdir()
    (outside / "secret").write_text(SECRET)
    (ws / "a.txt").write_text("hello")
    (ws / ".env").write_text(SECRET)
    (ws / COMPOSED).write_text(SECRET)
    (ws / "sub" / "deep").mkdir(parents=True)
    (ws / "sub" / ".env.local").write_text(SECRET)
    (ws / "sub" / "b.txt").write_text("b")
    (ws / "sub" / "deep" / "server.key").write_text(SECRET)
    (ws / ".git" / "hooks").mkdir(parents=True)
    (ws / ".git" / "config").write_text(CONFIG)
    (ws / ".git" / "HEAD").write_text("ref")
    (ws / ".ssh").mkdir()
    (ws / ".ssh" / "id").write_text(SECRET)
    for name, target in {
        "to_env": ".env",
        "to_to_env": "to_env",
        "to_sub": "sub",
        "to_ssh": ".ssh",
        "to_git": ".git",
        "abs": str(outside / "secret"),
        "up": "../outside/secret",
        "up_dir": "../outside",
        "abs_in": str(ws / "a.txt"),
        "dangling": "nowhere",
        "dangling_env": ".envrc",
        "dangling_hook": ".git/hooks/pre-commit",
        "loop": "loop",
        "proc": "/proc/self/root",
        "good": "sub/b.txt",
        "into_root": "sub/../a.txt",
    }.items():
        (ws / name).symlink_to(target)
    (ws / "hard_env").hardlink_to(ws / ".env")
    (ws / "hard_a").hardlink_to(ws / "a.txt")
    (ws / "hard_out").hardlink_to(outside / "secret")
    (ws / "hard_config").hardlink_to(ws / ".git" / "config")
    os.mkfifo(ws / "fifo")
    return world.writer()


def canaries(root: Path) -> dict[str, str]:
    """Everything that no attack may change or create."""
    ws = root / "ws"
    paths = [
        *(ws / ".env", ws / COMPOSED, ws / "sub/.env.local", ws / "sub/deep/server.key"),
        *(ws / ".git/config", ws / ".ssh/id", root / "outside/secret"),
    ]
    found = {str(p.relative_to(root)): p.read_text() for p in paths}
    made = [*(ws / ".git/hooks").iterdir(), *(ws / ".ssh").iterdir(), *root.iterdir()]
    made += [*(root / "outside").iterdir(), *ws.glob(".env*")]
    return found | {"names": " ".join(sorted(str(p.relative_to(root)) for p in made))}


READS = [
    ("an excluded name", "/workspace/.env", "EACCES"),
    ("an allowed name", "/workspace/a.txt", "hello"),
    ("dots before an excluded name", "/workspace/./sub/.././.env", "EACCES"),
    ("dots before an allowed name", "/workspace/./sub/.././a.txt", "hello"),
    ("doubled slashes", "//workspace///.env", "EACCES"),
    ("doubled slashes before an allowed name", "//workspace///a.txt", "hello"),
    ("a trailing slash on a file", "/workspace/a.txt/", "ENOTDIR"),
    ("a trailing slash on an excluded file", "/workspace/.env/", "EACCES"),
    ("upper case", "/workspace/.ENV", "EACCES"),
    ("mixed case", "/workspace/.Env.Local", "EACCES"),
    ("an excluded name further down", "/workspace/sub/.env.local", "EACCES"),
    ("a key by its ending", "/workspace/sub/deep/server.key", "EACCES"),
    ("a file in an excluded directory", "/workspace/.ssh/id", "EACCES"),
    ("a composed name", f"/workspace/{COMPOSED}", "EACCES"),
    ("a decomposed name", f"/workspace/{DECOMPOSED}", "EACCES"),
    ("an invisible character in the name", "/workspace/.e\u200bnv", "EACCES"),
    ("a protected file may be read", "/workspace/.git/config", CONFIG),
    ("a link to an excluded file", "/workspace/to_env", "EACCES"),
    ("a chain of links", "/workspace/to_to_env", "EACCES"),
    ("a link to an excluded directory", "/workspace/to_ssh/id", "EACCES"),
    ("a directory link, then an excluded name", "/workspace/to_sub/.env.local", "EACCES"),
    ("a directory link, then an allowed name", "/workspace/to_sub/b.txt", "b"),
    ("a link to an allowed file", "/workspace/good", "b"),
    ("a link that goes up inside", "/workspace/into_root", "hello"),
    ("an absolute link", "/workspace/abs", "EACCES"),
    ("an absolute link that leads back inside", "/workspace/abs_in", "EACCES"),
    ("a link that leads out", "/workspace/up", "EACCES"),
    ("a directory link that leads out", "/workspace/up_dir/secret", "EACCES"),
    ("a link to the process's root", "/workspace/proc/etc/passwd", "EACCES"),
    ("a link to itself", "/workspace/loop", "ELOOP"),
    ("a dangling link", "/workspace/dangling", "ENOENT"),
    ("an old hard link to an excluded file", "/workspace/hard_env", "EACCES"),
    ("an old hard link to an allowed file", "/workspace/hard_a", "hello"),
    ("a hard link to a protected file", "/workspace/hard_config", CONFIG),
    ("a FIFO", "/workspace/fifo", "EACCES"),
    ("climbing above the root", "/workspace/../../../../etc/passwd", "EACCES"),
    ("climbing and coming back", "/../../workspace/a.txt", "hello"),
    ("an absolute host path", "/etc/passwd", "EACCES"),
    ("the kernel's view of the worker", "/proc/self/environ", "EACCES"),
    ("a descriptor's magic link", "/proc/self/fd/3", "EACCES"),
    ("a device", "/dev/mem", "EACCES"),
    ("a descriptor device", "/dev/fd/0", "EACCES"),
    ("a neighbour with the same beginning", "/workspace2/a.txt", "EACCES"),
    ("an empty name", "", "ENOENT"),
    ("a NUL", "/workspace/a.txt\0.png", "EINVAL"),
    ("bytes that are not UTF-8", b"/workspace/\xff\xfe", "EILSEQ"),
    ("an overlong encoding of a slash", b"/workspace\xc0\xafa.txt", "EILSEQ"),
    ("a surrogate", b"/workspace/\xed\xb3\xbf", "EILSEQ"),
    ("a very long name", "/workspace/" + "n" * 300, "ENAMETOOLONG"),
    ("a very long path", "/workspace/" + "n/" * 2500, "ENAMETOOLONG"),
]


@pytest.mark.parametrize(("path", "expected"), [r[1:] for r in READS], ids=[r[0] for r in READS])
def test_reading_by_every_name_gives_only_what_is_granted(
    guest: Any, outcome: Any, path: str | bytes, expected: str
) -> None:
    assert outcome(lambda: guest.read_file(path)) == expected


CHANGES: list[tuple[str, Callable[[Any], object], str]] = [
    ("write an allowed file", lambda g: g.write_file("/workspace/new.txt"), "written"),
    ("write an excluded file", lambda g: g.write_file("/workspace/.env"), "EACCES"),
    ("make an excluded file", lambda g: g.write_file("/workspace/.envrc"), "EACCES"),
    ("make it in other case", lambda g: g.write_file("/workspace/sub/.ENV.x"), "EACCES"),
    ("write protected configuration", lambda g: g.write_file("/workspace/.git/config"), "EACCES"),
    ("make a hook", lambda g: g.write_file("/workspace/.git/hooks/pre-commit"), "EACCES"),
    ("make a hook in other case", lambda g: g.write_file("/workspace/.GIT/HOOKS/x"), "EACCES"),
    ("write beside hooks", lambda g: g.write_file("/workspace/.git/index"), "EACCES"),
    ("make hooks for another git", lambda g: g.mkdir("/workspace/sub/.git"), "EACCES"),
    ("a .git that is a file", lambda g: g.write_file("/workspace/sub/.git"), "EACCES"),
    ("a .config that is a file", lambda g: g.write_file("/workspace/.config"), "written"),
    ("a .config that is a link", lambda g: g.symlink("sub", "/workspace/.config"), "EACCES"),
    ("a path of 1,900 components", lambda g: g.write_file("/workspace" + "/a" * 1900), "ENOENT"),
    ("write agents' instructions", lambda g: g.write_file("/workspace/sub/CLAUDE.md"), "EACCES"),
    ("write through a link", lambda g: g.write_file("/workspace/to_env"), "EACCES"),
    ("write through a good link", lambda g: g.write_file("/workspace/good"), "written"),
    ("write through a chain", lambda g: g.write_file("/workspace/to_to_env"), "EACCES"),
    ("make through a dangling link", lambda g: g.write_file("/workspace/dangling"), "EACCES"),
    ("make an excluded file so", lambda g: g.write_file("/workspace/dangling_env"), "EACCES"),
    ("make a hook so", lambda g: g.write_file("/workspace/dangling_hook"), "EACCES"),
    ("make below a directory link", lambda g: g.write_file("/workspace/to_git/hooks/x"), "EACCES"),
    ("truncate without writing", lambda g: g.open("/workspace/.env", "rt"), "EACCES"),
    ("truncate protected", lambda g: g.open("/workspace/.git/config", "rt"), "EACCES"),
    ("create-exclusive on a link", lambda g: g.open("/workspace/dangling", "wcx"), "EEXIST"),
    ("write a hard link in place", lambda g: g.write_file("/workspace/hard_a"), "EMLINK"),
    ("write a hard-linked secret", lambda g: g.write_file("/workspace/hard_env"), "EMLINK"),
    ("write a hard-linked outsider", lambda g: g.write_file("/workspace/hard_out"), "EMLINK"),
    ("write hard-linked configuration", lambda g: g.write_file("/workspace/hard_config"), "EMLINK"),
    ("touch a hard-linked secret", lambda g: g.touch("/workspace/hard_env"), "EMLINK"),
    ("chmod a hard-linked secret", lambda g: g.chmod("/workspace/hard_env", 0o666), "EMLINK"),
    ("write a FIFO", lambda g: g.write_file("/workspace/fifo"), "EACCES"),
    ("write out by a link", lambda g: g.write_file("/workspace/up"), "EACCES"),
    ("make out by a link", lambda g: g.write_file("/workspace/up_dir/new"), "EACCES"),
    ("write out by dots", lambda g: g.write_file("/workspace/../outside/secret"), "EACCES"),
    ("make a directory outside", lambda g: g.mkdir("/outside2"), "EACCES"),
    ("make the root", lambda g: g.mkdir("/workspace"), "EEXIST"),
    ("make an excluded directory", lambda g: g.mkdir("/workspace/sub/.ssh"), "EACCES"),
    ("make a protected directory", lambda g: g.mkdir("/workspace/.vscode"), "EACCES"),
    ("delete a file", lambda g: g.unlink("/workspace/sub/b.txt"), "done"),
    ("delete an excluded file", lambda g: g.unlink("/workspace/.env"), "EACCES"),
    ("delete through a link", lambda g: g.unlink("/workspace/to_sub/.env.local"), "EACCES"),
    ("delete configuration", lambda g: g.unlink("/workspace/.git/config"), "EACCES"),
    ("delete a directory as a file", lambda g: g.unlink("/workspace/sub"), "EISDIR"),
    ("delete a file as a directory", lambda g: g.unlink("/workspace/a.txt/"), "ENOTDIR"),
    ("remove a full directory", lambda g: g.rmdir("/workspace/sub"), "ENOTEMPTY"),
    ("remove hooks", lambda g: g.rmdir("/workspace/.git/hooks"), "EACCES"),
    ("remove the root", lambda g: g.rmdir("/workspace"), "EBUSY"),
    ("remove the scratch", lambda g: g.rmdir("/tmp"), "EBUSY"),
    ("rename a file", lambda g: g.rename("/workspace/sub/b.txt", "/workspace/c.txt"), "done"),
    ("rename a secret away", lambda g: g.rename("/workspace/.env", "/workspace/x"), "EACCES"),
    ("rename onto a secret", lambda g: g.rename("/workspace/a.txt", "/workspace/.env"), "EACCES"),
    (
        "rename into hooks",
        lambda g: g.rename("/workspace/a.txt", "/workspace/.git/hooks/pre-commit"),
        "EACCES",
    ),
    (
        "rename into hooks through a link",
        lambda g: g.rename("/workspace/a.txt", "/workspace/to_git/hooks/pre-commit"),
        "EACCES",
    ),
    (
        "rename a file to .git",
        lambda g: g.rename("/workspace/a.txt", "/workspace/sub/.git"),
        "EACCES",
    ),
    ("rename a directory", lambda g: g.rename("/workspace/sub", "/workspace/sub2"), "done"),
    ("rename .git away", lambda g: g.rename("/workspace/.git", "/workspace/git"), "EACCES"),
    (
        "rename .git to .git elsewhere",
        lambda g: g.rename("/workspace/.git", "/workspace/sub/.git"),
        "EACCES",
    ),
    ("rename .ssh away", lambda g: g.rename("/workspace/.ssh", "/workspace/ssh"), "EACCES"),
    (
        "rename a secret's parent out",
        lambda g: g.rename("/workspace/sub", "/tmp/sub"),
        "EXDEV",
    ),
    ("rename a FIFO", lambda g: g.rename("/workspace/fifo", "/workspace/pipe"), "EACCES"),
    ("rename the root", lambda g: g.rename("/workspace", "/tmp/w"), "EBUSY"),
    ("rename an absolute link", lambda g: g.rename("/workspace/abs", "/workspace/x"), "EACCES"),
    ("rename a good link", lambda g: g.rename("/workspace/good", "/workspace/good2"), "done"),
    ("link to a file", lambda g: g.symlink("sub/b.txt", "/workspace/l"), "done"),
    ("link to a secret", lambda g: g.symlink(".env", "/workspace/l"), "EACCES"),
    ("an absolute link", lambda g: g.symlink("/etc/passwd", "/workspace/l"), "EACCES"),
    ("a link out", lambda g: g.symlink("../outside/secret", "/workspace/l"), "EACCES"),
    ("a link out in the middle", lambda g: g.symlink("sub/../../x", "/workspace/l"), "EACCES"),
    ("a link up inside", lambda g: g.symlink("../a.txt", "/workspace/sub/l"), "done"),
    ("a link called .git", lambda g: g.symlink("deep", "/workspace/sub/.git"), "EACCES"),
    ("a link called .env", lambda g: g.symlink("a.txt", "/workspace/.env9"), "EACCES"),
    ("a link to .git", lambda g: g.symlink(".git", "/workspace/git"), "EACCES"),
    ("a hard link", lambda g: g.link("/workspace/a.txt", "/workspace/l"), "EPERM"),
    ("a hard link to a secret", lambda g: g.link("/workspace/.env", "/workspace/l"), "EPERM"),
    ("touch a file", lambda g: g.touch("/workspace/sub/b.txt"), "done"),
    ("touch a secret", lambda g: g.touch("/workspace/.env"), "EACCES"),
    ("chmod a file", lambda g: g.chmod("/workspace/sub/b.txt", 0o755), "done"),
    ("chmod a secret", lambda g: g.chmod("/workspace/.env", 0o666), "EACCES"),
    ("make a file setuid", lambda g: g.chmod("/workspace/sub/b.txt", 0o4755), "EINVAL"),
    ("chmod the root", lambda g: g.chmod("/workspace", 0o777), "EPERM"),
    ("look at a file", lambda g: g.stat("/workspace/a.txt"), (4, 5)),
    ("look at a secret", lambda g: g.stat("/workspace/.env"), "EACCES"),
    ("look through a link", lambda g: g.stat("/workspace/to_env"), "EACCES"),
    ("look at a link itself", lambda g: g.stat("/workspace/to_env", follow=False)[0], 7),
    ("open a link itself", lambda g: g.read_file("/workspace/good", follow=False), "ELOOP"),
    ("read a link", lambda g: g.readlink("/workspace/good"), "sub/b.txt"),
    ("read an excluded name as link", lambda g: g.readlink("/workspace/.env"), "EACCES"),
    ("write a directory", lambda g: g.open("/workspace/sub", "w"), "EISDIR"),
    ("create a directory by opening", lambda g: g.open("/workspace/n/", "wc"), "EINVAL"),
]


@pytest.mark.parametrize(("act", "expected"), [r[1:] for r in CHANGES], ids=[r[0] for r in CHANGES])
def test_changing_by_every_way_leaves_every_canary_alone(
    guest: Any, world: Any, outcome: Any, act: Callable[[Any], object], expected: object
) -> None:
    before = canaries(world.root)
    got = outcome(lambda: act(guest))
    after = canaries(world.root) if (world.workspace / "sub").exists() else before
    assert (got, after) == (expected, before)


def test_listings_show_no_excluded_name(guest: Any) -> None:
    listed = guest.names("/workspace")
    assert [n for n in listed if n in (".env", COMPOSED, ".ssh")] == []
    assert {"a.txt", ".git", "sub", "fifo"} <= set(listed)
    assert guest.names("/workspace/sub") == ["b.txt", "deep"]


def test_a_name_that_is_not_utf_8_is_not_listed(guest: Any, world: Any) -> None:
    (Path(os.fsdecode(os.fsencode(world.workspace / "sub/deep") + b"/\xff"))).write_text("")
    assert guest.names("/workspace/sub/deep") == []


def test_a_moved_directory_keeps_its_secrets_excluded(guest: Any, outcome: Any) -> None:
    guest.rename("/workspace/sub", "/workspace/other")
    assert outcome(lambda: guest.read_file("/workspace/other/.env.local")) == "EACCES"
    assert guest.read_file("/workspace/other/b.txt") == "b"


def test_removing_everything_leaves_what_is_excluded(guest: Any, world: Any, outcome: Any) -> None:
    def remove(path: str) -> None:
        for name in guest.names(path):
            child = f"{path}/{name}"
            if guest.stat(child, follow=False)[0] == 3:
                remove(child)
                outcome(lambda child=child: guest.rmdir(child))
            else:
                outcome(lambda child=child: guest.unlink(child))

    before = canaries(world.root)
    remove("/workspace")
    assert canaries(world.root) == before
    assert not (world.workspace / "a.txt").exists()


def test_a_link_moved_upwards_with_its_directory_cannot_lead_out(guest: Any, outcome: Any) -> None:
    guest.mkdir("/workspace/sub/deep/er")
    guest.symlink("../../../a.txt", "/workspace/sub/deep/er/l")
    got = outcome(lambda: guest.rename("/workspace/sub/deep/er", "/workspace/er"))
    assert got == "EXDEV"


def test_what_was_refused_is_reported_once_with_its_reason(guest: Any, outcome: Any) -> None:
    for path in ("/etc/passwd", "/etc/passwd", "/workspace/.env"):
        outcome(lambda path=path: guest.read_file(path))
    outcome(lambda: guest.write_file("/workspace/.git/config"))
    report = guest.finish()
    assert [(r.action, r.path) for r in report.refused] == [
        ("read", "/etc/passwd"),
        ("read", "/workspace/.env"),
        ("write", "/workspace/.git/config"),
    ]


def test_a_list_of_refusals_that_is_full_says_so(guest: Any, outcome: Any) -> None:
    for number in range(150):
        outcome(lambda number=number: guest.read_file(f"/etc/{number}"))
    outcome(lambda: guest.read_file("/workspace/.env"))
    refused = guest.finish().refused
    assert len(refused) == 100
    assert (refused[-1].path, refused[-1].reason) == (
        "(more paths)",
        "more accesses were refused than a call can list",
    )


@pytest.fixture
def linked(world: Any) -> Any:
    """A writable workspace whose `.env` has an innocent second name from before the run."""
    (world.workspace / "config").mkdir()
    (world.workspace / "config" / ".env").write_text("TOKEN=x")
    (world.workspace / "notes").hardlink_to(world.workspace / "config" / ".env")
    (world.workspace / "one").write_text("1")
    (world.workspace / "two").hardlink_to(world.workspace / "one")
    return world.writer()


def bury(guest: Any) -> None:
    """Move `config` below so many folders that no path reaches it."""
    for top in "ab":
        path = f"/workspace/{top}"
        guest.mkdir(path)
        for _ in range(12):
            path += "/" + top * 230
            guest.mkdir(path)
    guest.rename("/workspace/config", path + "/config")
    guest.rename("/workspace/b", "/workspace/a" + ("/" + "a" * 230) * 12 + "/b")


def test_an_excluded_file_that_no_path_reaches_keeps_its_other_names_closed(
    linked: Any, outcome: Any
) -> None:
    bury(linked)
    assert outcome(lambda: linked.read_file("/workspace/notes")) == "EACCES"


def test_one_folder_that_cannot_be_searched_closes_every_file_with_several_names(
    linked: Any, outcome: Any, world: Any
) -> None:
    assert outcome(lambda: linked.read_file("/workspace/two")) == "1"
    linked.finish()
    bury(linked)
    # A walk by components reaches any depth; openat2 is given a path, and a path has a length.
    unsearched = "the file has several hard links, and not every folder could be searched for them"
    answer, reasons = ("EACCES", [unsearched]) if world.openat2 else ("1", [])
    assert outcome(lambda: linked.read_file("/workspace/one")) == answer
    assert [refused.reason for refused in linked.finish().refused] == reasons


def test_an_excluded_file_in_a_folder_whose_name_is_not_utf8_keeps_its_other_names_closed(
    world: Any, outcome: Any
) -> None:
    folder = Path(os.fsdecode(os.fsencode(world.workspace) + b"/caf\xe9"))
    folder.mkdir()
    (folder / ".env").write_text("TOKEN=x")
    (world.workspace / "notes").hardlink_to(folder / ".env")
    (world.workspace / "one").write_text("1")
    (world.workspace / "two").hardlink_to(world.workspace / "one")
    guest = world.writer()
    assert outcome(lambda: guest.read_file("/workspace/notes")) == "EACCES"
    assert outcome(lambda: guest.read_file("/workspace/two")) == "1"


def test_a_name_that_looks_deleted_is_recorded_as_it_is(world: Any) -> None:
    guest = world.writer()
    guest.write_file("/workspace/report (deleted)")
    guest.finish()
    assert {t.host.rpartition("/")[2] for t in guest.effects().touched} == {"report (deleted)"}
    guest.write_file("/workspace/report (deleted)", mode="w")
    guest.finish()
    assert {t.host.rpartition("/")[2] for t in guest.effects().touched} == {"report (deleted)"}


def test_reads_of_scratch_are_one_entry_and_hide_nothing(world: Any) -> None:
    (world.workspace / "customers").write_text("list")
    guest = world.writer()
    for number in range(500):
        guest.write_file(f"/tmp/{number}", mode="wc")
        guest.read_file(f"/tmp/{number}")
    guest.names("/tmp")
    guest.read_file("/workspace/customers")
    guest.finish()
    log = guest.effects()
    looked = [(t.action, t.path) for t in log.touched if t.action in ("read", "list")]
    assert looked == [("read", "/tmp"), ("list", "/tmp"), ("read", "/workspace/customers")]
