"""Every way to change a record is found, at the entry that it concerns."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capbox.journal.blobs import Blobs
from capbox.journal.chain import Entry, link_of
from capbox.journal.event import CallIntended, Decided, RunClosed, RunId, RunOpened
from capbox.journal.head import GENESIS, Head, Heads, Signer
from capbox.journal.log import Journal
from capbox.journal.rows import Rows
from capbox.journal.verify import Broken, Closed, OpenPrefix, Verdict, judge, verify

R1, R2 = RunId("r1"), RunId("r2")
ENTRIES = 7


def write_run(journal: Journal, run: RunId, clock: bytes = b"") -> None:
    """A closed run of seven entries; entry 2 is large enough for a blob."""
    chain = journal.begin(run, RunOpened("t", "/w", "a1", (), (), (), 1.0))
    chain.append(Decided("ask", "first", "asked"))
    chain.append(CallIntended("c", "write", "00", {"c": run * 3_000}, ("a1",), (), "00", 1))
    for n in range(3):
        chain.append(Decided("denial", f"read /{run}/{n}", "denied"))
    chain.close(RunClosed("finished", 2.0))


@pytest.fixture
def directory(tmp_path: Path, signer: Signer) -> Path:
    """A journal with the closed runs r1 and r2, its write-ahead log folded in."""
    journal = Journal(tmp_path / "journal", signer)
    write_run(journal, R1)
    write_run(journal, R2)
    journal.close()
    return tmp_path / "journal"


def edit_bytes(directory: Path, old: bytes, new: bytes) -> None:
    """Change the database file in place, as an attacker with an editor would."""
    content = (directory / "journal.db").read_bytes()
    assert content.count(old) == 1 and len(old) == len(new)
    (directory / "journal.db").write_bytes(content.replace(old, new, 1))


def execute(directory: Path, *statements: str) -> None:
    database = sqlite3.connect(directory / "journal.db")
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def rewrite_head(directory: Path, **changes: object) -> None:
    path = directory / "heads" / "r1.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def blob_of_r1(directory: Path) -> Path:
    return next(p for p in (directory / "blobs").glob("??/*") if b"r1r1" in p.read_bytes())


def test_what_nobody_touched_is_closed(directory: Path, signer: Signer) -> None:
    assert verify(directory, signer) == (Closed("r1", ENTRIES), Closed("r2", ENTRIES))
    assert verify(directory, signer, R2) == (Closed("r2", ENTRIES),)


def test_a_missing_journal_has_no_runs(tmp_path: Path, signer: Signer) -> None:
    assert verify(tmp_path / "none", signer) == ()


TAMPERINGS: list[tuple[str, Callable[[Path], None], int]] = [
    ("edit", lambda d: edit_bytes(d, b"read /r1/1", b"read /r1/0"), 4),
    ("edit to other case", lambda d: edit_bytes(d, b"read /r1/0", b"Read /r1/0"), 3),
    ("edit to invalid text", lambda d: edit_bytes(d, b"read /r1/0", b"\xff" * 10), 3),
    ("removal", lambda d: execute(d, "DELETE FROM entry WHERE run='r1' AND seq=3"), 3),
    (
        "removal of the header",
        lambda d: execute(d, "DELETE FROM entry WHERE run='r1' AND seq=0"),
        0,
    ),
    (
        "reordering",
        lambda d: execute(
            d,
            "UPDATE entry SET seq=99 WHERE run='r1' AND seq=3",
            "UPDATE entry SET seq=3 WHERE run='r1' AND seq=4",
            "UPDATE entry SET seq=4 WHERE run='r1' AND seq=99",
        ),
        3,
    ),
    ("end cut off", lambda d: execute(d, "DELETE FROM entry WHERE run='r1' AND seq>=5"), 5),
    ("all cut off", lambda d: execute(d, "DELETE FROM entry WHERE run='r1'"), 0),
    (
        "an entry of another run",
        lambda d: execute(
            d,
            "DELETE FROM entry WHERE run='r1' AND seq=4",
            "UPDATE entry SET run='r1' WHERE run='r2' AND seq=4",
        ),
        4,
    ),
    ("a row of the wrong type", lambda d: execute(d, "UPDATE entry SET body=1 WHERE seq=2"), 2),
    (
        "an entry after the end",
        lambda d: execute(
            d, "INSERT INTO entry SELECT run,7,hash,'','{}','' FROM entry WHERE seq=6"
        ),
        7,
    ),
    ("head removed", lambda d: (d / "heads" / "r1.json").unlink(), 7),
    ("head garbled", lambda d: (d / "heads" / "r1.json").write_text("{"), 7),
    ("head forged", lambda d: rewrite_head(d, seq=3), 7),
    ("head of another run", lambda d: shutil.copy(d / "heads/r2.json", d / "heads/r1.json"), 7),
    ("blob removed", lambda d: blob_of_r1(d).unlink(), 2),
    ("blob changed", lambda d: blob_of_r1(d).write_bytes(b"{}"), 2),
]


@pytest.mark.parametrize(
    ("tamper", "entry"), [t[1:] for t in TAMPERINGS], ids=[t[0] for t in TAMPERINGS]
)
def test_a_tampering_is_named_at_its_entry(
    directory: Path, signer: Signer, tamper: Callable[[Path], None], entry: int
) -> None:
    tamper(directory)
    verdict = verify(directory, signer, R1)[0]
    assert isinstance(verdict, Broken)
    assert (verdict.run, verdict.entry) == ("r1", entry)


def test_an_edit_whose_hashes_were_computed_again_is_found(directory: Path, signer: Signer) -> None:
    rows = Rows(directory / "journal.db")
    chain = [e for e in rows.entries("r1") if e is not None]
    rows.close()
    body = chain[4].body.replace("/r1/1", "/r1/0")
    link = link_of("r1", 4, chain[4].previous, body)
    execute(directory, f"UPDATE entry SET body='{body}', hash='{link}' WHERE run='r1' AND seq=4")
    assert verify(directory, signer, R1) == (Broken("r1", 4, "its seal is not ours"),)


def test_a_chain_signed_by_another_key_is_broken(directory: Path) -> None:
    other = Signer(b"o" * 32)
    assert verify(directory, other, R1) == (Broken("r1", 0, "its seal is not ours"),)


def test_a_run_moved_to_another_name_is_broken(directory: Path, signer: Signer) -> None:
    execute(directory, "UPDATE entry SET run='r9' WHERE run='r1'")
    (directory / "heads" / "r1.json").rename(directory / "heads" / "r9.json")
    verdicts = verify(directory, signer)
    assert verdicts == (Closed("r2", ENTRIES), Broken("r9", 0, "its content was changed"))


def test_a_missing_database_breaks_every_run_that_has_a_head(
    directory: Path, signer: Signer
) -> None:
    (directory / "journal.db").unlink()
    reason = "the database is missing"
    assert verify(directory, signer) == (Broken("r1", 0, reason), Broken("r2", 0, reason))
    assert not (directory / "journal.db").exists()


def test_an_unreadable_database_is_reported_and_kept(directory: Path, signer: Signer) -> None:
    (directory / "journal.db").write_bytes(b"x" * 8192)
    verdicts = verify(directory, signer)
    assert [(type(v), getattr(v, "entry", 0)) for v in verdicts] == [(Broken, None)]
    assert (directory / "journal.db").read_bytes() == b"x" * 8192


def test_a_damaged_page_is_never_taken_for_a_sound_run(directory: Path, signer: Signer) -> None:
    content = bytearray((directory / "journal.db").read_bytes())
    content[4096 : 4096 + 2048] = b"\xa5" * 2048
    (directory / "journal.db").write_bytes(content)
    assert all(isinstance(v, Broken) for v in verify(directory, signer))


def test_an_end_cut_off_is_found_although_the_seal_of_the_new_last_entry_is_at_hand(
    directory: Path, signer: Signer
) -> None:
    rows = Rows(directory / "journal.db")
    chain = [e for e in rows.entries("r1") if e is not None]
    rows.close()
    rewrite_head(directory, seq=4, hash=chain[4].hash, mac=chain[4].seal)
    execute(directory, "DELETE FROM entry WHERE run='r1' AND seq>4")
    reason = "the signed head is missing or forged"
    assert verify(directory, signer, R1) == (Broken("r1", 5, reason),)


def test_an_older_head_put_back_with_an_older_database_is_the_known_limit(
    directory: Path, signer: Signer
) -> None:
    """Documented in `head`: only a checkpoint kept elsewhere shows this."""
    rows = Rows(directory / "journal.db")
    chain = [e for e in rows.entries("r1") if e is not None]
    rows.close()
    kept = signer.head("r1", 4, chain[4].hash)
    rewrite_head(directory, seq=4, hash=kept.hash, mac=kept.mac)
    execute(directory, "DELETE FROM entry WHERE run='r1' AND seq>4")
    assert verify(directory, signer, R1) == (OpenPrefix("r1", 5),)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Entry], Head, Blobs]:
    """The rows, head and blobs of one closed run."""
    directory = tmp_path_factory.mktemp("recorded")
    journal = Journal(directory, Signer(b"k" * 32))
    write_run(journal, R1)
    journal.close()
    rows, head = (
        Rows(directory / "journal.db"),
        Heads(directory / "heads").read(R1, Signer(b"k" * 32)),
    )
    assert head is not None
    return [e for e in rows.entries("r1") if e is not None], head, Blobs(directory / "blobs")


def judged(rows: list[Entry], head: Head, blobs: Blobs) -> Verdict:
    return judge("r1", rows, head, blobs.get, Signer(b"k" * 32).seal)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    place=st.integers(0, ENTRIES - 1),
    field=st.sampled_from(["run", "seq", "previous", "hash", "body", "seal"]),
    position=st.integers(0, 10_000),
    replacement=st.characters(),
)
def test_any_single_change_of_any_entry_is_found_at_that_entry(
    recorded: tuple[list[Entry], Head, Blobs],
    place: int,
    field: str,
    position: int,
    replacement: str,
) -> None:
    rows, head, blobs = recorded
    old = {name: getattr(rows[place], name) for name in Entry.__slots__}
    new: object
    if field == "seq":
        new = old["seq"] + 1 + position
    else:
        text = old[field]
        at = position % len(text)
        new = text[:at] + replacement + text[at + 1 :]
    changed = [*rows[:place], Entry(**(old | {field: new})), *rows[place + 1 :]]
    verdict = judged(changed, head, blobs)
    if changed == rows:
        assert verdict == Closed("r1", ENTRIES)
    else:
        assert isinstance(verdict, Broken) and verdict.entry == place


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(order=st.permutations(range(ENTRIES)), keep=st.integers(0, ENTRIES))
def test_any_reordering_or_cut_is_broken(
    recorded: tuple[list[Entry], Head, Blobs], order: list[int], keep: int
) -> None:
    rows, head, blobs = recorded
    changed = [rows[i] for i in order][:keep]
    first = next((i for i, e in enumerate(changed) if e != rows[i]), keep)
    verdict = judged(changed, head, blobs)
    if changed == rows:
        assert verdict == Closed("r1", ENTRIES)
    else:
        assert isinstance(verdict, Broken) and verdict.entry == first


def test_a_run_that_was_claimed_but_not_opened_is_an_open_prefix(signer: Signer) -> None:
    head = signer.head("r1", -1, GENESIS)
    assert judge("r1", [], head, lambda _: None, signer.seal) == OpenPrefix("r1", 0)
