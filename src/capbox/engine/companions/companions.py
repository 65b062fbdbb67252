"""What a session puts beside each of its runs, as the operator and the program have set it up.

Guarantees: nothing here comes from inside a workspace. Does not: run anything by itself; a
`Companion` of each run does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from capbox.authority.paths import Layout
from capbox.authority.values.kinds import Value
from capbox.engine.companions.further import further
from capbox.engine.settings import Settings
from capbox.gate.runner import Tool
from capbox.gate.seat import Seat

if TYPE_CHECKING:
    from capbox.agent.limits.stopwatch import Stopwatch
    from capbox.engine.companions.companion import Companion
    from capbox.engine.grounding import Ground
    from capbox.engine.hooks.asking import Asking, Hold
    from capbox.engine.hooks.hook import Hook
    from capbox.engine.instructions.reader import Reader
    from capbox.engine.local import LocalEngine
    from capbox.engine.operator import Operator
    from capbox.engine.sessions.conversation import Conversation
    from capbox.engine.skills.shelf import Shelf
    from capbox.engine.telemetry.file import LogFile
    from capbox.engine.telemetry.tracing import Traced
    from capbox.tools.loop.person import AskPerson


@dataclass(slots=True, eq=False)
class Companions:
    """Makes the companion of each run. `plans`: a person's word on how the next one begins.

    True: by planning only; None: as the session ended. `planning`: the last one only plans.
    `hooks` are those of the program; the operator's are asked before them. `traced` makes the
    spans of runs (None: what the operator says).
    """

    engine: LocalEngine
    settings: Settings
    layout: Layout
    functions: Mapping[str, Tool]
    ground: Ground | None
    operator: Operator | None
    hold: Hold | None
    plans: bool | None = None
    planning: bool = False
    hooks: tuple[Hook, ...] = ()
    _asking: Asking | None = None
    traced: Traced | None = None
    _file: LogFile | None = None

    def begin(
        self, stopwatch: Stopwatch, ask_user: AskPerson | None, talk: Conversation | None = None
    ) -> Companion:
        """Return what goes beside one run; while `ask_user` waits its `stopwatch` stands still.

        The run goes on with `talk`, as far as planning goes. Raises SettingsError.
        """
        from capbox.engine.companions.companion import Companion
        from capbox.tools.loop.asking import Asking
        from capbox.tools.loop.finding import OFFERED_MAX, Finding
        from capbox.tools.loop.offer import LoopTools
        from capbox.tools.loop.person import Person
        from capbox.tools.loop.planning import Planning
        from capbox.tools.loop.waiting import Waiting

        planned = talk is not None and talk.restored.plans
        # Attack: a model that was told to plan has its process end, and acts in the next one.
        self.planning = self.planning or planned if self.plans is None else self.plans
        person = Person(ask_user, stopwatch.paused)
        many = len(self.functions) + len(self.engine.tools) > OFFERED_MAX
        loop = LoopTools(
            Asking(person, self._values),
            Planning(self.planning, self.operator is not None and self.operator.plans_alone),
            Waiting(self.settings.limits.wall_seconds, time.time),
            finding=Finding({}) if many else None,
            further=further(
                self.engine.home.state / "runs.db",
                self.layout.workspace,
                self._known,
                self._look,
                lambda: companion.seat,
            ),
        )
        companion = Companion(self.functions, self.engine.tools, loop, self._ended)
        companion.planned = planned
        companion.attend(self._asked(), self._every_hook)
        companion.log, companion.traced = self._logged(), self._traced()
        return companion

    def _known(self, runs: Sequence[str]) -> set[str]:
        from capbox.engine.sessions.resuming import known_by

        return known_by(self.engine.sessions, runs)

    def _look(self, seat: Seat) -> tuple[Shelf, Reader]:
        from capbox.engine.instructions.gathering import reader_at
        from capbox.engine.skills.shelf import shelf_of

        reader = reader_at(self.engine, seat)
        return shelf_of(self.engine.home.config, reader), reader

    def close(self) -> None:
        """Let go of what hooks have opened, and of the log."""
        if self._asking is not None:
            self._asking.close()
        if self._file is not None:
            self._file.close()
            self._file = None
        if self.traced is not None:
            self.traced.close()

    def _traced(self) -> Traced | None:
        """Return what makes spans, if anybody wants them. Raises SettingsError."""
        tracing = None if self.operator is None else self.operator.otel
        if self.traced is None and tracing is not None:
            from capbox.engine.telemetry.tracing import traced

            self.traced = traced(tracing)
        return self.traced

    def _logged(self) -> LogFile | None:
        """Return the log, if there is to be one. Raises SettingsError."""
        from capbox.engine.telemetry.file import LogFile, LogPlace

        place = None if self.operator is None else self.operator.log
        if self.settings.log is not None:
            path = Path(self.settings.log).absolute()
            place = LogPlace(path) if place is None else replace(place, path=path)
        if place is not None and self._file is None:
            self._file = LogFile(place, self.layout.workspace)
        return self._file

    @property
    def _every_hook(self) -> tuple[Hook, ...]:
        return (*(() if self.operator is None else self.operator.hooks), *self.hooks)

    def _asked(self) -> Asking | None:
        """Return what asks the hooks, if there are any. Raises SettingsError for one at fault."""
        if self._asking is None and self._every_hook:
            from capbox.engine.hooks.asking import Asking

            self._asking = Asking(self.engine, self.settings, self.hold)
            for hook in self._every_hook:
                self._asking.check(hook)
        return self._asking

    def _ended(self, planning: bool) -> None:
        self.planning = planning

    def _values(self, text: str) -> frozenset[Value]:
        """Return what `text` names beyond what is grounded in every run."""
        return frozenset() if self.ground is None else self.ground(text) - self.ground("")
