"""Entries are in the database before the append returns; a failed write ends the record."""

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from capbox.journal.errors import JournalError
from capbox.journal.event import (
    CallEnded,
    CallIntended,
    Decided,
    RunClosed,
    RunId,
    RunOpened,
    TurnEnded,
)
from capbox.journal.head import Signer
from capbox.journal.log import Journal
from capbox.journal.verify import Broken, Closed, OpenPrefix, verify
from capbox.messages import Effect, Spent, Usage
from capbox.store.journal import read, runs

R1 = RunId("20261121-101530-aaaaaaaaaaaaaaaa")
OPENED = RunOpened("tester", "/w", "a1", ("read:/workspace",), (("read", "00"),), (), 1.0)


def intent(content: str = "x") -> CallIntended:
    return CallIntended("c1", "write", "00", {"content": content}, ("a1",), (), "00", 1)


def ended(seq: int, clock: str = "") -> CallEnded:
    effects = (Effect("write", "/workspace/a", "/w/a", 1),)
    return CallEnded(seq, "ok", "", effects, True, (), Spent(), "00", clock)


def test_a_run_from_start_to_end_is_closed(
    tmp_path: Path, signer: Signer, journal: Journal
) -> None:
    run = journal.begin(R1, OPENED)
    seq = run.append(intent())
    run.append(ended(seq, "Y2xvY2s="))
    run.append(TurnEnded(1, "m", Usage(1, 2), None, "end_turn"))
    run.append(Decided("denial", "read /etc/passwd", "denied", call="c1"))
    run.close(RunClosed("finished", 2.0))
    assert verify(journal.directory, signer) == (Closed(R1, 6),)
    kinds = [r.content["kind"] for r in read(journal.directory, R1) if r.content is not None]
    assert kinds == ["opened", "intent", "outcome", "turn", "decision", "closed"]
    assert runs(journal.directory) == (R1,)


def test_threads_may_make_one_journal_together(tmp_path: Path, signer: Signer) -> None:
    for number in range(20):
        directory, start = tmp_path / str(number), threading.Barrier(3)

        def use(run: RunId, directory: Path = directory, start: threading.Barrier = start) -> None:
            start.wait()
            journal = Journal(directory, signer)
            journal.begin(run, OPENED)
            journal.close()

        with ThreadPoolExecutor(3) as threads:
            list(threads.map(use, (RunId("a"), RunId("b"), RunId("c"))))
        assert verify(directory, signer) == tuple(OpenPrefix(run, 1) for run in "abc")
        assert sorted(p.name for p in directory.iterdir()) == ["blobs", "heads", "journal.db"]


def test_reading_makes_no_journal_where_it_is_missing(signer: Signer, journal: Journal) -> None:
    journal.begin(R1, OPENED)
    journal.close()
    (journal.directory / "journal.db").unlink()
    with pytest.raises(JournalError):
        read(journal.directory, R1)
    assert not (journal.directory / "journal.db").exists()
    assert verify(journal.directory, signer) == (Broken(R1, 0, "the database is missing"),)


def test_every_prefix_of_a_run_is_an_open_prefix(signer: Signer, journal: Journal) -> None:
    run = journal.begin(R1, OPENED)
    seen = [verify(journal.directory, signer)]
    run.append(ended(run.append(intent())))
    seen.append(verify(journal.directory, signer))
    assert seen == [(OpenPrefix(R1, 1),), (OpenPrefix(R1, 3),)]


def test_a_killed_writer_leaves_an_open_prefix(tmp_path: Path, signer: Signer) -> None:
    script = f"""
import os, signal
from pathlib import Path
from capbox.journal.event import RunOpened
from capbox.journal.head import Signer
from capbox.journal.log import Journal
journal = Journal(Path({str(tmp_path)!r}), Signer(b"k" * 32))
journal.begin({R1!r}, RunOpened("t", "/w", "a1", (), (), (), 1.0))
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == -9
    assert verify(tmp_path, signer) == (OpenPrefix(R1, 1),)


def test_a_crash_between_entry_and_head_is_an_open_prefix(signer: Signer, journal: Journal) -> None:
    run = journal.begin(R1, OPENED)
    path = journal.directory / "heads" / f"{R1}.json"
    before = path.read_bytes()
    run.append(intent())
    path.write_bytes(before)
    assert verify(journal.directory, signer) == (OpenPrefix(R1, 2),)


def test_a_large_body_is_kept_in_a_blob_and_read_back(signer: Signer, journal: Journal) -> None:
    run = journal.begin(R1, OPENED)
    run.append(intent("é" * 10_000))
    stored = read(journal.directory, R1)[1].content
    assert stored is not None
    assert stored["arguments"] == {"content": "é" * 10_000}
    assert len(list((journal.directory / "blobs").glob("??/*"))) == 1
    assert verify(journal.directory, signer) == (OpenPrefix(R1, 2),)


def test_a_run_id_is_taken_once_by_any_process(journal: Journal, signer: Signer) -> None:
    journal.begin(R1, OPENED)
    other = Journal(journal.directory, signer)
    with pytest.raises(JournalError, match="taken"):
        other.begin(R1, OPENED)
    other.close()


@pytest.mark.parametrize("run", ["../x", "", "a/b", "A"])
def test_a_run_id_that_is_a_path_is_refused(journal: Journal, run: str) -> None:
    with pytest.raises(JournalError, match="not a run id"):
        journal.begin(RunId(run), OPENED)


def test_two_processes_write_one_journal(tmp_path: Path, signer: Signer) -> None:
    script = f"""
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from capbox.journal.event import Decided, RunClosed, RunOpened
from capbox.journal.head import Signer
from capbox.journal.log import Journal
journal = Journal(Path({str(tmp_path)!r}), Signer(b"k" * 32))
for n in range(10):
    run = journal.begin(f"{{sys.argv[1]}}-{{n}}", RunOpened("t", "/w", "a1", (), (), (), 1.0))
    for _ in range(10):
        run.append(Decided("ask", "x", "y"))
    run.close(RunClosed("finished", 2.0))
journal.close()
"""
    writers = [subprocess.Popen([sys.executable, "-c", script, name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    verdicts = verify(tmp_path, signer)
    assert verdicts == tuple(Closed(f"{name}-{n}", 12) for name in "abc" for n in range(10))


def test_after_a_failed_write_nothing_more_is_recorded(journal: Journal) -> None:
    run = journal.begin(R1, OPENED)
    journal.close()
    with pytest.raises(JournalError):
        run.append(intent())
    with pytest.raises(JournalError, match="an earlier write failed"):
        run.append(intent())


def test_a_closed_run_takes_no_more_entries(journal: Journal) -> None:
    run = journal.begin(R1, OPENED)
    run.close(RunClosed("finished", 2.0))
    run.sync()
    with pytest.raises(JournalError, match="closed"):
        run.append(intent())


def test_an_unreadable_database_is_reported_and_kept(tmp_path: Path, signer: Signer) -> None:
    (tmp_path / "heads").mkdir()
    (tmp_path / "journal.db").write_bytes(b"not a database" * 100)
    with pytest.raises(JournalError, match="left as it is"):
        Journal(tmp_path, signer)
    assert (tmp_path / "journal.db").read_bytes() == b"not a database" * 100


def test_another_sqlite_database_is_refused_and_kept(tmp_path: Path, signer: Signer) -> None:
    other = sqlite3.connect(tmp_path / "journal.db")
    other.execute("CREATE TABLE entry (x)")
    other.commit()
    other.close()
    with pytest.raises(JournalError, match="not a journal of this version"):
        Journal(tmp_path, signer)


def test_nothing_of_the_journal_is_open_to_others(journal: Journal) -> None:
    run = journal.begin(R1, OPENED)
    run.append(intent("x" * 5_000))
    modes = {p.stat().st_mode & 0o077 for p in journal.directory.rglob("*")}
    assert modes == {0}
