"""The record of a session's runs, read and judged in one go."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from capbox.engine.sessions.record import run_on_record
from capbox.journal.errors import JournalError
from capbox.journal.event import Decided, RunClosed, RunId, RunOpened
from capbox.journal.head import GENESIS, Heads, Signer
from capbox.journal.log import Journal
from capbox.journal.verify import Broken, verify
from capbox.store.journal import read

RUN = RunId("20260101-000000-aaaaaaaaaaaaaaaa")
LONG = "x" * 200_000  # kept in a blob


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal with one run, one of whose entries is long."""
    directory = tmp_path / "journal"
    run = Journal(directory, Signer.load(tmp_path / "key")).begin(
        RUN, RunOpened("t", "/w", "a1", (), (), (), 1.0)
    )
    for text in ("short", LONG, 'a "quoted", [listed] and }{ bracketed one'):
        run.append(Decided("warning", "budget", text))
    run.close(RunClosed("ended", 2.0))
    return directory


def changed(statement: str) -> Callable[[Path], None]:
    """Return what changes the database of a journal."""

    def change(journal: Path) -> None:
        with closing(sqlite3.connect(journal / "journal.db", isolation_level=None)) as database:
            database.execute(statement)

    return change


def no_blobs(journal: Path) -> None:
    for blob in (journal / "blobs").rglob("*"):
        if blob.is_file():
            blob.unlink()


@pytest.mark.parametrize(
    ("spoil", "run", "why"),
    [
        (None, RUN, None),
        # A message of the store may name anything as its run.
        (None, "../../secrets", "broken at entry 0: not a run id"),
        (None, "20260101-000000-bbbbbbbbbbbbbbbb", "the signed head is missing"),
        (changed("UPDATE entry SET body = '{}' WHERE seq = 1"), RUN, "entry 1: its content was"),
        (changed("DELETE FROM entry WHERE seq = 2"), RUN, "broken at entry 2: missing"),
        (changed("DELETE FROM entry WHERE seq > 2"), RUN, "cut off"),
        (no_blobs, RUN, "broken at entry 2: its blob is missing or was changed"),
        (lambda journal: (journal / "journal.db").unlink(), RUN, "the database is missing"),
    ],
)
def test_a_run_is_taken_whole_if_it_is_sound_and_not_at_all_if_not(
    journal: Path, tmp_path: Path, spoil: Callable[[Path], None] | None, run: str, why: str | None
) -> None:
    signer = Signer.load(tmp_path / "key")
    if spoil is not None:
        spoil(journal)
    (verdict,) = verify(journal, signer, RunId(run))
    assert isinstance(verdict, Broken) is (why is not None)
    with nullcontext() if why is None else pytest.raises(JournalError, match=why):
        found = run_on_record(journal, signer, run)
        assert found.entries == tuple(one.content for one in read(journal, RunId(run)))
        assert [one["result"] for one in found.of("decision")][1] == LONG


def test_a_run_that_was_killed_before_its_first_entry_has_no_record(
    journal: Path, tmp_path: Path
) -> None:
    signer, other = Signer.load(tmp_path / "key"), RunId("20260101-000000-bbbbbbbbbbbbbbbb")
    heads = Heads(journal / "heads")
    assert heads.claim(signer.head(other, -1, GENESIS))
    heads.release()
    with pytest.raises(JournalError, match="killed as it began"):
        run_on_record(journal, signer, other)
