"""Where a replayed run sits: the authorities that it held, its answers, and a journal in memory.

Guarantees: an authority here decides, and opens nothing: what runs under it sees a copied tree and
no network. Does not: mint one; the composition root hands them in, a lease comes from the ceiling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from capbox.authority.access import ReadAccess
from capbox.authority.authority import Authority, FileRight
from capbox.authority.decision import AuthorityId, GrantId, Standing
from capbox.authority.holding import Holding
from capbox.authority.paths import HostPath, under
from capbox.engine.replay.answering import RecordedApprover
from capbox.engine.replay.opening import grant_of
from capbox.engine.replay.recorded import Run, texts
from capbox.engine.replay.runner import ReplayRunner
from capbox.engine.stored.places import names
from capbox.gate.approver import AskRequest
from capbox.gate.rights.files import host_path
from capbox.gate.rights.labels import Context
from capbox.gate.runner import Tool
from capbox.gate.seat import Seat
from capbox.journal.event import Event, RunId
from capbox.journal.log import RunJournal
from capbox.messages import Json
from capbox.sandbox.spec import Module


class Notes(RunJournal):
    """The journal of a replay: in memory, under the run's own name."""

    def __init__(self, run: RunId) -> None:
        """Start empty."""
        self.run = run
        self.events: list[Event] = []

    @property
    def entries(self) -> int:
        """Return how many entries there are."""
        return len(self.events)

    def append(self, event: Event) -> int:
        """Keep one event."""
        self.events.append(event)
        return len(self.events) - 1


@dataclass(frozen=True, slots=True)
class Holder:
    """What `run` held: its own `authority` and the `ceiling` of what could be lent, minted anew.

    `stores` is where tools keep what lasts.
    """

    run: Run
    authority: Authority
    ceiling: Authority | None
    stores: Path

    def seat(
        self, notes: Notes, runner: ReplayRunner, scratch: Path, at: Callable[[Json], None]
    ) -> Seat:
        """Return the seat of the replay; `at` is told the time of each answer."""
        opening = self.run.opening

        def remembered(request: AskRequest, _lease: GrantId) -> str | None:
            """Say what the record says of an approval for always: why it was not kept, if so."""
            told = (c for _, c in runner.call.entries if c.get("what") == "denial")
            kept = (c for c in told if str(c.get("subject")) == f"always {request.grant}")
            return next((str(c.get("result")) for c in kept), None)

        # They are named alone: a call that had one is not executed (see `playing`).
        stores = names(self.stores, HostPath(opening.layout.workspace))
        lent = (self._lent(name, *map(str, grants)) for name, grants in opening.leases)
        return Seat(
            authority=self.authority,
            layout=opening.layout,
            scratch=HostPath(str(scratch)),
            journal=notes,
            ceiling=self.ceiling,
            approver=RecordedApprover(self.run.answers, at),
            environment=dict.fromkeys(self._variables(), ""),
            functions={
                name: Tool(manifest, Module(HostPath(""), digest), digest, runner)
                for name, (manifest, digest) in opening.functions.items()
            },
            grounds=opening.grounds,
            leases=tuple(one for one in lent if one is not None),
            remember=remembered,
            stores=stores,
            context=Context(opening.trusted, sources=opening.sources),
        )

    def rights(self) -> tuple[FileRight, ...]:
        """Return every file right that the run ever had."""
        lent = [self._lent(AuthorityId("lent"), one) for one in self.run.leases]
        held = Holding((self.authority, *(one for one in lent if one is not None)))
        return held.file_rights(Standing(0.0))

    def roots(self) -> list[str]:
        """Return the host paths that these rights are about."""
        layout = self.run.opening.layout
        return sorted({host_path(right.path, layout) for right in self.rights()})

    def readable(self) -> Callable[[str], bool]:
        """Return what says whether the run could read a host path, or what is below it."""
        rights, layout = self.rights(), self.run.opening.layout

        def judged(host: str) -> bool:
            path = layout.canonical(host)
            return any(
                under(right.path, path)
                or (under(path, right.path) and right.refusal(ReadAccess(path)) is None)
                for right in rights
            )

        return judged

    def _lent(self, name: AuthorityId, *grants: str) -> Authority | None:
        if self.ceiling is None:
            return None
        now = self.run.started
        lease = self.ceiling.attenuate(map(grant_of, grants), id=name, now=now)
        return lease if isinstance(lease, Authority) else None

    def _variables(self) -> set[str]:
        """Return the variables that any call of the run saw; their values are not kept."""
        rights = (r for call in self.run.calls for r in texts(call.of("intent").get("rights")))
        return {right.removeprefix("env ") for right in rights if right.startswith("env ")}
