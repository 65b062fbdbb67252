"""One entry of a chain, and the hash that ties it to the entry before. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from capbox.messages import JsonObject

BlobOf = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as stored. `body` is canonical JSON; `previous`, `hash`, `seal` are hex."""

    run: str
    seq: int
    previous: str
    hash: str
    body: str
    seal: str

    def linked(self) -> bool:
        """Say whether the hash is that of this run, place, predecessor and body."""
        return self.hash == link_of(self.run, self.seq, self.previous, self.body)


def link_of(run: str, seq: int, previous: str, body: str) -> str:
    """Return the SHA-256 of the canonical JSON of {body, previous, run, seq}.

    The body is canonical already and run ids need no escaping, so the text is put together here.
    """
    text = f'{{"body":{body},"previous":"{previous}","run":"{run}","seq":{seq}}}'
    return hashlib.sha256(text.encode()).hexdigest()


def blob_name(body: str) -> str | None:
    """Return the digest of the blob that holds the content of a body, if one does."""
    digest = (_object(body) or {}).get("blob")
    return digest if isinstance(digest, str) else None


def resolve(body: str, blob: BlobOf) -> JsonObject | None:
    """Return the content of a body, from its blob if kept there; None if not to be had."""
    whole = _object(body)
    digest = (whole or {}).get("blob")
    return _object(blob(digest) or b"") if isinstance(digest, str) else whole


def _object(text: str | bytes) -> JsonObject | None:
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
