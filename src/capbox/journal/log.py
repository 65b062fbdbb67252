"""The append-only journal: one hash chain a run, written before the effect it records.

Guarantees: an entry is in the database, signed, before `append` returns; run ids are claimed once;
after a failed write a run's journal refuses everything, so that no effect goes unrecorded.
Several processes may share one journal; a run has one writer. Nothing is durable before `sync`.
Does not: decide, or check what it wrote; `verify` does.
"""

from __future__ import annotations

from pathlib import Path

from capbox.journal.blobs import Blobs
from capbox.journal.chain import Entry, link_of
from capbox.journal.errors import JournalError
from capbox.journal.event import (
    Event,
    RunClosed,
    RunId,
    RunOpened,
    canonical,
    encode,
    is_run_id,
)
from capbox.journal.head import GENESIS, Heads, Signer
from capbox.journal.rows import FORMAT, Rows

BODY_BYTES_MAX = 4096


class Journal:
    """A journal directory: `journal.db`, `heads/` and `blobs/`."""

    def __init__(self, directory: Path, signer: Signer) -> None:
        """Open or make the journal. Raises JournalError when it cannot be used as it is."""
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in ("heads", "blobs"):
                (directory / part).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise JournalError(str(directory), error.strerror or str(error)) from error
        self.directory = directory
        FORMAT.make(directory / "journal.db")
        self._rows = Rows(directory / "journal.db")
        self._heads = Heads(directory / "heads")
        self._blobs = Blobs(directory / "blobs")
        self._signer = signer

    def begin(self, run: RunId, opened: RunOpened) -> RunJournal:
        """Claim `run` and write its header. Raises JournalError, also when the id is taken."""
        if not is_run_id(run):
            raise JournalError(run, "not a run id")
        try:
            claimed = self._heads.claim(self._signer.head(run, -1, GENESIS))
        except OSError as error:
            raise JournalError(run, error.strerror or str(error)) from error
        if not claimed:
            raise JournalError(run, "this run id is taken")
        journal = RunJournal(self._rows, self._heads, self._blobs, self._signer, run=run)
        journal.append(opened)
        return journal

    def close(self) -> None:
        """Close the database and every head; runs that are still open stay open prefixes."""
        self._rows.close()
        self._heads.release()


class RunJournal:
    """The chain of one run, open for appending."""

    def __init__(
        self, rows: Rows, heads: Heads, blobs: Blobs, signer: Signer, *, run: RunId
    ) -> None:
        """Start an empty chain; `Journal.begin` is the way to get one."""
        self.run = run
        self._rows = rows
        self._heads = heads
        self._blobs = blobs
        self._signer = signer
        self._next = 0
        self._previous = GENESIS
        self._refusal: str | None = None

    @property
    def entries(self) -> int:
        """Return how many entries there are, which is the number of the next one."""
        return self._next

    def close(self, event: RunClosed) -> None:
        """Write the last entry; only `sync` may follow. Raises JournalError."""
        self.append(event)
        self._heads.release(self.run)
        self._refusal = "the run is closed"

    def sync(self) -> None:
        """Make all entries so far durable: at the end of a turn. Raises JournalError.

        Milliseconds on a real disk. It touches no connection, so a worker thread may call it.
        """
        try:
            self._blobs.sync()
            self._rows.sync()
            self._heads.sync(self.run)
        except OSError as error:
            raise self._failed(f"not durable: {error.strerror}") from error

    def append(self, event: Event) -> int:
        """Write one event, move the head, and return the entry's number.

        Raises JournalError, and then refuses from there on.

        Entry first, head second: a crash between the two leaves a sealed entry beyond the head,
        which is an honest open prefix. The other order would look like a cut end.
        """
        if self._refusal is not None:
            raise JournalError(self.run, self._refusal)
        try:
            body = self._body(event)
            link = link_of(self.run, self._next, self._previous, body)
            seal = self._signer.seal(link)
            self._rows.insert(Entry(self.run, self._next, self._previous, link, body, seal))
            self._heads.write(self._signer.head(self.run, self._next, link))
        except (OSError, ValueError, RecursionError, JournalError) as error:
            raise self._failed(f"entry {self._next} was not written: {error}") from error
        self._next, self._previous = self._next + 1, link
        return self._next - 1

    def _body(self, event: Event) -> str:
        body = encode(event)
        if len(body) <= BODY_BYTES_MAX:
            return body
        return canonical({"kind": event.kind, "blob": self._blobs.put(body.encode())})

    def _failed(self, reason: str) -> JournalError:
        self._refusal = f"an earlier write failed, so nothing more is recorded: {reason}"
        return JournalError(self.run, reason)
