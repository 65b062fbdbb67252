"""A chat at a terminal: the prompt below, turns above it, both at work at once.

Guarantees: what is typed while a turn goes on is told to it, or is the next turn; the first Ctrl-C
ends the turn, and none begins by itself then; the second leaves. Does not: decide or show anything
by itself.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio

from capbox.engine.sessions.errors import SessionError
from capbox.engine.settings import SettingsError
from capbox.models.facts import facts_of
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.cli.talk.showing.status import Status
from capbox.surfaces.cli.talk.slash import Do, Say, Unclear, read_line
from capbox.surfaces.cli.talk.turns import NEXT
from capbox.surfaces.sink import visible

if TYPE_CHECKING:
    from anyio.abc import TaskGroup, TaskStatus

    from capbox.engine.instructions.reader import Reader
    from capbox.surfaces.cli.talk.deeds import Deeds
    from capbox.surfaces.cli.talk.prompt.editor import Editor
    from capbox.surfaces.cli.talk.showing.telling import Telling
    from capbox.surfaces.cli.talk.turns import Turns

INTERRUPTED = 130


@dataclass(slots=True, eq=False)
class Live:
    """One chat. `turns` and `deeds` are there once the engine is; until then messages wait."""

    screen: Screen
    status: Status
    telling: Telling
    editor: Editor
    turns: Turns | None = None
    deeds: Deeds | None = None
    code: int = 0
    _typed: list[str] = field(default_factory=list)
    _queue: list[str] = field(default_factory=list)
    _unsaid: list[str] = field(default_factory=list)  # of those, when the turn was stopped
    _news: anyio.Event = field(default_factory=anyio.Event)
    _words: anyio.Event = field(default_factory=anyio.Event)
    _stopping: bool = False
    _leaving: bool = False
    _scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    async def serve(self, opened: Callable[[Live], Awaitable[None]]) -> int:
        """Show the prompt, then call `opened`, which makes turns and waits for `work`."""
        with self._scope:
            async with anyio.create_task_group() as tasks:
                await tasks.start(self._prompt)
                await tasks.start(self._interrupts)
                tasks.start_soon(_warm)
                await opened(self)
                self.editor.stop()
                tasks.cancel_scope.cancel()
        return self.code

    async def work(self) -> None:
        """Do what is typed, one turn after the other, until somebody leaves."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen, tasks)
            while not self._leaving:
                while self._queue and not self._leaving:
                    await self._turn(self._queue.pop(0))
                if not self._leaving:
                    await self._news.wait()
                    self._news = anyio.Event()
            tasks.cancel_scope.cancel()

    def reader(self) -> Reader | None:
        """Return what reads the workspace as the next turn may; None until that is known."""
        return None if self.turns is None else self.turns.reader()

    def line(self, text: str) -> None:
        """Take what was typed."""
        self._typed.append(text)
        self._words.set()

    def interrupt(self, empty: bool = True) -> bool:
        """End the turn under way; the second time, or where none is and nothing is typed, leave.

        True: what is typed, and was not meant by that, stays.
        """
        if self.turns is not None and self.turns.session is not None:
            if self._stopping:
                self.leave(INTERRUPTED)
                self._scope.cancel()
                return True
            self._stopping = True
            self._unsaid, self._queue = self._queue, []
            # The turn ends, so nobody waits for an answer.
            self.screen.give_up()
            self.screen.say("interrupting; Ctrl-C once more leaves", "yellow")
            self.turns.interrupt()
            return True
        if empty:
            self.leave(INTERRUPTED)
            if self.turns is None:
                self._scope.cancel()
        return False

    def end(self) -> None:
        """Leave, unless a turn goes on."""
        if self.turns is not None and self.turns.session is not None:
            self.screen.say("the turn goes on; Ctrl-C stops it, /quit leaves", "yellow")
        else:
            self.leave(0)

    def leave(self, code: int) -> None:
        """End the chat, after the end of the turn under way, which is stopped."""
        self.code, self._leaving = code, True
        if self.turns is not None:
            self.turns.interrupt()
        self._news.set()
        self._words.set()

    def note(self) -> None:
        """Show what the next turn is."""
        turns, status = self.turns, self.status
        if turns is not None:
            status.model, status.window = turns.model.name, facts_of(turns.model).context_tokens
            holding = turns.holding()
            lent = sum(how not in ("granted", NEXT) for _, how in holding)
            status.grants, status.leases = len(holding) - lent, lent + len(turns.always())
            status.plans = turns.plans
        self.editor.redraw()

    async def _prompt(self, *, task_status: TaskStatus[None]) -> None:
        await self.editor.run(task_status=task_status)

    async def _listen(self, tasks: TaskGroup) -> None:
        while True:
            while self._typed:
                await self._do(self._typed.pop(0))
            await self._words.wait()
            self._words = anyio.Event()

    async def _do(self, text: str) -> None:
        read = read_line(text)
        self._echo(text)
        match read:
            case Say(words):
                if self.turns is not None and not self._stopping and self.turns.steer(words):
                    self.telling.queued.append(words)
                else:
                    self._queue.append(words)
                    self._news.set()
            case Do("quit"):
                self.leave(0)
            case Do() if self.deeds is not None:
                await self.deeds.do(read)
            case Unclear(reason):
                self.screen.say(reason, "red")
            case _:
                pass
        self.note()

    def _echo(self, text: str) -> None:
        first, *rest = visible(text.strip()).split("\n")
        self.screen.line(f"> {first}", "bold")
        for line in rest:
            self.screen.line(f"  {line}", "bold")

    async def _turn(self, text: str) -> None:
        turns = self.turns
        if turns is None:
            return
        self._stopping = False
        self.telling.begin()
        from capbox.agent.report import Report

        report = Report()
        try:
            report = await turns.turn(text, self.telling.tell)
        except (SettingsError, SessionError) as error:
            self.screen.say(f"capbox: {error}", "red")
        self.telling.queued.clear()
        self.telling.sum_up(report)
        self._go_on_with(turns.undelivered)
        turns.undelivered = ()
        self.note()

    def _go_on_with(self, undelivered: tuple[str, ...]) -> None:
        """Have what was typed while a turn worked, and nothing has read, be the next turn.

        After Ctrl-C it is not: who stops a turn wants none to begin. Then it is at the prompt.
        """
        unread = "\n\n".join((*undelivered, *self._unsaid))
        self._unsaid = []
        if unread and self._stopping:
            self.editor.put_back(unread)
            self.screen.say("what waited is at the prompt again; Enter sends it", "yellow")
        elif unread:
            self._queue.insert(0, unread)

    async def _interrupts(self, *, task_status: TaskStatus[None]) -> None:
        """Hear of Ctrl-C where no prompt takes it: at a question, or from another process."""
        with anyio.open_signal_receiver(signal.SIGINT) as signals:
            task_status.started()
            async for _ in signals:
                if self._leaving:
                    # Workers die with their parent, and the journal is an honest open prefix.
                    os._exit(INTERRUPTED)
                self.interrupt()


async def _warm() -> None:
    """Load what renders, while nobody waits for it."""
    from anyio import to_thread

    from capbox.surfaces.cli.talk.showing.rendering import rendered

    await to_thread.run_sync(rendered, "`x`", 80)
