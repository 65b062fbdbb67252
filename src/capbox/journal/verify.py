"""Judges a journal: is each run closed, an open prefix, or broken, and where.

Guarantees: `judge` is pure. An edit, removal, reordering or end cut off, a forged seal or head, a
missing or changed blob, an entry of another run: each is named at the first entry it concerns.
Does not: repair or replace anything; nor can it see a history that the owner of the key signed
again, or an older head put back with an older database (see `head`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from capbox.journal.blobs import Blobs
from capbox.journal.chain import BlobOf, Entry, resolve
from capbox.journal.errors import DiskError, JournalError
from capbox.journal.event import RunId, is_run_id
from capbox.journal.head import GENESIS, Head, Heads, Signer
from capbox.journal.rows import Rows


@dataclass(frozen=True, slots=True)
class Closed:
    """A whole chain that ends in a signed `closed`."""

    run: str
    entries: int


@dataclass(frozen=True, slots=True)
class OpenPrefix:
    """A sound chain of a run that is still going on, or that was killed."""

    run: str
    entries: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that cannot be believed from `entry` on; None: no part of it could be read."""

    run: str | None
    entry: int | None
    reason: str


Verdict = Closed | OpenPrefix | Broken
SealOf = Callable[[str], str]


def verify(directory: Path, signer: Signer, run: RunId | None = None) -> tuple[Verdict, ...]:
    """Judge one run, or all of them, sorted by id. A missing journal has no runs.

    Raises DiskError where nothing can be said of the record.
    """
    heads = Heads(directory / "heads")
    named = set(heads.runs())
    if not (directory / "journal.db").exists():
        wanted = sorted(named) if run is None else [run]
        return tuple(Broken(r, 0, "the database is missing") for r in wanted)
    try:
        with closing(Rows(directory / "journal.db")) as rows:
            blobs = Blobs(directory / "blobs")
            every = sorted(named.union(rows.runs())) if run is None else [run]
            return tuple(_verify_run(r, rows, heads, blobs, signer) for r in every)
    except DiskError:
        raise
    except JournalError as error:
        return (Broken(run, None, str(error)),)


def _verify_run(run: str, rows: Rows, heads: Heads, blobs: Blobs, signer: Signer) -> Verdict:
    if not is_run_id(run):
        return Broken(run, 0, "not a run id")
    # The head is read first: a writer moves it after its entry, so it is never ahead of the rows.
    head = heads.read(run, signer)
    return judge(run, _until_unreadable(rows.entries(run)), head, blobs.get, signer.seal)


def _until_unreadable(rows: Iterator[Entry | None]) -> Iterator[Entry | None]:
    try:
        yield from rows
    except DiskError:
        raise
    except JournalError:
        yield None


def judge(
    run: str, rows: Iterable[Entry | None], head: Head | None, blob: BlobOf, seal: SealOf
) -> Verdict:
    """Return the verdict on one run, given its rows in order and its head, checked already."""
    previous, seq, kind, signed = GENESIS, 0, "", head is not None and head.seq == -1
    for entry in rows:
        fault = _fault(run, seq, previous, entry, seal)
        if fault is not None or entry is None:
            return Broken(run, seq, fault or "unreadable")
        if kind == "closed":
            return Broken(run, seq, "an entry after the end of the run")
        found = _kind(entry.body, blob)
        if found is None:
            return Broken(run, seq, "its blob is missing or was changed")
        if (found == "opened") != (seq == 0):
            return Broken(run, seq, "a chain starts with its header, and has one")
        if head is not None and head.seq == seq:
            signed = head.hash == entry.hash
        previous, seq, kind = entry.hash, seq + 1, found
    if head is None:
        return Broken(run, seq, "the signed head is missing or forged")
    if head.seq >= seq:
        return Broken(run, seq, f"cut off: the signed head names entry {head.seq}")
    if not signed:
        return Broken(run, max(head.seq, 0), "the signed head names another entry in this place")
    return Closed(run, seq) if kind == "closed" else OpenPrefix(run, seq)


def _fault(run: str, seq: int, previous: str, entry: Entry | None, seal: SealOf) -> str | None:
    if entry is None:
        return "unreadable"
    if entry.run != run:
        return "an entry of another run"
    if entry.seq != seq:
        return "missing"
    if entry.previous != previous:
        return "it does not follow the entry before it"
    if not entry.linked():
        return "its content was changed"
    if not hmac.compare_digest(entry.seal.encode(), seal(entry.hash).encode()):
        return "its seal is not ours"
    return None


def _kind(body: str, blob: BlobOf) -> str | None:
    """Return the kind of an entry, or None when the blob it names cannot be had as it was."""
    kind = (resolve(body, blob) or {}).get("kind")
    return kind if isinstance(kind, str) else None
