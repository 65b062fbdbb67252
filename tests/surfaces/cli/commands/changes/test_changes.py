"""`capbox diff`, `undo` and `redo`: exit codes, JSON, and what a terminal is spared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

START = "import sys; from capbox.app import main; sys.exit(main())"
Capbox = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace of one file."""
    found = tmp_path / "workspace"
    found.mkdir()
    (found / "a.txt").write_text("one\n")
    return found


@pytest.fixture
def capbox(environ: Mapping[str, str], folder: Path) -> Capbox:
    """Return what runs the command line there."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", START, *arguments],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
        )

    return run


def test_without_a_run_each_says_so(capbox: Capbox, folder: Path) -> None:
    for command in ("diff", "undo", "redo"):
        done = capbox(command)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"{folder}: no run has changed anything in this workspace" in done.stderr
    assert capbox("undo", "--workspace", "none").returncode == 2


def test_json_says_what_there_is_what_was_done_and_what_was_left(
    capbox: Capbox, folder: Path
) -> None:
    script = "script=cd /workspace; echo two > a.txt; chmod 600 a.txt; ln -s a.txt l"
    assert capbox("call", "bash", script, "--write", ".").returncode == 0
    found = json.loads(capbox("diff", "--json").stdout)
    assert [(c["kind"], c["path"]) for c in found["changes"]] == [
        ("changed", "a.txt"),
        ("added", "l"),
    ]
    before, now = found["changes"][0]["before"], found["changes"][0]["now"]
    assert (before["mode"], now["mode"], before["bytes"]) == ("0644", "0600", 4)
    assert found["changes"][1]["now"]["target"] == "a.txt"
    (folder / "a.txt").write_text("mine\n")
    done = capbox("undo", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["run"]) == (1, found["run"])
    assert told["done"] == [{"action": "delete", "path": str(folder / "l")}]
    assert told["left"] == [
        {"path": str(folder / "a.txt"), "reason": "changed since by somebody else"}
    ]
    forced = capbox("undo", found["run"][:20], "a.txt", "--force")
    assert (forced.returncode, forced.stdout) == (0, "write   a.txt\n")
    assert (folder / "a.txt").read_text() == "one\n"


def test_a_path_that_a_run_deleted_is_not_taken_for_a_run(capbox: Capbox, folder: Path) -> None:
    script = "script=cd /workspace; rm a.txt; echo b > b.txt"
    assert capbox("call", "bash", script, "--write", ".").returncode == 0
    assert capbox("undo", "a.txt").returncode == 0
    assert sorted(os.listdir(folder)) == ["a.txt", "b.txt"]
    assert "1999: no such run" in capbox("undo", "1999").stderr
    done = capbox("undo", "nosuch.txt")
    assert "no such run" not in done.stderr


def test_what_a_tool_keeps_is_shown_by_the_name_of_its_store(
    capbox: Capbox, folder: Path, tmp_path: Path
) -> None:
    script = "script=echo 1 > /store/notes/n; mkdir /store/notes/d; echo 2 > a.txt"
    flags = ("--write", ".", "--grant", "store:notes")
    assert capbox("call", "bash", script, *flags).returncode == 0
    shown = capbox("diff", "--stat").stdout
    assert shown == "added   store:notes/d  (folder)\nadded   store:notes/n\nchanged a.txt\n"
    (kept,) = (tmp_path / "capbox").rglob("stores/*/*/notes")
    found = json.loads(capbox("diff", "--json").stdout)["changes"]
    assert [(c["path"], c["host_path"]) for c in found if "store" in c["path"]] == [
        ("store:notes/d", str(kept / "d")),
        ("store:notes/n", str(kept / "n")),
    ]
    assert "changed nothing in there" in capbox("undo", "store:other/n").stderr
    done = capbox("undo", "store:notes/n")
    assert (done.returncode, done.stdout) == (0, "delete  store:notes/n\n")
    assert os.listdir(kept) == ["d"]
    assert capbox("undo").stdout == "write   a.txt\nrmdir   store:notes/d\n"
    # A file of the workspace that is called so is meant before a store.
    assert capbox("call", "bash", "script=echo > store:notes", *flags).returncode == 0
    assert capbox("undo", "store:notes").stdout == "delete  store:notes\n"


def test_what_a_terminal_would_act_upon_is_spelt_out(capbox: Capbox, folder: Path) -> None:
    script = r"script=cd /workspace; printf '\033[2Jgone\n' > a.txt; echo > $'x\ny\033[1m'"
    assert capbox("call", "bash", script, "--write", ".").returncode == 0
    shown = capbox("diff").stdout
    assert "\x1b" not in shown
    assert "+\\x1b[2Jgone\n" in shown
    assert "added   x\\ny\\x1b[1m\n" in shown
    undone = capbox("undo").stdout
    assert "\x1b" not in undone
    assert "delete  x\\ny\\x1b[1m\n" in undone


def test_an_undo_and_a_redo_are_on_record(capbox: Capbox, folder: Path) -> None:
    assert capbox("call", "write", "path=a.txt", "content=two", "--write", ".").returncode == 0
    assert (capbox("undo").returncode, (folder / "a.txt").read_text()) == (0, "one\n")
    assert (capbox("redo").returncode, (folder / "a.txt").read_text()) == (0, "two")
    runs = json.loads(capbox("audit", "list", "--json").stdout)
    assert [run["what"] for run in runs] == ["redo", "undo", "write"]
    assert capbox("audit", "verify").returncode == 0
    shown = capbox("audit", "show", runs[1]["run"]).stdout
    assert "did write /workspace/a.txt" in shown


def test_what_cannot_be_kept_is_refused_and_says_why(
    capbox: Capbox, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "capbox" / "config").mkdir(parents=True, mode=0o700)
    (tmp_path / "capbox" / "config" / "config.toml").write_text("[undo]\nrun_bytes = 3\n")
    done = capbox("call", "write", "path=a.txt", "content=two", "--write", ".", "--json")
    (denied,) = json.loads(done.stdout)["denied"]
    assert (done.returncode, (folder / "a.txt").read_text()) == (3, "one\n")
    assert denied["reason"] == (
        "it cannot be kept for undo: saving its 4 bytes would exceed the bound of one run"
    )
    done = capbox("call", "write", "path=new.txt", "content=two", "--write", ".", "--json")
    assert done.returncode == 0, done.stdout
