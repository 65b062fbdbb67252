"""What is too long for a model is kept where its tools can read it, while the run lasts."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from capbox.authority.paths import HostPath
from capbox.engine.results.stowing import Stowing
from capbox.messages import ToolCall

CALL = ToolCall("../../escape", "bash", {})


def stowing(scratch: Path, **bounds: int) -> Stowing:
    numbers = count(1)
    return Stowing(HostPath(str(scratch)), lambda: f"r{next(numbers)}", **bounds)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\nb\n", "a\nb\n"),
        ("é" * 10, "é" * 10),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        ("x" * 2_000 + "\ny", "x" * 2_000 + "\ny"),
        ("x" * 2_000, "x" * 2_000),
        ("x" * 4_001, "x" * 2_000 + "\n" + "x" * 2_000 + "\nx"),
    ],
)
def test_a_text_is_kept_whole_in_lines_that_can_be_paged(
    tmp_path: Path, text: str, kept: str
) -> None:
    assert stowing(tmp_path)(CALL, text) == "/tmp/results/r1.txt"
    assert (tmp_path / "results" / "r1.txt").read_text() == kept
    assert (tmp_path / "results" / "r1.txt").stat().st_mode & 0o777 == 0o600


def test_the_oldest_make_room_for_the_newest(tmp_path: Path) -> None:
    stow = stowing(tmp_path, files_max=2, bytes_max=10)
    for text in ("a" * 4, "b" * 4, "c" * 2, "d" * 8):
        assert stow(CALL, text) is not None
    kept = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert kept == ["r3.txt", "r4.txt"]
    assert stow(CALL, "e" * 11) is None
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == kept


def test_a_scratch_directory_that_is_gone_keeps_nothing(tmp_path: Path) -> None:
    assert stowing(tmp_path / "gone")(CALL, "text") is None
