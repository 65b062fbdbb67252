"""Undo and redo: whatever a run did, in whatever order, and whoever came in between."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.undo.hand import Hand, tree

from capbox.undo.undoing import redo, undo

MakeHand = Callable[..., Hand]


@pytest.mark.parametrize("seed", range(60))
def test_any_changes_are_undone_redone_and_undone_again(
    seed: int, hand: MakeHand, top: Path
) -> None:
    before, work = tree(top), hand()
    work.at_random(random.Random(seed), 40)
    kept, after = work.close(), tree(top)
    for act, wanted in ((undo, before), (redo, after), (undo, before)):
        done = act(kept)
        assert (tree(top), done.left, done.missed) == (wanted, (), ())
