"""The runs of this process that are under way: what each does, and how it is ended from elsewhere.

Guarantees: a revocation is in the journal of every run that it concerns before anything is stopped,
and a journal that cannot be written does not keep what was revoked alive. Does not: listen to
anybody (see `server`), or decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capbox.authority.decision import AuthorityId, GrantId, Standing
from capbox.gate.gate import Gate
from capbox.gate.seat import Seat
from capbox.journal.errors import JournalError
from capbox.journal.event import Decided

if TYPE_CHECKING:
    from capbox.engine.approvers.queue import QueueApprover


def _nothing() -> None:
    """End nothing: there is no loop behind direct calls."""


@dataclass(slots=True, eq=False)
class RunUnderWay:
    """One open run: `what` it is for, `calling` the tools that work right now, by call.

    `board` is where its questions can be answered, `end` interrupts the loop behind it, if any.
    """

    seat: Seat
    what: str
    started: float
    board: QueueApprover | None = None
    end: Callable[[], None] = _nothing
    let_go: Callable[[], None] = _nothing  # of what only one run can hold
    turns: int = 0
    calls: int = 0
    calling: dict[object, str] = field(default_factory=dict)

    @contextmanager
    def call(self, tool: str) -> Iterator[None]:
        """Count a call, and list it while it lasts."""
        self.calls += 1
        key = object()
        self.calling[key] = tool
        try:
            yield
        finally:
            del self.calling[key]

    def at_work(self) -> tuple[str, ...]:
        """Return the tools of `calling`, and which of them only wait for an answer."""
        asked = () if self.board is None else self.board.pending()
        waiting = [q.request.tool for q in asked if q.request.run == self.seat.run]
        found: list[str] = []
        for tool in self.calling.values():
            waits = tool in waiting
            if waits:
                waiting.remove(tool)
            found.append(f"{tool} (it waited for an answer)" if waits else tool)
        return tuple(found)

    def rests_on(self, name: AuthorityId | GrantId) -> bool:
        """Say whether anything that this run holds, or may be lent, is or descends from `name`."""
        seat = self.seat
        ceiling = () if seat.ceiling is None else (seat.ceiling,)
        # A lease for one call is held by that call alone; its name begins with the run's.
        return name.startswith(f"{seat.run}/") or any(
            one.rests_on(name) for one in (seat.authority, *seat.leases, *ceiling)
        )


@dataclass(frozen=True, slots=True)
class Revoked:
    """What a revocation ended: runs that it concerned, and the tools that were at work in them."""

    runs: tuple[str, ...]
    calls: tuple[str, ...]


class Register:
    """The open runs of one process."""

    def __init__(self, gate: Gate, standing: Callable[[], Standing]) -> None:
        """Start with none; `standing` is what the gate decides by."""
        self._gate = gate
        self.standing = standing
        self._runs: dict[str, RunUnderWay] = {}

    def __iter__(self) -> Iterator[RunUnderWay]:
        """Iterate over the open runs, the oldest first."""
        return iter(tuple(self._runs.values()))

    def add(self, entry: RunUnderWay) -> None:
        """List a run that was opened."""
        self._runs[entry.seat.run] = entry

    def remove(self, run: str) -> None:
        """Forget a run that ended."""
        self._runs.pop(run, None)

    def revoke_run(self, run: str, by: str) -> Revoked | None:
        """End a whole run: all that it holds, and whatever still works for it. None: no such."""
        entry = self._runs.get(run)
        if entry is None:
            return None
        seat, calls = entry.seat, entry.at_work()
        ended = (seat.authority.id, *(lease.id for lease in seat.leases))
        seat.ceiling = None  # nor is anything lent to it from now on
        for name in ended:
            _record(seat, name, by)
        for name in ended:
            self._gate.revoke(name)
        if entry.board is not None:
            entry.board.withdraw(run)
        entry.end()
        return Revoked((run,), calls)

    def revoke(self, name: AuthorityId | GrantId, by: str) -> Revoked:
        """End an authority or one grant, with all that descends from it, in every run."""
        concerned = [entry for entry in self if entry.rests_on(name)]
        calls = tuple(tool for entry in concerned for tool in entry.at_work())
        for entry in concerned:
            _record(entry.seat, name, by)
        self._gate.revoke(name)
        return Revoked(tuple(entry.seat.run for entry in concerned), calls)


def _record(seat: Seat, name: str, by: str) -> None:
    # A journal that cannot be written ends its run by itself.
    with suppress(JournalError):
        seat.journal.append(Decided("revocation", name, by, authority=name))
