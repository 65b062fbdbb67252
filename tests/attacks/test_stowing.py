"""A guest lies in wait where the host keeps long results: links, pipes, directories, old names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.authority.paths import HostPath
from capbox.engine.results.stowing import Stowing
from capbox.messages import ToolCall

CALL = ToolCall("c1", "bash", {})
GUESSED = "guessed"


def naive(scratch: Path, text: str) -> str | None:
    """Keep a text as one writes it down first: by path."""
    try:
        (scratch / "results").mkdir(exist_ok=True)
        (scratch / "results" / f"{GUESSED}.txt").write_text(text)
    except OSError:
        return None
    return f"/tmp/results/{GUESSED}.txt"


def hardened(scratch: Path, text: str) -> str | None:
    """Keep it as capbox does, with a name that a guest has guessed all the same."""
    return Stowing(HostPath(str(scratch)), lambda: GUESSED)(CALL, text)


def link_of_the_folder(scratch: Path, outside: Path) -> None:
    (scratch / "results").symlink_to(outside)


def link_of_the_file(scratch: Path, outside: Path) -> None:
    (scratch / "results").mkdir()
    (scratch / "results" / f"{GUESSED}.txt").symlink_to(outside / "rc")


def dangling_link(scratch: Path, outside: Path) -> None:
    (scratch / "results").mkdir()
    (scratch / "results" / f"{GUESSED}.txt").symlink_to(outside / "fresh")


def second_name(scratch: Path, outside: Path) -> None:
    (scratch / "results").mkdir()
    os.link(outside / "rc", scratch / "results" / f"{GUESSED}.txt")


TRAPS = [link_of_the_folder, link_of_the_file, dangling_link, second_name]


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize(("keep", "escapes"), [(naive, True), (hardened, False)])
def test_nothing_outside_is_written_whatever_lies_in_the_way(
    tmp_path: Path,
    trap: Callable[[Path, Path], None],
    keep: Callable[[Path, str], str | None],
    escapes: bool,
) -> None:
    outside, scratch = tmp_path / "outside", tmp_path / "scratch"
    outside.mkdir()
    scratch.mkdir()
    (outside / "rc").write_text("mine")
    before = {path.name: path.read_text() for path in outside.iterdir()}
    trap(scratch, outside)
    kept = keep(scratch, "theirs")
    after = {path.name: path.read_text() for path in outside.iterdir()}
    assert (after != before) is escapes
    assert (kept is not None) is escapes


@pytest.mark.parametrize("what", ["pipe", "file", "directory"])
def test_what_is_there_already_holds_nobody_up_and_is_left_as_it_is(
    tmp_path: Path, what: str
) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    place = folder / f"{GUESSED}.txt"
    match what:
        case "pipe":
            os.mkfifo(place)  # opened for writing, it would wait for a reader for ever
        case "file":
            place.write_text("mine")
        case _:
            place.mkdir()
    before = place.lstat()
    assert hardened(tmp_path, "theirs") is None
    assert place.lstat() == before


def test_making_room_removes_names_and_never_what_they_lead_to(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    names = iter(["a", "b"])
    stow = Stowing(HostPath(str(tmp_path)), lambda: next(names), files_max=1)
    assert stow(CALL, "1") is not None
    (tmp_path / "results" / "a.txt").unlink()
    (tmp_path / "results" / "a.txt").symlink_to(outside)
    assert stow(CALL, "2") is not None
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["b.txt"]
    assert outside.read_text() == "mine"
