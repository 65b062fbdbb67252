"""A chat without a terminal: each line of standard input is a turn.

Guarantees: standard output holds the model's text, and what commands print; no escape codes; the
exit code is that of the last turn. Does not: ask anybody.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from capbox.agent import events
from capbox.agent.outcome import exit_code
from capbox.engine.settings import SettingsError
from capbox.messages import ToolCall, ToolResult
from capbox.surfaces.cli.failures import usage
from capbox.surfaces.cli.narration import Narration
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.cli.talk.showing.status import Status
from capbox.surfaces.cli.talk.slash import Do, Say, Unclear, read_line

if TYPE_CHECKING:
    from anyio.abc import TaskStatus

    from capbox.surfaces.cli.talk.deeds import Deeds
    from capbox.surfaces.cli.talk.turns import Turns

LINE_BYTES_MAX = 1 << 20
_PIECE_BYTES = 1 << 16
INTERRUPTED = 130


@dataclass(slots=True, eq=False)
class Piped:
    """One chat, line by line."""

    screen: Screen
    narration: Narration
    status: Status
    turns: Turns
    deeds: Deeds | None = None
    calls: list[tuple[int, ToolCall, ToolResult]] = field(default_factory=list)
    _stopped: bool = False

    async def serve(self) -> int:
        """Give each line to the model, or carry it out; returns the exit code."""
        code = 0
        async with anyio.create_task_group() as tasks:
            await tasks.start(self._interrupts, tasks.cancel_scope)
            async for text in _lines():
                match read_line(text):
                    case Say(words):
                        code = await self._turn(words)
                    case Do("quit"):
                        break
                    case Do() as do if self.deeds is not None:
                        await self.deeds.do(do)
                    case Unclear(reason):
                        self.screen.say(reason, "red")
                    case _:
                        pass
            tasks.cancel_scope.cancel()
            return code
        return INTERRUPTED

    async def _turn(self, text: str) -> int:
        self._stopped = False
        try:
            report = await self.turns.turn(text, self._tell)
        except SettingsError as error:
            self.screen.say(f"capbox: {error}", "red")
            return 2
        self.narration.sum_up(report)
        finished = report.finished
        return INTERRUPTED if finished is None else exit_code(finished.outcome)

    def _tell(self, event: events.Event) -> None:
        self.narration.tell(event)
        self.status.add(event)
        if isinstance(event, events.ToolFinished):
            self.calls.append((len(self.calls) + 1, event.call, event.result))

    async def _interrupts(self, scope: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
        """End the turn at the first Ctrl-C, and all at the second."""
        with anyio.open_signal_receiver(signal.SIGINT) as signals:
            task_status.started()
            async for _ in signals:
                if self._stopped or not self.turns.interrupt():
                    scope.cancel()
                else:
                    self._stopped = True
                    self.screen.say("interrupting; Ctrl-C once more ends everything", "yellow")


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise usage(
            f"standard input is not UTF-8 text (byte {error.start:,} of a line); an image or PDF "
            "goes by --attach FILE, any other file by --read FILE"
        ) from None


async def _lines() -> AsyncIterator[str]:
    """Yield the lines of standard input.

    A regular file cannot be waited for, so a thread reads; not by `sys.stdin`, whose lock a thread
    that is left behind would hold when Python ends.
    """
    waiting = b""
    while True:
        piece = await to_thread.run_sync(os.read, 0, _PIECE_BYTES, abandon_on_cancel=True)
        *whole, waiting = (waiting + piece).split(b"\n")
        for line in whole if piece else [waiting]:
            yield _decoded(line)
        if not piece:
            return
        if len(waiting) > LINE_BYTES_MAX:
            raise usage(f"a line of standard input is longer than {LINE_BYTES_MAX} bytes")
