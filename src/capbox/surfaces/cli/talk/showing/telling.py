"""A turn of a chat, told at a terminal as it happens.

Guarantees: a call is one line, with what it did and took, and is kept in full for `/show`; what
is not whole yet is seen above the prompt, neutralised. Does not: decide anything.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from capbox.agent import events, incidents
from capbox.agent.outcome import Completed, Refused, sentence, word
from capbox.messages import Denial, ToolCall, ToolResult
from capbox.surfaces.cli.denials import climbed, show_refusals
from capbox.surfaces.cli.narration import (
    call_line,
    changed,
    incident_line,
    main_argument,
    raised_by,
    used,
)
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.cli.talk.lines import told_lines
from capbox.surfaces.cli.talk.showing.blocks import Blocks
from capbox.surfaces.cli.talk.showing.status import Status, counted
from capbox.surfaces.sink import one_line, visible

if TYPE_CHECKING:
    from capbox.agent.report import Report

_CALLS_KEPT = 200
_TAIL_ROWS = 8
_TAIL_CHARACTERS = 2_000
_HINTS_MAX = 3
_EFFECTS_SHOWN = 2
_ACTIVE = "Ctrl-C stops it"


class Telling:
    """Tells the turns of one chat on `screen`; `redraw` is called when what is live has changed."""

    def __init__(self, screen: Screen, status: Status, redraw: Callable[[], None]) -> None:
        """Begin with nothing told."""
        self._screen = screen
        self._status = status
        self._redraw = redraw
        self._blocks = Blocks()
        self._streamed = False
        self._since: float | None = None
        self._running: list[ToolCall] = []
        self._climbed: list[Denial] = []
        self.calls: deque[tuple[int, ToolCall, ToolResult]] = deque(maxlen=_CALLS_KEPT)
        self._numbered = 0
        self._last = ""
        self.queued: list[str] = []

    def begin(self) -> None:
        """Show that a turn is under way."""
        self._since = time.monotonic()
        self._climbed, self._last = [], ""
        self._redraw()

    def tell(self, event: events.Event) -> None:
        """Show one event."""
        self._status.add(event)
        match event:
            case events.TextDelta(text):
                self._streamed = True
                self._show(self._blocks.feed(text))
            case events.ModelReply(message):
                if not self._streamed and message.text:
                    self._show(self._blocks.feed(message.text))
                self._streamed = False
                self._show(self._blocks.finish())
            case events.ToolStarted(call):
                self._running.append(call)
            case events.ToolFinished(call, result):
                self._running = [one for one in self._running if one.id != call.id]
                self._told(call, result)
            case events.Warned(message):
                self._say(f"note: {message}", "yellow")
            case events.LimitAsked(limit, granted):
                more = "more" if granted else "no more"
                self._say(f"{sentence(limit)}: {more}", "yellow")
            case incidents.ReplyTakenBack(reason):
                self._streamed = False
                self._show(self._blocks.finish())
                text = f"that reply broke off and does not count: {reason}"
                self._say(text, "yellow")
            case _:
                self._tell_incident(event)
        self._redraw()

    def _tell_incident(self, event: events.Event) -> None:
        if isinstance(event, incidents.Steered) and event.text in self.queued:
            self.queued.remove(event.text)
        line = incident_line(event)
        if line is not None:
            self._say(line, "yellow")

    def _show(self, text: str) -> None:
        if text.strip():
            self._apart("text")
            self._screen.markdown(text)

    def _apart(self, kind: str) -> None:
        """Leave a row empty between what is of another kind, and between parts of a text."""
        if kind == "text" or self._last != kind:
            self._screen.say("")
        self._last = kind

    def _say(self, text: str, style: str) -> None:
        self._apart("call")
        self._screen.say(text, style)

    def _told(self, call: ToolCall, result: ToolResult) -> None:
        self._numbered += 1
        self.calls.append((self._numbered, call, result))
        lines = told_lines(call, result)
        for line in lines or (folded(self._numbered, call, result, self._screen.columns - 1),):
            self._say(*line)
        self._climbed += climbed(call.arguments, result.denied)

    def sum_up(self, report: Report) -> None:
        """Show how a turn ended: what it was refused, why it stopped, what it used."""
        screen, finished = self._screen, report.finished
        self._show(self._blocks.finish())
        self._since, self._running, self._streamed = None, [], False
        self._apart("end")
        if report.denied:
            show_refusals(report.denied, screen, self._climbed)
            missing = (d.missing for d in report.denied if d not in self._climbed)
            for grant in list(dict.fromkeys(filter(None, missing)))[:_HINTS_MAX]:
                screen.say(f"to allow it: /grant {grant}", "bold")
        if finished is None:
            screen.say("interrupted", "red")
        else:
            self._sum_up(finished, report)
        screen.say("")
        self._redraw()

    def _sum_up(self, finished: events.RunFinished, report: Report) -> None:
        screen, outcome = self._screen, finished.outcome
        if not isinstance(outcome, Completed):
            screen.say(f"{word(outcome)}: {sentence(outcome)}", "bold red")
        flag = raised_by(outcome)
        if flag is not None:
            screen.say(f"a turn may take more with: capbox chat --resume last {flag}", "bold")
        if isinstance(outcome, Refused) and outcome.missing is not None:
            screen.say(f"to allow it: /grant {outcome.missing}", "bold")
        changes = counted(len(changed(report.effects)), "change")
        undo = f", {changes}: /diff, /undo" if changed(report.effects) else ""
        screen.say(f"{used(finished.spent)}{undo}", "dim")

    def live(self, columns: int) -> list[tuple[str, str]]:
        """Return the rows above the prompt: what is not whole yet, what works, what waits."""
        rows: list[tuple[str, str]] = []
        if self._since is not None:
            text = visible(self._blocks.tail[-_TAIL_CHARACTERS:])
            lines = text.expandtabs(4).rstrip().split("\n") if text.strip() else []
            rows += [(one, "live") for line in lines for one in cut(line, columns)][-_TAIL_ROWS:]
            rows.append((one_line(self._doing(), columns), "busy"))
        rows += [(one_line(f"waits: {one}", columns), "status") for one in self.queued[-3:]]
        return rows

    def _doing(self) -> str:
        since = self._since or 0.0
        seconds = int(time.monotonic() - since)
        what = "working"
        if self._running:
            call = self._running[0]
            more = f" and {len(self._running) - 1} more" if len(self._running) > 1 else ""
            what = f"{one_line(call.name, 30)} {main_argument(call)}".rstrip() + more
        return f"... {what}, {seconds} s; {_ACTIVE}"


def folded(number: int, call: ToolCall, result: ToolResult, columns: int) -> tuple[str, str]:
    """Return a call in one row: what, how it ended, what it took and did; and the row's style."""
    line, style = call_line(call, result)
    did = changed(result.effects)
    shown = [_did(one, main_argument(call)) for one in did[:_EFFECTS_SHOWN]]
    more = [f"{len(did) - _EFFECTS_SHOWN} more"] if len(did) > _EFFECTS_SHOWN else []
    requests = [one.request for one in result.effects if one.request is not None]
    asked = [f"{counted(len(requests), 'request')}"] if requests else []
    row = " · ".join((f"{number:>3} {line.strip()}", *shown, *more, *asked))
    return one_line_wide(row, columns), style


def _did(change: str, named: str) -> str:
    """Return a change without the path that the row names anyway."""
    action, _, rest = change.partition(" ")
    path, _, size = rest.strip().partition("  ")
    path = path.removeprefix("/workspace/")
    return " ".join(filter(None, (action, "" if path == named else path, size.strip())))


def one_line_wide(text: str, columns: int) -> str:
    """Return `text` cut to so many columns; a wide character takes two."""
    found = cut(text, columns)
    return found[0] if len(found) < 2 else cut(text, columns - 3)[0] + "..."


def cut(line: str, columns: int) -> list[str]:
    """Return a line as rows of at most so many columns."""
    from rich.cells import chop_cells

    return chop_cells(line, max(2, columns)) or [""]
