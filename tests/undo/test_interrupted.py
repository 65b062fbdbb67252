"""An undo or redo that is killed at any moment, and gone on with."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.undo.hand import Hand, tree

from capbox.undo.errors import UndoError
from capbox.undo.history import Kept, locked
from capbox.undo.undoing import Undone, redo, undo

MakeHand = Callable[..., Hand]


def killed(act: Callable[[Kept], Undone], kept: Kept, seconds: float) -> None:
    """Begin `act` in another process, and kill that."""
    pid = os.fork()
    if pid == 0:
        try:
            act(kept)
        finally:
            os._exit(0)
    began = time.monotonic()
    while time.monotonic() - began < seconds and os.waitpid(pid, os.WNOHANG) == (0, 0):
        pass
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


@pytest.mark.parametrize("seed", range(12))
def test_whoever_comes_next_goes_on_where_it_was_killed(
    seed: int, hand: MakeHand, top: Path
) -> None:
    chance, before, work = random.Random(seed), tree(top), hand()
    work.at_random(chance, 60)
    kept, after = work.close(), tree(top)
    for act, wanted in ((undo, before), (redo, after), (undo, before)):
        for _ in range(4):
            killed(act, kept, chance.uniform(0, 0.03))
        try:
            done = act(kept)
            assert done.left == ()
        except UndoError as error:
            # The killed redo had done all of it but the last line.
            assert (act, error.reason) == (redo, "nothing of it is undone")
        assert tree(top) == wanted


def test_a_run_that_goes_on_is_not_undone(hand: MakeHand, top: Path) -> None:
    work = hand()
    work.write("z", "by the run")
    work.end()
    from capbox.undo.history import find

    kept = find(work.place, None, str(top))
    with pytest.raises(UndoError, match="still going on"):
        undo(kept)
    work.close()
    with locked(kept), pytest.raises(UndoError, match="still going on"):
        undo(kept)
    assert undo(kept).left == ()


@pytest.mark.parametrize("line", ["[", "{}", '["pre",1,0,"../z",null]', '["pre",1,9,"z",null]'])
def test_a_damaged_index_is_refused_and_nothing_is_touched(
    line: str, hand: MakeHand, top: Path
) -> None:
    work = hand()
    work.write("z", "by the run")
    kept = work.close()
    with (kept.folder / "index").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(UndoError, match="damaged"):
        undo(kept)
    assert (top / "z").read_text() == "by the run"


def test_a_torn_last_line_is_dropped(hand: MakeHand, top: Path) -> None:
    before, work = tree(top), hand()
    work.write("z", "by the run")
    kept = work.close()
    with (kept.folder / "index").open("a") as file:
        file.write('["pre",1,0,"a/')
    assert (undo(kept).left, tree(top)) == ((), before)


def test_a_damaged_content_is_not_put_back(hand: MakeHand, top: Path) -> None:
    work = hand()
    work.write("z", "by the run")
    kept = work.close()
    for file in kept.folder.iterdir():
        if not file.name.startswith("index"):
            file.write_text("other")
    (step,) = undo(kept).left
    assert "damaged" in step.reason
    assert (top / "z").read_text() == "by the run"
