"""A session as a run goes on with it: what was said, what is open, what comes back.

Guarantees: one that is new has a random id and holds nothing. Does not: read the store or the
journal (see `resuming`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from capbox.authority.values.label import NOTHING, Sources
from capbox.engine.sessions.holder import Hold, hold
from capbox.engine.sessions.pending import Open
from capbox.engine.sessions.restored import Restored
from capbox.messages import Message, UserMessage
from capbox.store.names import session_id


@dataclass(frozen=True, slots=True)
class Conversation:
    """One session, held by this process.

    `after` is the run that it goes on from, "" for the first one. `history` is what was said;
    `unanswered` the words of the person after it, to which no reply came. `left` are the calls of
    the history without a result. `restored` is what comes back of its authority, `sources` what it
    knows, `notes` what the person should be told. `asked` is the task of a
    run that ended before it was said; `workspace` and `model` are those of its start.
    """

    id: str
    held: Hold
    new: bool = True
    after: str = ""
    history: tuple[Message, ...] = ()
    unanswered: str | None = None
    left: tuple[Open, ...] = ()
    restored: Restored = field(default_factory=Restored)
    sources: Sources = NOTHING
    notes: tuple[str, ...] = ()
    asked: str = ""
    workspace: str = ""
    model: str = ""

    @property
    def link(self) -> tuple[str, ...]:
        """Return what the header of its next run says."""
        return (self.id, self.after) if self.after else (self.id,)

    def before(self, task: str) -> tuple[Message, ...]:
        """Return what was said before `task`, which may be what nobody has answered yet."""
        if self.unanswered is None or self.unanswered == task:
            return self.history
        return (*self.history, UserMessage(self.unanswered))


def begun(state: Path, what: str, entropy: Callable[[int], bytes] = os.urandom) -> Conversation:
    """Return a new session, held by this process. Raises SessionError or StoreError."""
    name = session_id(entropy(10))
    return Conversation(name, hold(locks(state), name, what))


def locks(state: Path) -> Path:
    """Return the directory of the files by which sessions are held."""
    return state / "sessions"
