"""What people did in between: it is never overwritten unasked, and never lost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.undo.hand import Hand, tree

from capbox.undo.log import Log
from capbox.undo.names import Known
from capbox.undo.reverting import CHANGED, MEANWHILE, NOT_EMPTY, TAKEN
from capbox.undo.undoing import Undone, chosen, redo, undo

MakeHand = Callable[..., Hand]


def left(done: Undone, top: Path) -> dict[str, str]:
    """Return what was left, and why."""
    return {str(Path(step.path).relative_to(top)): step.reason for step in done.left}


def written(path: Path) -> None:
    """Write as a person does."""
    path.write_text("by a person")


def taken_over(path: Path) -> None:
    """Give it to another user, as root does."""
    os.chown(path, 1234, 1234)


def removed(path: Path) -> None:
    """Remove as a person does."""
    path.unlink()


def test_a_file_that_was_edited_since_stays_and_the_rest_is_undone(
    hand: MakeHand, top: Path
) -> None:
    work = hand()
    work.write("z", "by the run")
    work.write("a/x", "by the run")
    kept = work.close()
    written(top / "z")
    done = undo(kept)
    assert left(done, top) == {"z": CHANGED}
    assert ((top / "z").read_text(), (top / "a/x").read_text()) == ("by a person", "x in a\n")


def test_what_force_replaced_and_redo_brought_back_is_theirs_again(
    hand: MakeHand, top: Path
) -> None:
    work = hand()
    work.write("new", "by the run")
    work.write("a.txt", "by the run")
    kept = work.close()
    (top / "new").write_text("by a person")
    for _ in range(2):
        assert [(step.path, step.reason) for step in undo(kept).left] == [(f"{top}/new", CHANGED)]
        redo(kept)
        undo(kept, force=True)
        assert not (top / "new").exists()
        redo(kept)
        assert (top / "new").read_text() == "by a person"
        assert (top / "a.txt").read_text() == "by the run"


def test_force_replaces_it_and_redo_brings_it_back(hand: MakeHand, top: Path) -> None:
    before, work = tree(top), hand()
    work.write("z", "by the run")
    kept = work.close()
    written(top / "z")
    edited = tree(top)
    assert (undo(kept, force=True).left, tree(top)) == ((), before)
    assert (redo(kept).left, tree(top)) == ((), edited)


@pytest.mark.parametrize("change", [written, removed])
def test_a_file_of_the_run_that_a_person_changed_stays_so(
    change: Callable[[Path], None], hand: MakeHand, top: Path
) -> None:
    work = hand()
    work.mkdir("made")
    work.write("made/file", "by the run")
    kept = work.close()
    change(top / "made/file")
    done = undo(kept)
    if change is removed:
        assert left(done, top) == {}
        assert not (top / "made").exists()
    else:
        assert left(done, top) == {"made/file": CHANGED, "made": NOT_EMPTY}
        assert (top / "made/file").read_text() == "by a person"


def test_a_folder_of_the_run_that_holds_a_persons_file_stays(hand: MakeHand, top: Path) -> None:
    work = hand()
    work.mkdir("made")
    work.write("made/file", "by the run")
    kept = work.close()
    written(top / "made/mine")
    assert left(undo(kept), top) == {"made": NOT_EMPTY}
    assert [p.name for p in (top / "made").iterdir()] == ["mine"]


def test_what_has_taken_an_old_name_stays_and_the_moved_file_too(hand: MakeHand, top: Path) -> None:
    work = hand()
    work.write("z", "by the run")
    work.rename("z", "moved")
    kept = work.close()
    written(top / "z")
    done = undo(kept)
    assert left(done, top) == {"z": TAKEN}
    # What was done to the object itself is undone where it is.
    assert ((top / "z").read_text(), (top / "moved").read_text()) == ("by a person", "z\n")


def test_an_edit_in_a_moved_tree_goes_back_with_it(hand: MakeHand, top: Path) -> None:
    work = hand()
    work.rename("a", "moved")
    work.write("moved/x", "by the run")
    kept = work.close()
    written(top / "moved/b/y")
    assert left(undo(kept), top) == {}
    assert ((top / "a/b/y").read_text(), (top / "a/x").read_text()) == ("by a person", "x in a\n")


def test_an_edit_between_two_calls_is_where_the_undo_stops(hand: MakeHand, top: Path) -> None:
    before, work = tree(top), hand()
    work.write("z", "by the run")
    work.end()
    written(top / "z")
    work.write("z", "by the run once more")
    kept = work.close()
    assert left(undo(kept), top) == {"z": MEANWHILE}
    assert (top / "z").read_text() == "by a person"
    assert redo(kept).left == ()
    assert (top / "z").read_text() == "by the run once more"
    assert undo(kept, force=True).left == ()
    assert tree(top) == before


def test_the_times_of_a_folder_with_a_persons_file_are_left(hand: MakeHand, top: Path) -> None:
    work = hand()
    work.write("a/new", "by the run")
    kept = work.close()
    written(top / "a/mine")
    mine = (top / "a").stat().st_mtime_ns
    assert undo(kept).left == ()
    assert (top / "a").stat().st_mtime_ns >= mine


def test_an_edit_after_the_undo_is_not_redone_over(hand: MakeHand, top: Path) -> None:
    work = hand()
    work.write("z", "by the run")
    kept = work.close()
    undo(kept)
    written(top / "z")
    assert left(redo(kept), top) == {"z": CHANGED}
    assert (top / "z").read_text() == "by a person"


def test_only_the_paths_that_are_named_are_undone_and_then_the_rest(
    hand: MakeHand, top: Path
) -> None:
    before, work = tree(top), hand()
    work.write("z", "by the run")
    work.rename("a", "moved")
    work.write("moved/x", "by the run")
    work.unlink("moved/b/y")
    work.write("other", "by the run")
    kept = work.close()
    undo(kept, [str(top / "moved" / "x")])
    assert (top / "moved/x").read_text() == "x in a\n"
    assert not (top / "moved/b/y").exists()
    undo(kept, [str(top / "a")])
    assert (top / "a/b/y").read_text() == "y in b\n"
    assert (top / "z").read_text() == "by the run"
    assert (undo(kept).left, tree(top)) == ((), before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_got_another_owner_since_stays(hand: MakeHand, top: Path) -> None:
    work = hand()
    work.write("z", "by the run")
    kept = work.close()
    taken_over(top / "z")
    assert left(undo(kept), top) == {"z": CHANGED}
    assert (top / "z").read_text() == "by the run"


def test_renames_that_hang_together_are_found_in_one_pass(top: Path) -> None:
    """The attack: each pass over the renames finds one more, of thousands (15 s for 250)."""
    log, count = Log(None), 2_000
    log.add(["run", 1, {}])
    log.add(["root", str(top)])
    for number in reversed(range(count)):
        log.add(["rename", 1, 0, f"a{number}", f"a{number + 1}", "x"])
        log.add(["pre", 1, 0, f"a{number}", None])
    log.add(["pre", 1, 0, "other", None])
    started = time.process_time()
    tied = chosen(log, frozenset(), [f"{top}/a0"], Known([log]))
    assert time.process_time() - started < 5
    assert [entry.path for entry in log.changes() if not tied(entry)] == [f"{top}/other"]
