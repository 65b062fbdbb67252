"""A run as its journal has it: what it held, what was lent and taken back, and what it used.

Guarantees: nothing is taken from an entry whose shape is not the expected one. Does not: judge the
record (`capbox.journal.verify` does, before), or mint; grants stay text here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from capbox.messages import Json, JsonObject

_WRITES = ("write", "create")


@dataclass(frozen=True, slots=True)
class Lent:
    """One lease: its grant as text, its authority, and for how long."""

    grant: str
    authority: str
    term: str


@dataclass(frozen=True, slots=True)
class Used:
    """What a run did: calls by tool, files, requests by origin, and what its model took."""

    calls: tuple[tuple[str, int], ...] = ()
    read_files: int = 0
    written_files: int = 0
    deleted_files: int = 0
    origins: tuple[tuple[str, int], ...] = ()
    sent_bytes: int = 0
    secrets: tuple[str, ...] = ()
    refused: int = 0
    tokens: int = 0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run on record; `ended` False: it goes on, or was cut off. `started` in seconds."""

    run: str
    workspace: str
    authority: str
    grants: tuple[str, ...]
    leases: tuple[Lent, ...]
    revoked: frozenset[str]
    started: float
    ended: bool
    used: Used


def recorded(run: str, contents: Sequence[JsonObject]) -> Recorded | None:
    """Return the run that these entries tell; None if its header is not there."""
    first = contents[0] if contents else {}
    started = first.get("started")
    if first.get("kind") != "opened" or not isinstance(started, int | float):
        return None
    decisions = [c for c in contents if c.get("kind") == "decision"]
    return Recorded(
        run=run,
        workspace=_text(first, "workspace"),
        authority=_text(first, "authority_id"),
        grants=tuple(_texts(first.get("authority"))),
        leases=tuple(
            Lent(_text(d, "subject"), _text(d, "authority"), _text(d, "result"))
            for d in decisions
            if d.get("what") == "lease"
        ),
        revoked=frozenset(_text(d, "subject") for d in decisions if d.get("what") == "revocation"),
        started=float(started),
        ended=contents[-1].get("kind") == "closed",
        used=_used(contents, refused=sum(d.get("what") == "denial" for d in decisions)),
    )


def _used(contents: Sequence[JsonObject], *, refused: int) -> Used:
    effects = [e for c in contents if c.get("kind") == "outcome" for e in _objects(c, "effects")]
    requests = [c for c in contents if c.get("kind") == "request"]
    turns = [c for c in contents if c.get("kind") == "turn"]
    calls = Counter(_text(c, "tool") for c in contents if c.get("kind") == "intent")
    origins = Counter(_origin(_text(c, "url")) for c in requests)
    return Used(
        calls=tuple(calls.most_common()),
        read_files=len({_text(e, "path") for e in effects if e.get("action") == "read"}),
        written_files=len({_text(e, "path") for e in effects if e.get("action") in _WRITES}),
        deleted_files=len({_text(e, "path") for e in effects if e.get("action") == "delete"}),
        origins=tuple(origins.most_common()),
        sent_bytes=sum(_whole(c.get("body_bytes")) for c in requests),
        secrets=tuple(sorted({name for e in effects for name in _sent(e)})),
        refused=refused,
        tokens=sum(_tokens(turn.get("usage")) for turn in turns),
        usd=sum(_number(turn.get("usd")) for turn in turns),
    )


def _sent(effect: JsonObject) -> Iterator[str]:
    request = effect.get("request")
    if isinstance(request, dict):
        yield from _texts(request.get("secrets"))


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{parts.scheme}://{parts.netloc}"


def _tokens(usage: Json) -> int:
    return sum(map(_whole, usage.values())) if isinstance(usage, dict) else 0


def _text(content: JsonObject, key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""


def _texts(value: Json) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _objects(content: JsonObject, key: str) -> list[JsonObject]:
    value = content.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _whole(value: Json) -> int:
    return value if isinstance(value, int) else 0


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
