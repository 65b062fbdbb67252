"""What one call takes from its run's purse: a call and its time in advance, the rest as it happens.

Guarantees: a call that does not fit is refused before it is recorded as intended; what it may have
used counts as used, whatever ended it. Does not: bound one call by itself; `Limits` do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from anyio import current_time

from capbox.authority.access import ToolAccess
from capbox.authority.limits import Limits
from capbox.authority.values.arguments import Given
from capbox.authority.values.draws import Draw, Overspent, Sink, sent, sinks_of
from capbox.authority.web.places import FetchAccess
from capbox.gate.budget.purse import Purse, Reserved
from capbox.gate.manifest import Manifest
from capbox.journal.errors import JournalError
from capbox.messages import ToolFailure
from capbox.sandbox.effects import READ_ACTIONS
from capbox.sandbox.spec import Outcome, is_temporary

EXCEEDED, UNREADABLE = "budget_exceeded", "budget_unreadable"


@dataclass(frozen=True, slots=True)
class Charge:
    """What one call has taken; `seconds` is how long it may last, None: as long as its limits.

    `started` is when, on a clock that nobody sets back.
    """

    purse: Purse
    reserved: Reserved
    seconds: float | None
    started: float

    def within(self, limits: Limits) -> Limits:
        """Return `limits` with no more time than was taken."""
        if self.seconds is None:
            return limits
        return replace(limits, wall_seconds=min(limits.wall_seconds, self.seconds))

    def may_change(self, host: str) -> str:
        """Take a file that is about to be changed; return "", or why it may not be."""
        if not self.purse.bounds("files"):
            return ""
        try:
            return str(self.purse.spend(Draw("files", 1, host)) or "")
        except JournalError as error:
            return str(error)

    def ended(self, outcome: Outcome) -> None:
        """Give back the time that was not used. Raises JournalError."""
        if self.purse.bounds("files"):
            self.purse.note_changed(_changed(outcome))
        # Where nobody measured it, all that has passed may have been used.
        measured = outcome.spent.wall_ms / 1000 or current_time() - self.started
        self.reserved.settle(seconds=measured)


def charged(
    purse: Purse, manifest: Manifest, tool: ToolAccess, size: int, limits: Limits, *, nested: bool
) -> Charge | ToolFailure:
    """Take a call, its time and, for a function of the program, what it sends and to whom.

    Its arguments have `size` characters. The time of a `nested` one is taken already: it is part of
    the call whose guest waits for it.
    """
    try:
        left = None if nested else purse.left("seconds")
        seconds = None if left is None else min(left, limits.wall_seconds)
        draws = [Draw("calls"), *_sent(manifest, tool, size)]
        if seconds is not None:
            # No time left is no call, whatever it would take.
            draws.append(Draw("seconds", seconds or limits.wall_seconds))
        reserved = purse.reserve(*draws)
        if isinstance(reserved, Overspent):
            return ToolFailure(EXCEEDED, str(reserved))
        purse.warn(draw for draw in draws if draw.resource != "seconds")
    except JournalError as error:
        return ToolFailure(UNREADABLE, str(error))
    return Charge(purse, reserved, seconds, current_time())


def _changed(outcome: Outcome) -> Iterator[str]:
    """Yield the files that were changed, without replacements that came and went."""
    gone = {touched.path for touched in outcome.touched if touched.action == "delete"}
    for touched in outcome.touched:
        passing = is_temporary(touched.path) and touched.path in gone
        # What is no file has no path on this machine.
        if touched.host is not None and touched.action not in READ_ACTIONS and not passing:
            yield touched.host


def requested(access: FetchAccess, count: int) -> tuple[Draw, ...]:
    """Return what a request of `count` bytes takes."""
    return sent([Sink(f"web:{access.origin}")], count)


def _sent(manifest: Manifest, tool: ToolAccess, characters: int) -> tuple[Draw, ...]:
    """Return what a call of a function takes for those that it reaches.

    Attack: a receiver that is the function's default, or its body's own, is counted nowhere.
    """
    sends = manifest.access == "execute"
    if not manifest.is_function or not (sends or tool.arguments):
        return ()
    meant = {sink.argument: tuple(map(Given, sink.default)) for sink in manifest.sinks}
    named = sinks_of(replace(a, values=a.values or meant.get(a.name, ())) for a in tool.arguments)
    return sent(named or [Sink(f"function:{manifest.name}")] * sends, characters)
