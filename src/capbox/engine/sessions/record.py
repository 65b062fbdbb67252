"""What the journal has of a session: its runs, checked, in their order.

Guarantees: which runs are a session's is read from their signed headers, never from the store,
which people may edit; nothing of a run whose record is broken is used. Does not: decide what of it
comes back (see `restored`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from capbox.journal.blobs import Blobs
from capbox.journal.chain import Entry, resolve
from capbox.journal.errors import JournalError
from capbox.journal.event import is_run_id
from capbox.journal.head import Heads, Signer
from capbox.journal.rows import Rows
from capbox.journal.verify import Broken, Verdict, judge
from capbox.messages import Json, JsonObject


@dataclass(frozen=True, slots=True)
class RunOnRecord:
    """One run, verified: its entries, the number of each being its place."""

    id: str
    entries: tuple[JsonObject, ...]

    def of(self, kind: str) -> Iterator[JsonObject]:
        """Yield its entries of a kind."""
        return (entry for entry in self.entries if entry.get("kind") == kind)

    @property
    def workspace(self) -> str:
        """Return where it worked, as its header says."""
        return str(self.entries[0].get("workspace"))


def runs_on_record(journal: Path, signer: Signer, session: str) -> tuple[RunOnRecord, ...]:
    """Return the runs of a session, each gone on from the one before it. Raises JournalError.

    Attack: runs that the store leaves out, so that what they used up or lost comes back.
    """
    before = _before(journal, session)
    gone_on_from = set(before.values())
    run = max((one for one in before if one not in gone_on_from), default="")
    found: list[RunOnRecord] = []
    while run in before:
        found.append(run_on_record(journal, signer, run))
        run = before.pop(run)
    return tuple(reversed(found))


def run_on_record(journal: Path, signer: Signer, run: str) -> RunOnRecord:
    """Return one run. Raises JournalError if its record is broken."""
    bodies: list[str] = []
    blobs = Blobs(journal / "blobs")
    verdict = _judged(journal, signer, run, blobs, bodies)
    if isinstance(verdict, Broken):
        place = "" if verdict.entry is None else f" at entry {verdict.entry}"
        reason = f"its record is broken{place}: {verdict.reason}. Nothing of it is used; see: "
        raise JournalError(run, f"{reason}capbox audit verify {run}")
    if not bodies:
        raise JournalError(run, "its record is empty: it was killed as it began")
    return RunOnRecord(run, tuple(_contents(bodies, blobs)))


def _judged(journal: Path, signer: Signer, run: str, blobs: Blobs, bodies: list[str]) -> Verdict:
    """Judge a run as `verify` does, and add what its entries hold to `bodies` on the way."""
    # Attack: a message in the store names a run by a path, which leads to another's files.
    if not is_run_id(run):
        return Broken(run, 0, "not a run id")
    if not (journal / "journal.db").exists():
        return Broken(run, 0, "the database is missing")
    with closing(Rows(journal / "journal.db")) as rows:
        # Before the rows: a writer moves it after its entry, so it is never ahead of them.
        head = Heads(journal / "heads").read(run, signer)
        return judge(run, _seen(rows.entries(run), bodies), head, blobs.get, signer.seal)


def _seen(rows: Iterator[Entry | None], bodies: list[str]) -> Iterator[Entry | None]:
    for entry in rows:
        if entry is not None:
            bodies.append(entry.body)
        yield entry


def _contents(bodies: Sequence[str], blobs: Blobs) -> Iterator[JsonObject]:
    """Yield what sound entries hold; the body of each was read as one JSON object before."""
    # All at once: to call the reader costs more than to read an entry.
    for body, content in zip(bodies, json.loads(f"[{','.join(bodies)}]"), strict=True):
        yield (resolve(body, blobs.get) or {}) if "blob" in content else content


def _before(journal: Path, session: str) -> dict[str, str]:
    """Return the runs whose header names this session, each with the one it goes on from."""
    found: dict[str, str] = {}
    if not (journal / "journal.db").exists():
        return found
    blobs = Blobs(journal / "blobs")
    with closing(Rows(journal / "journal.db")) as rows:
        for run in Heads(journal / "heads").runs():
            first = next(rows.entries(run), None)
            header = None if first is None else resolve(first.body, blobs.get)
            link = texts((header or {}).get("session"))
            if link[:1] == (session,):
                found[run] = link[1] if len(link) > 1 else ""
    return found


def texts(value: Json) -> tuple[str, ...]:
    """Return the texts of a list in an entry."""
    return tuple(map(str, value)) if isinstance(value, list) else ()


def objects(value: Json) -> tuple[Mapping[str, Json], ...]:
    """Return the objects of a list in an entry."""
    return tuple(one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()
