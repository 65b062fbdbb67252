"""Reads a journal back: the runs, one run's entries, and an export that can be checked elsewhere.

Does not: judge; an entry that it returns is worth what `verify` says of its run.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from capbox.journal.blobs import Blobs
from capbox.journal.chain import Entry, blob_name, resolve
from capbox.journal.event import RunId
from capbox.journal.head import Heads, Signer
from capbox.journal.rows import Rows
from capbox.messages import JsonObject


@dataclass(frozen=True, slots=True)
class Record:
    """One entry with its content (`kind` names the event); None when its blob is gone."""

    seq: int
    hash: str
    content: JsonObject | None


def runs(directory: Path) -> tuple[RunId, ...]:
    """Return the ids of all runs, oldest first."""
    return Heads(directory / "heads").runs()


def read(directory: Path, run: RunId) -> tuple[Record, ...]:
    """Return the readable entries of a run in order. Raises JournalError."""
    blobs = Blobs(directory / "blobs")
    return tuple(
        Record(e.seq, e.hash, resolve(e.body, blobs.get)) for e in _entries(directory, run)
    )


def export(directory: Path, run: RunId, signer: Signer) -> Iterator[str]:
    """Yield one JSON line an entry, one for its blob if it has one, then the head, signed now.

    Kept where this user cannot write, that is a checkpoint which a rewritten journal contradicts.
    Raises JournalError.
    """
    blobs = Blobs(directory / "blobs")
    for entry in _entries(directory, run):
        yield json.dumps({name: getattr(entry, name) for name in Entry.__slots__})
        digest = blob_name(entry.body)
        found = None if digest is None else blobs.get(digest)
        if found is not None:
            yield json.dumps({"blob": digest, "base64": b64encode(found).decode()})
    head = Heads(directory / "heads").read(run, signer)
    if head is not None:
        signature, key = signer.signed(head)
        named = {"run": head.run, "seq": head.seq, "hash": head.hash, "signature": signature}
        yield json.dumps({"head": named, "key": key})


def _entries(directory: Path, run: RunId) -> tuple[Entry, ...]:
    rows = Rows(directory / "journal.db")
    try:
        return tuple(entry for entry in rows.entries(run) if entry is not None)
    finally:
        rows.close()
