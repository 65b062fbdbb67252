"""One run in a log: a JSON object a line, for each event and each decision.

    {"at": "2026-01-31T12:00:00.000000+00:00", "run": "...", "kind": "event", "type": "...", ...}

Guarantees: the values of secrets that the run has sent are taken out; what cannot be written is
said once, and ends the log, not the run. Does not: hold a model's deltas (each reply is there
whole), or stand for the record: that is the journal, which is signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

from capbox.agent.events import Event, TextDelta, ThinkingDelta
from capbox.engine.settings import SettingsError
from capbox.engine.telemetry.file import LogFile
from capbox.gate.seat import Seat
from capbox.journal.event import Decided, RunClosed
from capbox.journal.event import Event as Entry
from capbox.journal.log import RunJournal
from capbox.messages import Json


class RunLog:
    """Writes the run at `seat`; `now` returns seconds since 1970."""

    def __init__(self, file: LogFile, seat: Seat, now: Callable[[], float]) -> None:
        """Begin; what is decided from here on is written too."""
        self._file: LogFile | None = file
        self._seat, self._now = seat, now
        seat.journal = Overheard(seat.journal, self._decided)

    def tell(self, event: Event) -> None:
        """Write an event."""
        if not isinstance(event, TextDelta | ThinkingDelta):
            self._write({"kind": "event", **event.to_json()})

    def _decided(self, entry: Decided) -> None:
        self._write({"kind": "decision", **asdict(entry)})

    def _write(self, told: dict[str, Json]) -> None:
        if self._file is None:
            return
        at = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="microseconds")
        clean = self._seat.redactor.json({"at": at, "run": self._seat.run, **told})
        # ASCII: nothing in it that a terminal obeys, and no line end but the last.
        line = json.dumps(clean, ensure_ascii=True, default=list).replace("\x7f", "\\u007f")
        try:
            self._file.write(f"{line}\n".encode())
        except (OSError, SettingsError) as error:
            self._file = None
            self._seat.warnings.append(f"the log ends here: {error}")


class Overheard(RunJournal):
    """A run's journal, of whose decisions somebody hears once they are written."""

    def __init__(self, journal: RunJournal, heard: Callable[[Decided], None]) -> None:
        """Stand before `journal`."""
        self.run = journal.run
        self._journal, self._heard = journal, heard

    @property
    def entries(self) -> int:
        """Return how many entries there are."""
        return self._journal.entries

    def append(self, event: Entry) -> int:
        """Write one event. Raises JournalError."""
        number = self._journal.append(event)
        if isinstance(event, Decided):
            self._heard(event)
        return number

    def close(self, event: RunClosed) -> None:
        """Write the last entry. Raises JournalError."""
        self._journal.close(event)

    def sync(self) -> None:
        """Make all entries so far durable. Raises JournalError."""
        self._journal.sync()
