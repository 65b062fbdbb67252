"""Reads a session back, so that a run can go on with it.

Guarantees: what was said comes from the store, authority and what became of each call from the
journal; a session whose record is broken is not resumed; what does not come back is named. Does
not: run, mint or lend.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anyio import to_thread

from capbox.authority.grant import Grant, NameSelector
from capbox.authority.parse import GrantError, parse_grant
from capbox.authority.paths import WORKSPACE, HostPath, below, joined, under
from capbox.authority.values.label import Kind, Source
from capbox.engine.home import Home
from capbox.engine.sessions.choosing import chosen
from capbox.engine.sessions.conversation import Conversation, locks
from capbox.engine.sessions.errors import SessionError
from capbox.engine.sessions.holder import Hold, hold
from capbox.engine.sessions.pending import Open, open_calls, settled, settled_since
from capbox.engine.sessions.record import RunOnRecord, run_on_record, runs_on_record
from capbox.engine.sessions.restored import Restored, known_of, restored
from capbox.engine.settings import Settings, SettingsError
from capbox.gate.manifest import Manifest
from capbox.journal.errors import JournalError
from capbox.journal.head import Signer
from capbox.messages import JsonObject, SummaryMessage, ToolMessage, UserMessage

if TYPE_CHECKING:
    from capbox.store.runs import RunStore
    from capbox.store.sessions import StoredMessage, StoredSession

GO_ON: Final = "Go on with the task."
_EVENTS_PAGE = 1_000
_KINDS: Mapping[str, Kind] = {
    "workspace": "workspace",
    "web": "web",
    "function": "function",
    "secret": "secret",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where sessions are: capbox's directories, the key of its journal, and the tools there are.

    Below `trusted` nobody but the operator has written.
    """

    home: Home
    signer: Signer
    tools: Mapping[str, Manifest]
    trusted: tuple[HostPath, ...] = ()

    def reads_only(self, tool: str) -> bool:
        """Say whether a tool changes nothing, so that its call may be made again."""
        manifest = self.tools.get(tool)
        return manifest is not None and manifest.access in ("none", "read")


async def resumed(place: Place, typed: str | None, workspace: Path, what: str) -> Conversation:
    """Return a session to go on with, held by this process as `what`; the caller lets go of it.

    `typed` begins its id; None: the newest of `workspace`.
    Raises SessionError, StoreError, JournalError.
    """
    from capbox.store.runs import open_runs

    async with open_runs(place.home.state / "runs.db") as store:
        session = await chosen(store.sessions, typed, workspace)
        with ExitStack() as stack:
            held = hold(locks(place.home.state), session.id, what)
            stack.callback(held.release)
            found = await _read(place, store, session, held)
            stack.pop_all()
            return found


async def read_again(place: Place, talk: Conversation) -> Conversation:
    """Return a session that this process holds as it is now. Raises as `resumed` does."""
    from capbox.store.runs import open_runs

    async with open_runs(place.home.state / "runs.db") as store:
        session = await chosen(store.sessions, talk.id, Path(talk.workspace))
        return await _read(place, store, session, talk.held)


async def _read(place: Place, store: RunStore, session: StoredSession, held: Hold) -> Conversation:
    said = await store.sessions.messages(session.id)
    journal = place.home.state / "journal"
    # Of a long session that is a second of work on some machines, which others need not wait for.
    runs = await to_thread.run_sync(runs_on_record, journal, place.signer, session.id)
    strange = [run.workspace for run in runs if run.workspace != session.workspace]
    if strange:
        raise SessionError(
            session.id, f"by its record it is of {strange[0]}: the store was changed"
        )
    back = restored(runs, time.time())
    history = [one.message for one in said]
    # What a fork began with was said in runs of another session, which has labels too.
    own = {run.id for run in runs}
    others = sorted({one.run for one in said} - own)
    read = set(back.sources) | _sources_of(place, others) | _sources(said)
    last = history[-1] if history else None
    words = last.text if isinstance(last, UserMessage) else None
    asked = await _asked(store, session, said)
    if asked and asked != words:
        words = None
    return Conversation(
        id=session.id,
        held=held,
        new=False,
        after=runs[-1].id if runs else "",
        history=tuple(history if words is None else history[:-1]),
        unanswered=words,
        left=await _left(place, store, runs, said),
        restored=back,
        sources=frozenset(_source(text, session.workspace, place.trusted) for text in read),
        notes=tuple(f"{text} does not come back: {why}" for text, why in back.dropped),
        asked=asked,
        workspace=session.workspace,
        model=session.model,
    )


async def _asked(store: RunStore, session: StoredSession, said: Sequence[StoredMessage]) -> str:
    """Return the task of the last run, if it ended before that was said."""
    runs = await store.sessions.runs(session.id)
    last = await store.get(runs[-1]) if runs else None
    spoken = {one.run for one in said if isinstance(one.message, UserMessage)}
    return "" if last is None or last.id in spoken or last.task == GO_ON else last.task


async def _left(
    place: Place, store: RunStore, runs: Sequence[RunOnRecord], said: Sequence[StoredMessage]
) -> tuple[Open, ...]:
    history = [one.message for one in said]
    if not open_calls(history):
        return ()
    asked = next(one.run for one in reversed(said) if not isinstance(one.message, ToolMessage))
    run = next((one for one in runs if one.id == asked), None)
    events = [] if run is None else await _finished(store, run.id)
    left = settled(history, run, events, place.reads_only)
    for later in runs[runs.index(run) + 1 :] if run is not None else ():
        done = [
            one.message.call_id
            for one in said
            if one.run == later.id and isinstance(one.message, ToolMessage)
        ]
        events = await _finished(store, later.id)
        left = settled_since(left, later, done, events, place.reads_only)
    return left


async def _finished(store: RunStore, run: str) -> list[JsonObject]:
    """Return the results that the store has of a run's calls, as events, in order."""
    found: list[JsonObject] = []
    after = -1
    while page := await store.events(run, after=after, limit=_EVENTS_PAGE):
        found += [one.event for one in page if one.event.get("type") == "tool_finished"]
        after = page[-1].seq
    return found


def settings_with(
    settings: Settings,
    back: Restored,
    shipped: Mapping[str, object],
    fits: Callable[[Settings], object],
    own: Mapping[str, object] | None = None,
) -> tuple[Settings, tuple[str, ...]]:
    """Return `settings` with what comes back, and a line for each grant that cannot.

    What `settings` say already is a person's own, and comes besides. `fits` raises SettingsError
    for settings that would mint nothing: a grant of which the file is gone, or that a rule of now
    forbids. `shipped` are capbox's tools, `own` the functions of the embedding program, by name.
    """
    alone = replace(settings, grants=(), reads=(), writes=(), maps=(), env=(), preset="none")
    alone = replace(alone, fetches=(), secrets=())
    notes: list[str] = []
    grants: list[str] = []
    for text in back.grants:
        problem = _problem(text, replace(alone, grants=(text,)), fits)
        if problem is None:
            grants.append(text)
        else:
            notes.append(f"{text} does not come back: {problem}")
    functions = [name for name in back.tools or () if name in (own or {})]
    grants += [str(Grant("tool", NameSelector(name))) for name in functions]
    among = None
    if settings.tools is None and back.tools is not None:
        from capbox.tools.loop.offer import FURTHER, NAMES

        # Attack: a preset left tools out, and the run that goes on without it has them all.
        known = {*shipped, *NAMES, *FURTHER, *functions}
        among = tuple(name for name in back.tools if name in known)
    new = tuple(text for text in settings.grants if str(parse_grant(text)) not in grants)
    return replace(settings, grants=(*grants, *new), among=among), tuple(notes)


def _problem(text: str, settings: Settings, fits: Callable[[Settings], object]) -> str | None:
    grant = parse_grant(text)
    if isinstance(grant, GrantError):
        return grant.message
    try:
        fits(settings)
    except SettingsError as error:
        return error.reason
    return None


def known_by(place: Place, runs: Sequence[str]) -> set[str]:
    """Return what was in the prompts of runs, beside what their calls have read."""
    return _on_record(place, runs, known_of)


def _sources_of(place: Place, runs: Sequence[str]) -> set[str]:
    """Return what runs have read."""
    return _on_record(place, runs, lambda record: restored((record,), 0).sources)


def _on_record(
    place: Place, runs: Sequence[str], told: Callable[[RunOnRecord], Collection[str]]
) -> set[str]:
    """Return what records tell that are sound; of another, it may have been everything."""
    found: set[str] = set()
    for run in runs:
        try:
            found |= {*told(run_on_record(place.home.state / "journal", place.signer, run))}
        except JournalError:
            found |= {"workspace:*", "web:*", "secret:*"}
    return found


def _sources(said: Sequence[StoredMessage]) -> set[str]:
    labelled = (one.message for one in said)
    return {s for m in labelled if isinstance(m, ToolMessage | SummaryMessage) for s in m.sources}


def _source(text: str, workspace: str, trusted: Sequence[HostPath]) -> Source:
    """Return the source that was written as `text`; what cannot be read is a stranger's.

    What the operator trusts is what it trusts now. A secret's own origin is not in the text: what
    was read with it may go nowhere.
    """
    word, _, name = text.partition(":")
    kind = _KINDS.get(word, "web")
    if kind != "workspace":
        return Source(kind, name)
    host = joined(HostPath(workspace), below(name, WORKSPACE)) if under(name, WORKSPACE) else ""
    return Source(kind, name, trusted=bool(host) and any(under(host, one) for one in trusted))
