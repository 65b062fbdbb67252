"""The sessions of an embedding program: which one a run of a box is of.

Guarantees: a box goes on with the sessions that it began, and with the one that it was opened for,
whose authority came back from the journal; with no other, whatever its id. One run at a time works
in a session. Does not: mint, run, or forget what was said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from capbox.engine.sessions.conversation import Conversation, begun
from capbox.engine.sessions.errors import SessionError
from capbox.engine.settings import Settings, SettingsError

if TYPE_CHECKING:
    from capbox.engine.sessions.resuming import Place

NEWEST: Final = "last"
_WHO: Final = "a program"


class Talks:
    """Those of one open box."""

    def __init__(self, place: Place) -> None:
        """Begin with none; sessions are at `place`."""
        self.notes: tuple[str, ...] = ()
        self._place = place
        self._began: list[str] = []
        self._held: Conversation | None = None  # what the box was opened to go on with
        self._busy = False

    @property
    def store(self) -> Path:
        """Return the file that sessions are stored in."""
        return self._place.home.state / "runs.db"

    @property
    def last(self) -> str | None:
        """Return the session of the run that began last; None: no run did."""
        return self._began[-1] if self._began else None

    async def hold(
        self,
        typed: str,
        settings: Settings,
        fits: Callable[[Settings], object],
        own: Mapping[str, object],
    ) -> Settings:
        """Hold the session that `typed` begins (or `last`); return the settings of its runs.

        `fits` and `own` as in `settings_with`. Raises SessionError, SettingsError, and StoreError
        or JournalError where the record cannot be read.
        """
        from capbox.engine.sessions.resuming import resumed, settings_with

        named = None if typed == NEWEST else typed
        talk = await resumed(self._place, named, settings.workspace, _WHO)
        self._held, self._began = talk, [talk.id]
        place = Path(talk.workspace)
        if settings.workspace != Path() and settings.workspace.resolve() != place:
            reason = f"session {talk.id} is of {place}; a session keeps to its own"
            raise SettingsError("workspace", reason)
        placed = replace(settings, workspace=place, model=talk.model)
        back, lost = settings_with(placed, talk.restored, self._place.tools, fits, own)
        self.notes = (*talk.notes, *lost)
        return back

    def release(self) -> None:
        """Let go of what is held."""
        if self._held is not None:
            self._held.held.release()

    @asynccontextmanager
    async def talking(
        self, task: str, session: str | None, workspace: str
    ) -> AsyncIterator[Conversation]:
        """Yield what the next run goes on with: `session`, what is held, or a new one.

        Raises SessionError, and StoreError or JournalError.
        """
        if self._held is not None and session in (None, self._held.id):
            async with self._again(self._held) as talk:
                yield talk
            return
        talk = await self._own(task, session, workspace)
        try:
            yield talk
        finally:
            talk.held.release()

    async def _own(self, task: str, session: str | None, workspace: str) -> Conversation:
        from capbox.engine.sessions.resuming import resumed

        if session is None:
            talk = begun(self._place.home.state, task)
            self._began.append(talk.id)
            return talk
        if session not in self._began:
            # Attack: a session that held less is gone on with, under all that this box holds.
            reason = "no run of this box began it; to go on with it, open one: Box(resume=...)"
            raise SessionError(session, reason)
        return await resumed(self._place, session, Path(workspace), _WHO)

    @asynccontextmanager
    async def _again(self, held: Conversation) -> AsyncIterator[Conversation]:
        from capbox.engine.sessions.resuming import read_again

        if self._busy:
            raise SessionError(held.id, "another run of this box works in it", held=True)
        self._busy = True
        try:
            # A run of the box may have added to it.
            yield await read_again(self._place, held)
        finally:
            self._busy = False
