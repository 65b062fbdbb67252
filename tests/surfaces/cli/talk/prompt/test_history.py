"""What was typed in chats of a workspace."""

from __future__ import annotations

import stat
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from capbox.surfaces.cli.talk.prompt.history import History, history_of


def test_lines_are_kept_in_order_and_for_this_user_alone(tmp_path: Path) -> None:
    history = history_of(tmp_path, tmp_path)
    assert history.lines() == []
    for line in ("one", "two\nlines", "日本語"):
        history.add(line)
    assert history_of(tmp_path, tmp_path).lines() == ["one", "two\nlines", "日本語"]
    assert stat.S_IMODE(history.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(history.file.parent.stat().st_mode) == 0o700


def test_another_workspace_has_its_own(tmp_path: Path) -> None:
    history_of(tmp_path, tmp_path / "a").add("of a")
    assert history_of(tmp_path, tmp_path / "b").lines() == []


def test_a_file_that_cannot_be_read_or_written_is_none(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    history = History(tmp_path / "taken" / "h.jsonl")
    history.add("one")
    assert history.lines() == []
    broken = History(tmp_path / "broken.jsonl")
    broken.file.write_bytes(b'"good"\n{not json\n7\n\xff\n"\\u001b[2J"\n')
    assert broken.lines() == ["good", "\\x1b[2J"]
    link = History(tmp_path / "link.jsonl")
    link.file.symlink_to(tmp_path / "taken")
    link.add("two")
    assert (tmp_path / "taken").read_text() == "x"


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("C", "Z", "M"))))
def test_what_is_kept_is_what_was_typed(tmp_path_factory: object, text: str) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        history = History(Path(folder, "h.jsonl"))
        history.add(text)
        assert history.lines() == [text]


def test_it_does_not_grow_without_end(tmp_path: Path) -> None:
    history = History(tmp_path / "h.jsonl")
    history.file.write_text('"old"\n' * 500_000)
    history.add("new")
    assert history.file.stat().st_size < 10_000
    assert history.lines()[-1] == "new"
