"""A table is made whole or not at all, and so is what is written to it at once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from capbox.journal.errors import JournalError
from capbox.journal.tables.table import Format, Table

NUMBERS = Format("a table of numbers", 7, 1, "CREATE TABLE number (n INTEGER NOT NULL);")
INSERT = "INSERT INTO number VALUES (?)"


def numbers(path: Path) -> list[object]:
    return [n for (n,) in Table(path, NUMBERS).run("SELECT n FROM number ORDER BY n")]


def test_whatever_interrupts_a_transaction_takes_all_of_it_back(tmp_path: Path) -> None:
    path = tmp_path / "numbers.db"
    table = Table(path, NUMBERS)
    with table.transaction():
        table.run(INSERT, (1,))
    with pytest.raises(KeyboardInterrupt), table.transaction() as database:
        database.execute(INSERT, (2,))
        raise KeyboardInterrupt
    with pytest.raises(JournalError), table.transaction():
        table.run(INSERT, (3,))
        table.run("INSERT INTO nothing VALUES (1)")
    assert numbers(path) == [1]
    with table.transaction():  # and the next one is not inside the last
        table.run(INSERT, (4,))
    assert numbers(path) == [1, 4]


def test_a_file_that_cannot_be_made_whole_is_not_made(tmp_path: Path) -> None:
    broken = Format("a broken one", 7, 1, "CREATE TABLE a (n); CREATE TABLE a (n);")
    with pytest.raises(JournalError, match="cannot be made"):
        Table(tmp_path / "a.db", broken).run("SELECT 1")
    assert list(tmp_path.iterdir()) == []


def test_the_first_use_makes_it_and_asking_whether_it_exists_does_not(tmp_path: Path) -> None:
    table = Table(tmp_path / "numbers.db", NUMBERS)
    assert not table.exists
    assert list(tmp_path.iterdir()) == []
    assert table.run("SELECT n FROM number") == []
    assert table.exists
    assert (tmp_path / "numbers.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("marks", [(8, 1), (7, 2), (0, 0)])
def test_a_file_of_another_program_or_version_is_left_as_it_is(
    tmp_path: Path, marks: tuple[int, int]
) -> None:
    path = tmp_path / "numbers.db"
    other = sqlite3.connect(path)
    other.executescript(f"PRAGMA application_id={marks[0]}; PRAGMA user_version={marks[1]};")
    other.execute("CREATE TABLE number (n)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(JournalError, match="not a table of numbers of this version"):
        Table(path, NUMBERS).run(INSERT, (1,))
    assert path.read_bytes() == before
