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
from math import inf
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
      day TEXT NOT NULL, resource TEXT NOT NULL, subject TEXT NOT NULL,
      amount REAL NOT NULL CHECK (amount >= 0 AND amount < 9e999),
      PRIMARY KEY (day, resource, subject)
    ) WITHOUT ROWID;""",
)
_WITHOUT = "; [budget.day] leaves nothing to spend until you move it away, and the day begins anew"
# A sum of what is taken and given back may end below zero by its last bit.
_ADD = """INSERT INTO used VALUES (?1, ?2, ?3, max(0, ?4))
ON CONFLICT DO UPDATE SET amount = max(0, amount + ?4)"""
# How many there are of what is distinct stands under "", so that nobody counts them again.
_ONCE = "INSERT OR IGNORE INTO used VALUES (?, ?, ?, 1)"
_SENSELESS = "a row of it makes no sense"
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

    def close(self) -> None:
        """Close the table."""
        self._table.close()

    def _date(self, database: sqlite3.Connection) -> str:
        today = datetime.fromtimestamp(self._now(), UTC).date().isoformat()
        last = str(database.execute("SELECT max(day) FROM used").fetchone()[0] or today)
        if datetime.fromisoformat(last).date().isoformat() != last:
            raise ValueError(_SENSELESS)
        # Attack: a clock that is set back a day has yesterday's budget again, or a new one.
        return max(today, last)


def _used(
    database: sqlite3.Connection, date: str, draws: Iterable[Draw]
) -> dict[tuple[str, str], float]:
    """Return what is on record of these and, of what is distinct, how many there are."""
    found: dict[tuple[str, str], float] = {}
    one = "SELECT amount FROM used WHERE day = ? AND resource = ? AND subject = ?"
    for draw in draws:
        for key in (draw.key, (draw.resource, ""))[: 1 + (draw.resource in DISTINCT)]:
            row = database.execute(one, (date, *key)).fetchone()
            if row is not None and not (isinstance(row[0], float) and 0 <= row[0] < inf):
                raise ValueError(_SENSELESS)
            found.update({} if row is None else {key: row[0]})
    return found


def _add(database: sqlite3.Connection, date: str, draws: Iterable[Draw]) -> None:
    oldest = datetime.fromisoformat(date).toordinal() - _DAYS_KEPT
    database.execute(
        "DELETE FROM used WHERE day < ?", (datetime.fromordinal(oldest).date().isoformat(),)
    )
    for draw in draws:
        if draw.resource not in DISTINCT:
            database.execute(_ADD, (date, *draw.key, draw.amount))
        elif database.execute(_ONCE, (date, *draw.key)).rowcount:
            database.execute(_ADD, (date, draw.resource, "", 1))
