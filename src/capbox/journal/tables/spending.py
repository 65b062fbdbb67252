"""What all runs of this user spent on one day: a table beside the journal, shared by processes.

Guarantees: draws are looked at and taken in one transaction (`BEGIN IMMEDIATE`), all or none, and
are on disk before anything happens, so a process that is killed has spent what it took; a clock
that is set back stays in the last day on record; a table that cannot be read is kept, and nothing
may be spent. Does not: renew anything but with the date, which is UTC's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from capbox.authority.budget import DISTINCT
from capbox.authority.values.draws import Draw, Overspent, overspent
from capbox.journal.tables.table import Format, Table

_DAYS_KEPT = 31
_FORMAT = Format(
    "a table of spending",
    application=0x63617064,  # "capd"
    version=1,
    tables="""CREATE TABLE used (
      day TEXT NOT NULL, resource TEXT NOT NULL, subject TEXT NOT NULL, amount REAL NOT NULL,
      PRIMARY KEY (day, resource, subject)
    ) WITHOUT ROWID;""",
)
_WITHOUT = "; while [budget.day] bounds anything, nothing can be spent without"
_ADD = """INSERT INTO used VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET amount = CASE WHEN ? THEN amount ELSE amount + excluded.amount END"""
_FLAG = "[budget.day] {}= in config.toml"


class Day:
    """The account of this day, with the operator's `bounds`; `now` is seconds since 1970 UTC."""

    def __init__(self, path: Path, bounds: Mapping[str, float], now: Callable[[], float]) -> None:
        """Use the table at `path`, made at the first draw."""
        self.bounds = bounds
        self._now = now
        self._table = Table(path, _FORMAT, _WITHOUT)

    @property
    def name(self) -> str:
        """Return what people call it."""
        return "the budget of the day"

    def take(self, draws: Iterable[Draw]) -> str | Overspent:
        """Take all draws that are bounded, or none; return the date. Raises JournalError."""
        bounded = [draw for draw in draws if draw.resource in self.bounds]
        with self._table.transaction() as database:
            date = self._date(database)
            found = overspent(self.bounds, _used(database, date, bounded), bounded)
            if found is not None:
                draw, used = found
                bound, flag = self.bounds[draw.resource], _FLAG.format(draw.resource)
                whose = f"{self.name} {date}"
                return Overspent(draw.resource, bound, used, draw.amount, whose, flag, draw.subject)
            _add(database, date, bounded)
        return date

    def change(self, date: str | None, draws: Iterable[Draw]) -> None:
        """Add to what was taken on `date` (None: today), or give back. Raises JournalError."""
        bounded = [draw for draw in draws if draw.resource in self.bounds and draw.amount]
        if bounded:
            with self._table.transaction() as database:
                _add(database, date or self._date(database), bounded)

    def used_of(self, draw: Draw) -> float:
        """Return what is used today of the bound that `draw` is on. Raises JournalError."""
        with self._table.transaction() as database:
            key = (draw.resource, "") if draw.resource in DISTINCT else draw.key
            return _used(database, self._date(database), [draw]).get(key, 0)

    def used(self) -> tuple[str, dict[tuple[str, str], float]]:
        """Return the date and all that is on record for it. Raises JournalError."""
        with self._table.transaction() as database:
            date = self._date(database)
            query = "SELECT resource, subject, amount FROM used WHERE day = ?"
            return date, {(r, s): a for r, s, a in database.execute(query, (date,))}

    def close(self) -> None:
        """Close the table."""
        self._table.close()

    def _date(self, database: sqlite3.Connection) -> str:
        today = datetime.fromtimestamp(self._now(), UTC).date().isoformat()
        last = database.execute("SELECT max(day) FROM used").fetchone()[0]
        # Attack: a clock that is set back a day has yesterday's budget again, or a new one.
        return max(today, last or today)


def _used(
    database: sqlite3.Connection, date: str, draws: Iterable[Draw]
) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    one = "SELECT amount FROM used WHERE day = ? AND resource = ? AND subject = ?"
    all_ = "SELECT count(*) FROM used WHERE day = ? AND resource = ?"
    for draw in draws:
        row = database.execute(one, (date, *draw.key)).fetchone()
        if row is not None:
            found[draw.key] = row[0]
        if draw.resource in DISTINCT:
            total = database.execute(all_, (date, draw.resource)).fetchone()[0]
            found[draw.resource, ""] = total
    return found


def _add(database: sqlite3.Connection, date: str, draws: Iterable[Draw]) -> None:
    oldest = datetime.fromisoformat(date).toordinal() - _DAYS_KEPT
    database.execute(
        "DELETE FROM used WHERE day < ?", (datetime.fromordinal(oldest).date().isoformat(),)
    )
    for draw in draws:
        row = (date, draw.resource, draw.subject, draw.amount, draw.resource in DISTINCT)
        database.execute(_ADD, row)
