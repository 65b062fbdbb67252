"""The turns of a chat: one session, each message a run that goes on from the one before.

Guarantees: a turn holds what the one before held, less what was revoked, used up or has expired,
as `capbox resume` has it from the journal, and what the person gave since; the session stays held
by this process from the first turn to the last. Does not: show anything but what it is told to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import anyio
from anyio import to_thread

from capbox.agent.outcome import Cancelled
from capbox.agent.report import Report
from capbox.engine.runs.taking import named_as, take_back
from capbox.engine.settings import Settings, SettingsError
from capbox.messages import ToolFailure, ToolResult

if TYPE_CHECKING:
    from capbox.agent.events import Event
    from capbox.agent.loop import AskMore
    from capbox.engine.instructions.attaching import Attached
    from capbox.engine.instructions.reader import Reader
    from capbox.engine.local import LocalEngine
    from capbox.engine.runs.runs import UnderWay
    from capbox.engine.session import Session
    from capbox.engine.sessions.conversation import Conversation
    from capbox.gate.approver import Approver
    from capbox.models.model import Effort, Model
    from capbox.surfaces.cli.entry import Entry
    from capbox.tools.loop.person import AskPerson

NEXT: Final = "from the next turn on"
LENT: Final = "lent in this turn"
_STOPPED = "the person ended the turn before this call did; make it again only if they want it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Who is with a chat: who lends, who is asked for more, who answers; None: nobody."""

    approver: Approver | None = None
    ask_more: AskMore | None = None
    ask_user: AskPerson | None = None


@dataclass(slots=True, eq=False)
class Turns:
    """One session of a chat. `asked` is what a person asked for that is not on record yet.

    `model` works from the next turn on; `fallbacks` take over from it; `attached` goes with the
    first. `plans`: the next turn looks and plans only; `compacts`: it sums up first. `said` gets
    what a person should know.
    """

    entry: Entry
    engine: LocalEngine
    talk: Conversation
    asked: Settings
    model: Model
    company: Company
    said: Callable[[str], None]
    fallbacks: tuple[Model, ...] = ()
    effort: Effort | None = None
    attached: tuple[Attached, ...] = ()
    plans: bool = False
    compacts: bool = False
    session: Session | None = None
    last_run: str = ""
    undelivered: tuple[str, ...] = ()
    _first: Settings | None = None
    _reader: tuple[Conversation, Settings, Reader] | None = None

    def settings(self) -> tuple[Settings, tuple[str, ...]]:
        """Return what the next turn would hold, and a line for each grant that cannot come back.

        Raises SettingsError for what a person asked for and cannot have.
        """
        from capbox.engine.sessions.resuming import settings_with

        back = self.talk.restored
        settings, lost = settings_with(self.asked, back, self.engine.tools, self.entry.hold)
        self.entry.hold(settings)
        return settings, lost

    def grant(self, text: str) -> None:
        """Give one grant more, from the next turn on. Raises SettingsError if that cannot be."""
        before = self.asked
        self.asked = replace(before, grants=(*before.grants, text))
        try:
            self.settings()
        except SettingsError:
            self.asked = before
            raise

    async def turn(self, text: str, tell: Callable[[Event], None]) -> Report:
        """Give the model a message; returns what came of it. Raises SettingsError, StoreError."""
        report = Report()
        settings, lost = self.settings()
        for line in lost:
            self.said(line)
        company = self.company
        opened = self.entry.open_session(self.engine, settings, company.approver)
        self.undelivered = ()
        async with opened as session:
            session.companions.plans = self.plans
            run = session.run(
                text, self.model, ask_more=company.ask_more, ask_user=company.ask_user,
                conversation=self.talk, fallbacks=self.fallbacks, effort=self.effort,
                attached=self._attached(),
            )  # fmt: skip
            self.session = session
            try:
                async with run as stream:
                    self._begun(session)
                    async for event in stream:
                        report.add(event)
                        tell(event)
            finally:
                self.session = None
            self.plans = session.companions.planning
            self.undelivered = session.runs.undelivered
        self.last_run = report.run or self.last_run
        if report.run:  # else nothing of it is stored
            await self.read_again()
        if report.finished is None or isinstance(report.finished.outcome, Cancelled):
            self._drop_open_calls()
        return report

    def _drop_open_calls(self) -> None:
        """Have calls that a person stopped told as such, where a resume would make them again."""
        failure = ToolFailure("interrupted", _STOPPED)
        result = ToolResult(ok=False, content="", error=failure)
        left = (one if one.result else replace(one, result=result) for one in self.talk.left)
        self.talk = replace(self.talk, left=tuple(left))

    def _attached(self) -> tuple[Attached, ...]:
        """Return what goes beside the message, which is so of the first one alone."""
        if self.attached:
            from capbox.engine.instructions.attaching import left_out

            for line in left_out(self.attached, self.model):
                self.said(line)
        return self.attached

    def _begun(self, session: Session) -> None:
        """Take note that all that was asked for is on record, in the header of the run."""
        self._first = self._first or self.asked
        self.asked, self.attached = alone(self.asked), ()
        if self.compacts:
            session.runs.compact()
            self.compacts = False

    async def read_again(self) -> None:
        """Read what the session has become, and what of it comes back."""
        from capbox.engine.sessions.resuming import read_again

        place, talk = self.engine.sessions, self.talk
        # A long record takes a while to check, and somebody types meanwhile.
        self.talk = await to_thread.run_sync(lambda: anyio.run(read_again, place, talk))
        if self._first is not None:
            self.asked = self._kept(self._first, self.asked)

    def _kept(self, first: Settings, asked: Settings) -> Settings:
        """Return `asked` with the preset and the names that still stand for what is held.

        Attack: a grant is taken back, and the preset that once gave it gives it again.
        """
        kept = [one for one in first.maps if self._holds(replace(alone(first), maps=(one,)))]
        preset = replace(alone(first), preset=first.preset)
        named = first.preset if self._holds(preset) else "none"
        return replace(asked, maps=tuple(kept), preset=named)

    def _holds(self, settings: Settings) -> bool:
        """Say whether all that `settings` grant comes back."""
        try:
            minted = self.entry.hold(settings)[1](())
        except SettingsError:
            return False
        back = set(self.talk.restored.grants)
        return all(str(one.grant) in back for one in minted.grants)

    def interrupt(self) -> bool:
        """End the turn under way; False: there is none."""
        if self.session is None:
            return False
        self.session.interrupt()
        return True

    @property
    def has_begun(self) -> bool:
        """Say whether a turn of this chat is on record."""
        return self._first is not None

    @property
    def on_record(self) -> bool:
        """Say whether there is anything to go on with."""
        return self.has_begun or not self.talk.new

    def steer(self, text: str) -> bool:
        """Say something to the turn under way; False: there is none that would read it."""
        return self.session is not None and self.session.runs.steer(text)

    def reader(self) -> Reader | None:
        """Return what reads the workspace as the next turn may; None where nothing can."""
        from capbox.surfaces.cli.commands.words.chosen import reader_of

        known = self._reader
        if known is None or known[:2] != (self.talk, self.asked):
            try:
                found = reader_of(self.entry, self.settings()[0])
            except SettingsError:
                return None
            self._reader = known = (self.talk, self.asked, found)
        return known[2]

    def holding(self) -> Sequence[tuple[str, str]]:
        """Return each grant that is held, and how: by the turn under way, else by the next one.

        In one order before, during and after a turn, so that a number stays that of its grant.
        """
        granted, leases = self._held()
        kept = {text for _, text in self.always()}
        rows = [(text, "granted") for text in granted]
        rows += [(text, NEXT) for text in self._asked_texts() if text not in granted]
        return [*rows, *((text, term) for text, term in leases if text not in kept)]

    def _held(self) -> tuple[Sequence[str], Sequence[tuple[str, str]]]:
        from capbox.engine.runs.taking import held_now

        back = self.talk.restored
        if (run := self._run()) is None:
            return back.grants, back.leases
        granted, lent = held_now(run.seat, self.engine.standing())
        terms = dict(back.leases)
        return granted, [(text, terms.get(text, LENT)) for text in lent]

    def _run(self) -> UnderWay | None:
        """Return the run of the turn under way, once it is on record."""
        runs = () if self.session is None else self.session.runs.open
        return runs[-1] if runs else None

    def always(self) -> Sequence[tuple[str, str]]:
        """Return the id and the text of each grant that is lent in every turn here."""
        from capbox.engine.stored.lending import lent_always

        run = self._run()
        asked = self.asked
        lent = self.company.approver or asked.policy is not None or asked.preset == "auto"
        if not lent if run is None else run.seat.ceiling is None:
            return ()
        try:
            layout = self.entry.hold(asked)[0] if run is None else run.seat.layout
        except SettingsError:
            return ()
        return lent_always(self.engine.home.grants, layout, self.engine.tools)

    def end_leases(self, text: str) -> None:
        """Take from the turn under way what was lent to it as `text`."""
        run = self._run()
        for lease in () if run is None else run.seat.leases:
            if any(str(one.grant) == text for one in lease.grants):
                self.engine.register.revoke(lease.id, "by the principal")

    async def take_back(self, text: str) -> str:
        """Take one grant back, at once; returns what to add to the word that it is revoked.

        On record first, in the run under way or in one of its own, so that no resume has it again.
        Raises SettingsError, JournalError.
        """
        if text in self._asked_texts():
            self._unask(text)
        if self.session is not None:
            stopped = [
                tool
                for run in self.session.runs.open
                for name in named_as(run.seat, text)
                for tool in self.engine.register.revoke(name, "by the principal").calls
            ]
            return f"; stopped: {', '.join(stopped)}" if stopped else ""
        if not self.talk.new and any(one == text for one, _ in self.holding()):
            settings, _ = self.settings()
            opened = self.entry.open_session(self.engine, settings, self.company.approver)
            async with opened as session:
                take_back(self.engine, session, self.talk, self.model, text)
            await self.read_again()
        return ""

    def _unask(self, text: str) -> None:
        from capbox.surfaces.cli.commands.words.chosen import there_for

        before, texts = self.asked, [one for one in self._asked_texts() if one != text]
        tools = there_for(self.entry, before)[0] if before.tools is None else before.tools
        kept = replace(alone(before), grants=tuple(texts), tools=tools)
        maps = tuple(one for one in before.maps if self._covered(one, kept))
        self.asked = replace(kept, maps=maps)

    def _covered(self, one: str, kept: Settings) -> bool:
        minted = self.entry.hold(replace(alone(kept), maps=(one,)))[1](())
        return all(str(grant.grant) in kept.grants for grant in minted.grants)

    def _asked_texts(self) -> tuple[str, ...]:
        try:
            minted = self.entry.hold(self.asked)[1](())
        except SettingsError:
            return self.asked.grants
        return tuple(str(one.grant) for one in minted.grants)


def alone(settings: Settings) -> Settings:
    """Return `settings` without what they grant."""
    bare = replace(settings, grants=(), reads=(), writes=(), maps=(), env=())
    return replace(bare, fetches=(), secrets=(), preset="none")
