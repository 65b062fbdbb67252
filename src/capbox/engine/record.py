"""Writes the events of a run to the store, and its turns to the journal, as they happen.

Guarantees: the run is in the store before its first event, and finished there when its last event
came; what is said is stored message by message, before anything is done because of it, a reply or a
result together with the event that tells of it; the journal is durable at the end of every turn,
and closed when the recording ends; a turn is that of the model which answered, a summary one like
any other. What cannot be recorded is kept as `failure`; the run is to end then. Does not: store
deltas (each reply is stored whole), or import the database library before the first run.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from capbox.agent import events
from capbox.agent.incidents import Compressed, CompressionFailed, FellBack
from capbox.agent.outcome import word
from capbox.engine.local import OpenRun
from capbox.engine.sessions.conversation import Conversation
from capbox.journal.errors import JournalError
from capbox.journal.event import TurnEnded
from capbox.journal.log import RunJournal
from capbox.messages import Message, Usage, UserMessage
from capbox.models.model import Stop
from capbox.store.errors import StoreError

if TYPE_CHECKING:
    from capbox.store.runs import RunStore


@asynccontextmanager
async def recording(
    opened: OpenRun, talk: Conversation, *, task: str, workspace: str, model: str
) -> AsyncIterator[Recorder]:
    """Store a run that begins, yield what takes its events, and close it in the journal.

    A session that is `new` begins with it.

    Raises StoreError when the database cannot be used.
    """
    from capbox.store.runs import StoredRun, open_runs
    from capbox.store.sessions import StoredSession

    outcome, journal = "interrupted", opened.seat.journal
    try:
        async with open_runs(opened.store) as store:
            now = time.time()
            if talk.new:
                begun = StoredSession(talk.id, task, workspace, model, created=now, updated=now)
                await store.sessions.begin(begun)
            run = StoredRun(journal.run, now, task, workspace, model, session=talk.id)
            await store.begin(run)
            recorder = Recorder(store, journal, model, talk, said=task == talk.unanswered)
            yield recorder
            outcome = recorder.outcome
    finally:
        opened.close(outcome)


class Recorder:
    """Takes the events of one run, in order; `outcome` is how it ended, in one word.

    `turn` is the number of the last turn that ended.
    """

    def __init__(
        self,
        store: RunStore,
        journal: RunJournal,
        model: str,
        talk: Conversation,
        *,
        said: bool = False,
    ) -> None:
        """Store into `talk`; `said`: the first message of the person is there already."""
        self._talk = talk
        self._said = said
        self._stored: Message | None = None  # with its event, before it joined the transcript
        self._store = store
        self._journal = journal
        self._model = model
        self.turn = 0
        self.outcome = "interrupted"
        self.failure: StoreError | JournalError | None = None

    async def record(self, event: events.Event) -> None:
        """Store one event, and make what its turn did durable; nothing after a `failure`."""
        if isinstance(event, events.TextDelta | events.ThinkingDelta) or self.failure is not None:
            return
        try:
            await self._store_event(event)
        except (StoreError, JournalError) as error:
            self.failure = error

    async def keep(self, message: Message) -> None:
        """Store what was said next; nothing after a `failure`."""
        if message is self._stored:
            self._stored = None
            return
        if self._said and isinstance(message, UserMessage):
            self._said = False
            return
        if self.failure is None:
            try:
                run, at = self._journal.run, time.time()
                await self._store.sessions.append(self._talk.id, run, message, at=at)
            except StoreError as error:
                self.failure = error

    async def _store_event(self, event: events.Event) -> None:
        after = _nothing
        match event:
            case events.ModelReply():
                after = self._end_turn(event.usage, event.usd, event.stop)
            case Compressed() | CompressionFailed() if event.usage.total:
                after = self._end_turn(event.usage, event.usd, "end")
            case FellBack():
                self._model = event.model
            case _:
                pass
        run, at, said = self._journal.run, time.time(), _said_with(event)
        saying = None if said is None else (self._talk.id, said)
        await self._store.append(run, event.to_json(), at=at, after=after, saying=saying)
        self._stored = said
        if isinstance(event, events.RunFinished):
            self.outcome = word(event.outcome)
            spent = event.spent
            await self._store.finish(
                self._journal.run,
                ended_at=time.time(),
                outcome=self.outcome,
                usage=spent.usage,
                usd=spent.usd,
            )

    def _end_turn(self, usage: Usage, usd: float | None, stop: Stop) -> Callable[[], None]:
        """Note the end of a turn, and return what makes the journal durable; that blocks."""
        self.turn += 1
        self._journal.append(TurnEnded(self.turn, self._model, usage, usd, stop))
        return self._journal.sync


def _said_with(event: events.Event) -> Message | None:
    """Return the message that joins the transcript right after an event: one transaction less."""
    match event:
        case events.ModelReply(message):
            return message
        case events.ToolFinished(message=said):
            return said
        case _:
            return None


def _nothing() -> None:
    """Make nothing durable: no turn has ended."""
