"""A run as its journal and its tape have it, checked: what is to be executed and decided once more.

Guarantees: nothing of a broken journal, or of a tape that is not what the journal names, is used.
Does not: execute or decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from capbox.authority.values.kinds import Value
from capbox.engine.grounding import grounds_told
from capbox.engine.replay.kept import ReplayError, Taped, taped
from capbox.engine.replay.opening import Opening, parse_opening
from capbox.engine.results.stowing import Stowed, stowed_told
from capbox.gate.recording import HEARD
from capbox.journal.event import RunId
from capbox.journal.head import Signer
from capbox.journal.verify import Broken, Closed, verify
from capbox.messages import Json, JsonObject
from capbox.store.journal import read

Entry = tuple[int, JsonObject]
"""A journal entry: its number and its content."""


@dataclass(slots=True, eq=False)
class Recorded:
    """One call: `asked` is its record on the tape; `intent` the number of its entry, if it ran.

    `entries` are all that the journal has of it, `within` those of the functions that its guest
    invoked, `heard` what the network and the functions answered; `said` is what a person named in
    words to the run, `stowed` which long results were put where tools read them, both between the
    call before and this one.
    """

    asked: JsonObject
    entries: list[Entry] = field(default_factory=list)
    intent: int | None = None
    reply: Taped | None = None
    heard: list[Taped] = field(default_factory=list)
    within: list[Entry] = field(default_factory=list)
    said: frozenset[Value] = frozenset()
    stowed: tuple[Stowed, ...] = ()

    @property
    def id(self) -> str:
        """Return the id that the model gave it."""
        return str(self.asked.get("id"))

    @property
    def before(self) -> int:
        """Return how many entries the journal had when it was asked for."""
        before = self.asked.get("before")
        return before if isinstance(before, int) else 0

    def of(self, kind: str) -> JsonObject:
        """Return its entry of a kind, or an empty one."""
        return next((c for _, c in self.entries if c.get("kind") == kind), {})

    @property
    def seq(self) -> int:
        """Return the number of the entry by which it is known."""
        return self.intent if self.intent is not None else next(iter(self.entries), (-1, {}))[0]

    @property
    def tool(self) -> str:
        """Return the tool's name, as far as it is known."""
        asked = self.asked.get("asked")
        return str(asked.get("name")) if isinstance(asked, dict) else "?"


@dataclass(frozen=True, slots=True)
class Run:
    """A run on record; `closed` False: it goes on, or was killed. `full`: its tape met its bound.

    `revocations` are pairs of entry and name, `answers` what was said to questions, in order.
    """

    id: RunId
    closed: bool
    entries: int
    opened: JsonObject
    opening: Opening
    calls: tuple[Recorded, ...]
    answers: tuple[JsonObject, ...]
    revocations: tuple[tuple[int, str], ...]
    leases: tuple[str, ...]
    full: bool
    intents: int

    @property
    def started(self) -> float:
        """Return when it began, in seconds since 1970."""
        started = self.opened.get("started")
        return float(started) if isinstance(started, int | float) else 0.0


def run_on_record(state: Path, signer: Signer, run: RunId) -> Run:
    """Return a run whose record is sound and complete. Raises ReplayError, JournalError."""
    verdict = verify(state / "journal", signer, run)[0]
    if isinstance(verdict, Broken):
        place = "" if verdict.entry is None else f" at entry {verdict.entry}"
        raise ReplayError(run, f"broken{place}: {verdict.reason}", forged=True)
    entries = [(r.seq, r.content) for r in read(state / "journal", run) if r.content is not None]
    opened = entries[0][1] if entries else {}
    if not Path(str(opened.get("workspace"))).is_dir():
        raise ReplayError(run, f"its workspace {opened.get('workspace')} is not there any more")
    mark = _mark(entries)
    if not mark:
        raise ReplayError(run, "nothing was kept of it that a replay could use")
    records = taped(state / "replay", run, mark)
    header = next((one.header for one in records if one.kind == "run"), {})
    try:
        opening = parse_opening(header)
    except (ValueError, TypeError, StopIteration) as error:
        raise ReplayError(run, f"it was recorded by another version: {error}") from error
    decisions = [(n, c) for n, c in entries if c.get("kind") == "decision"]
    return Run(
        id=run,
        closed=isinstance(verdict, Closed),
        entries=verdict.entries,
        opened=opened,
        opening=opening,
        calls=tuple(_calls(records, entries)),
        answers=tuple(one.header for one in records if one.kind == "answer"),
        revocations=tuple(
            (n, str(c.get("subject"))) for n, c in decisions if c.get("what") == "revocation"
        ),
        leases=tuple(str(c.get("subject")) for _, c in decisions if c.get("what") == "lease"),
        full=any(one.kind == "full" for one in records),
        intents=sum(c.get("kind") == "intent" and c.get("within") is None for _, c in entries),
    )


def _mark(entries: Sequence[Entry]) -> str:
    """Return the last mark of the tape: of what comes after it nothing is bound to the journal."""
    marks = (c.get("tape") for _, c in reversed(entries) if c.get("kind") in ("closed", "outcome"))
    return next((mark for mark in marks if isinstance(mark, str) and mark), "")


def _calls(records: Sequence[Taped], entries: Sequence[Entry]) -> Iterator[Recorded]:
    calls = list(_asked(records))
    for call, until in zip(calls, _ends(calls), strict=True):
        mine = {n for n, c in entries if call.before <= n < until and c.get("call") == call.id}
        intents = [n for n, c in entries if n in mine and c.get("kind") == "intent"]
        call.intent = intents[0] if intents else None
        call.entries = [
            (n, c)
            for n, c in entries
            if n in mine or (call.intent is not None and c.get("intent") == call.intent)
        ]
        call.within = [
            (n, c)
            for n, c in entries
            if call.before <= n < until and str(c.get("call")).startswith(f"{call.id}/")
        ]
        if call.intent is not None:
            own = [one for one in records if one.header.get("intent") == call.intent]
            call.heard = [one for one in own if one.kind in HEARD]
            call.reply = next((one for one in own if one.kind == "reply"), None)
        yield call


def _asked(records: Sequence[Taped]) -> Iterator[Recorded]:
    said: frozenset[Value] = frozenset()
    stowed: list[Stowed] = []
    for one in records:
        match one.kind:
            case "said":
                said |= grounds_told(one.header)
            case "stowed" if (kept := stowed_told(one.header, one.body)) is not None:
                stowed.append(kept)
            case "call":
                yield Recorded(one.header, said=said, stowed=tuple(stowed))
                said, stowed = frozenset(), []
            case _:
                pass


def _ends(calls: Sequence[Recorded]) -> Iterator[float]:
    """Yield for each call where the next one of the same id begins."""
    for number, call in enumerate(calls):
        later = (one.before for one in calls[number + 1 :] if one.id == call.id)
        yield next(later, float("inf"))


def texts(value: Json) -> list[str]:
    """Return the texts in a list of the journal."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def objects(value: Json) -> list[JsonObject]:
    """Return the objects in a list of the journal."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
