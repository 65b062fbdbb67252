"""What of a session's authority comes back when it is resumed: from its journal alone. Pure.

Guarantees: only what a run of the session held, less what was revoked or has expired; a counter
goes on where it stopped, over any number of resumes, since the same grant is known by its text;
where two leases say the same, one comes back. Does not: mint or lend. What comes back is a wish
like a person's flags, and is minted under the rules of now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from capbox.authority.decision import GrantId
from capbox.authority.grant import Grant
from capbox.authority.parse import GrantError, parse_grant
from capbox.engine.sessions.record import RunOnRecord, texts
from capbox.gate.asking import ONE_CALL
from capbox.journal.counting import Used, used_of
from capbox.journal.errors import JournalError
from capbox.messages import JsonObject

_ALWAYS = "always, as "


@dataclass(frozen=True, slots=True)
class Restored:
    """What comes back. `grants` and `leases` are texts, leases with their terms.

    `tools` are the names of those that it had without a condition. `used` is by text; `dropped`
    are those that do not come back, each with the reason; `sources` all that the runs have read.
    `plans`: they ended while nothing but planning was allowed.
    """

    grants: tuple[str, ...] = ()
    tools: tuple[str, ...] | None = None
    leases: tuple[tuple[str, str], ...] = ()
    used: Mapping[str, Used] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()
    dropped: tuple[tuple[str, str], ...] = ()
    plans: bool = False


@dataclass(frozen=True, slots=True)
class _Held:
    """One grant that a run held: under which names it can be revoked, and what is used of it."""

    text: str
    names: frozenset[str]
    used: Used
    term: str | None = None  # of a lease


def restored(runs: Sequence[RunOnRecord], now: float) -> Restored:
    """Return what the last of these runs held and still may. Raises JournalError."""
    held: dict[tuple[str, bool], _Held] = {}
    lost: dict[str, str] = {}
    sources: set[str] = set()
    plans = False
    for run in runs:
        before, held = held, {}
        revoked, own = frozenset(_revoked(run)), tuple(_held(run))
        for one in own:
            key = one.text, one.term is None
            carried = before[key].used if key in before else Used()
            total = replace(one, used=carried + one.used)
            other = held.get(key)
            if revoked.isdisjoint(one.names) and (other is None or _less(total, other)):
                held[key] = total
        known = {name for one in own for name in one.names}
        if any(name not in known and not name.startswith(f"{run.id}/") for name in revoked):
            # What is named is none of these: the ceiling, from which every lease descends.
            held = {key: one for key, one in held.items() if one.term is None}
        lost = {one.text: "it was revoked" for one in own if _gone(one, held)}
        sources.update(s for entry in run.of("outcome") for s in texts(entry.get("sources")))
        sources |= known_of(run)
        for entry in _decisions(run, "plan"):
            plans = entry.get("result") != "left"
    return replace(_sorted(held.values(), lost, frozenset(sources), now), plans=plans)


def known_of(run: RunOnRecord) -> set[str]:
    """Return the sources of what a run's prompt held, and no call had read."""
    return {str(entry.get("subject")) for entry in _decisions(run, "known")}


def _gone(one: _Held, held: Mapping[tuple[str, bool], _Held]) -> bool:
    return (one.text, one.term is None) not in held


def _less(one: _Held, other: _Held) -> bool:
    return (one.used.uses, one.used.bytes) < (other.used.uses, other.used.bytes)


def _sorted(
    held: Iterable[_Held], lost: Mapping[str, str], sources: frozenset[str], now: float
) -> Restored:
    grants: list[str] = []
    tools: list[str] = []
    leases: list[tuple[str, str]] = []
    dropped = list(lost.items())
    used: dict[str, Used] = {}
    for one in held:
        grant = parse_grant(one.text)
        reason = _reason(grant, now)
        if reason is not None or isinstance(grant, GrantError):
            dropped.append((one.text, reason or ""))
            continue
        if grant.action == "model":
            continue  # each run implies that of its own model
        if one.used != Used():
            used[one.text] = one.used
        if one.term is not None:
            leases.append((one.text, one.term))
        elif grant.action == "tool" and not grant.caveats:
            tools.append(str(grant.selector))
        else:
            grants.append(one.text)
    return Restored(tuple(grants), tuple(tools), tuple(leases), used, sources, tuple(dropped))


def _reason(grant: Grant | GrantError, now: float) -> str | None:
    if isinstance(grant, GrantError):
        return f"this capbox cannot read it: {grant.message}"
    ends = getattr(grant.expires, "ms", None)
    return "it has expired" if ends is not None and ends <= now * 1000 else None


def _held(run: RunOnRecord) -> Iterator[_Held]:
    """Yield what a run held: what it began with, then what was lent to it for longer than a call.

    What was approved for always is not among it: the file of those lends it again.
    """
    opened, used = run.entries[0], _used(run)
    authority = str(opened.get("authority_id"))
    for number, text in enumerate(texts(opened.get("authority"))):
        name = f"{authority}#{number}"
        yield _Held(text, frozenset({authority, name}), used.get(GrantId(name), Used()))
    for entry in _decisions(run, "lease"):
        term, lease = str(entry.get("result")), str(entry.get("authority"))
        if term != ONE_CALL and not term.startswith(_ALWAYS) and term != "always":
            name = f"{lease}#0"
            own = used.get(GrantId(name), Used())
            yield _Held(str(entry.get("subject")), frozenset({lease, name}), own, term)


def _revoked(run: RunOnRecord) -> Iterator[str]:
    for entry in _decisions(run, "revocation"):
        yield str(entry.get("authority"))


def _decisions(run: RunOnRecord, what: str) -> Iterator[JsonObject]:
    return (entry for entry in run.of("decision") if entry.get("what") == what)


def _used(run: RunOnRecord) -> dict[GrantId, Used]:
    try:
        return used_of(run.entries)
    except ValueError as error:
        raise JournalError(run.id, f"what it used is not known: {error}") from error
