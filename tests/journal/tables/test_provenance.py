"""What files hold is known by content and by place, and what has no room is never forgotten."""

from __future__ import annotations

from pathlib import Path

from capbox.authority.paths import HostPath
from capbox.authority.values.label import NOTHING, Source
from capbox.journal.tables.provenance import Note, Provenance

SECRET = frozenset({Source("secret", "/workspace/.env")})


def host(path: Path) -> HostPath:
    return HostPath(str(path))


def test_content_is_known_under_any_name_and_other_content_is_not(tmp_path: Path) -> None:
    table, file = Provenance(tmp_path / "labels.db"), tmp_path / "a"
    file.write_text("secret")
    table.settle("r.1", [Note(host(file), SECRET)])
    file.rename(tmp_path / "b")
    file.write_text("innocent")
    assert table.of(host(tmp_path / "b")) == SECRET
    assert table.of(host(file)) == NOTHING
    assert table.of(host(tmp_path / "gone")) is None
    assert table.about(host(file)) == table.about(host(tmp_path)) == SECRET


def test_a_file_that_was_written_again_is_known_by_what_it_held_before(tmp_path: Path) -> None:
    """Undo brings it back."""
    table, file = Provenance(tmp_path / "labels.db"), tmp_path / "a"
    for content in ("secret", "more", "secret"):
        file.write_text(content)
        table.settle("r.1", [Note(host(file), SECRET)])
        assert table.of(host(file)) == SECRET


def test_names_count_where_they_were_made_and_not_elsewhere(tmp_path: Path) -> None:
    table = Provenance(tmp_path / "labels.db")
    table.settle("r.1", [Note(host(tmp_path / "d" / "n-123"), SECRET, named=True)])
    table.settle("r.1", [Note(host(tmp_path / "e" / "x"), SECRET)])
    assert table.of_names(host(tmp_path / "d")) == SECRET
    assert table.of_names(host(tmp_path / "e")) == table.of_names(host(tmp_path)) == NOTHING


def test_all_below_a_tree_counts_and_what_lies_beside_it_does_not(tmp_path: Path) -> None:
    table = Provenance(tmp_path / "labels.db")
    table.settle("r.1", [Note(host(tmp_path / "d"), SECRET, tree=True)])
    for name, sources in (("d/x/y", SECRET), ("d2", NOTHING), ("d.txt", NOTHING)):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
        assert table.of(host(file)) == sources


def test_what_there_is_no_room_for_is_remembered_as_its_folders(tmp_path: Path) -> None:
    """Attack: so many files are written that the one with the secret is forgotten."""
    table, first = Provenance(tmp_path / "labels.db", rows_max=20), tmp_path / "d" / "first"
    first.parent.mkdir()
    first.write_text("secret")
    table.settle("r.1", [Note(host(first), SECRET)])
    table.settle("r.2", [Note(host(tmp_path / "e" / str(n)), SECRET) for n in range(200)])
    assert table.of(host(first)) == SECRET
    assert table.about(host(tmp_path / "e" / "0")) == SECRET
    outside = tmp_path / "innocent"
    outside.write_text("x")
    assert table.of(host(outside)) == NOTHING


def test_what_is_being_written_counts_until_its_call_is_over(tmp_path: Path) -> None:
    """Attack: another run reads the file while the first one writes, or after that was killed."""
    table, file = Provenance(tmp_path / "labels.db"), tmp_path / "a"
    file.write_text("half of a secr")
    table.expect(host(file), SECRET, "r.1")
    assert Provenance(tmp_path / "labels.db").of(host(file)) == SECRET
    assert table.of(host(file), but="r.1") == NOTHING
    table.settle("r.2", [])
    assert table.of(host(file)) == SECRET
    table.settle("r.1", [])
    assert table.of(host(file)) == NOTHING
