"""Which runs are kept, for how long, and how a run is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from capbox.sandbox.undo.keeper import Bounds, Keeper
from capbox.undo.errors import UndoError
from capbox.undo.history import find, kept, prune

NOW = 2_000_000_000.0
DAY = 86_400


def keep(place: Path, top: Path, run: str, content: str, *, close: bool = True) -> Keeper:
    """Keep one file of a run."""
    (top / "file").write_text(content)
    header = {"run": run, "workspace": str(top), "started": float(run[-1])}
    keeper = Keeper(place, header, Bounds())
    assert keeper.save(1, str(top), "file") == ""
    keeper.end(1, [(str(top), "file")], finished=True)
    if close:
        keeper.close()
        os.utime(place / run / "index", (NOW, NOW))
    return keeper


def blobs(place: Path) -> int:
    """How many contents there are."""
    return len(list((place / "blobs").iterdir()))


def test_equal_contents_of_runs_are_kept_once(tmp_path: Path, top: Path) -> None:
    for run in ("run-1", "run-2"):
        keep(tmp_path / "undo", top, run, "the same")
    keep(tmp_path / "undo", top, "run-3", "another")
    assert blobs(tmp_path / "undo") == 2


def test_what_is_old_goes_and_what_others_need_stays(tmp_path: Path, top: Path) -> None:
    place = tmp_path / "undo"
    for run, content in (("run-1", "old"), ("run-2", "shared"), ("run-3", "shared")):
        keep(place, top, run, content)
    for run in ("run-1", "run-2"):
        os.utime(place / run / "index", (NOW - 31 * DAY, NOW - 31 * DAY))
    prune(place, Bounds(), NOW)
    assert ([one.run for one in kept(place)], blobs(place)) == (["run-3"], 1)


def test_the_oldest_go_when_all_is_too_much(tmp_path: Path, top: Path) -> None:
    place = tmp_path / "undo"
    for run in ("run-1", "run-2", "run-3"):
        keep(place, top, run, run * 100)
    prune(place, Bounds(total_bytes=1_100), NOW)
    assert [one.run for one in kept(place)] == ["run-2", "run-3"]


def test_a_run_that_goes_on_is_never_pruned(tmp_path: Path, top: Path) -> None:
    place = tmp_path / "undo"
    keeper = keep(place, top, "run-1", "open", close=False)
    prune(place, Bounds(days=0, total_bytes=0), NOW + DAY)
    assert [one.run for one in kept(place)] == ["run-1"]
    keeper.close()
    prune(place, Bounds(days=0, total_bytes=0), NOW + DAY)
    assert (kept(place), blobs(place)) == ((), 0)


def test_a_run_is_found_by_its_workspace_its_name_or_its_beginning(
    tmp_path: Path, top: Path
) -> None:
    place = tmp_path / "undo"
    for run in ("run-1", "run-2", "other-3"):
        keep(place, top, run, run)
    assert find(place, None, str(top)).run == "other-3"
    assert find(place, "run-1", "").run == "run-1"
    assert find(place, "oth", "").run == "other-3"
    for name, reason in (("run", "begins 2 runs"), ("../run-1", "no such run"), ("x", "no such")):
        with pytest.raises(UndoError, match=reason):
            find(place, name, str(top))
    with pytest.raises(UndoError, match="no run has changed anything"):
        find(place, None, "/elsewhere")
