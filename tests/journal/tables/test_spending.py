"""The account of a day: one for all processes, kept whatever happens, renewed by the date alone."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from capbox.authority.values.draws import Draw, Overspent
from capbox.journal.errors import JournalError
from capbox.journal.tables.spending import Day

NOON, DAY = 1_800_000_000.0, 86_400.0
CALL = Draw("calls")
RACE = """
import sys
from pathlib import Path
from capbox.authority.values.draws import Draw
from capbox.journal.tables.spending import Day
sys.stdin.readline()
day = Day(Path(sys.argv[1]), {"calls": 30}, lambda: 1_800_000_000.0)
print(sum(isinstance(day.take([Draw("calls")]), str) for _ in range(20)))
"""
KILLED = """
import os, signal, sys
from pathlib import Path
from capbox.authority.values.draws import Draw
from capbox.journal.tables.spending import Day
day = Day(Path(sys.argv[1]), {"usd": 1.0}, lambda: 1_800_000_000.0)
day.take([Draw("usd", 0.75)])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spending.db"


def at(now: float) -> Callable[[], float]:
    return lambda: now


def test_processes_that_race_take_exactly_what_there_is(path: Path) -> None:
    command = [sys.executable, "-c", RACE, str(path)]
    racing = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for one in racing:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    assert sum(int(one.communicate(timeout=60)[0]) for one in racing) == 30


def test_what_a_killed_process_took_is_spent(path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    day = Day(path, {"usd": 1.0}, at(NOON))
    assert day.used_of(Draw("usd")) == 0.75
    assert isinstance(day.take([Draw("usd", 0.5)]), Overspent)
    assert isinstance(day.take([Draw("usd", 0.25)]), str)


@pytest.mark.parametrize(
    ("later", "fits"), [(0.0, False), (-DAY, False), (-90 * DAY, False), (DAY, True)]
)
def test_a_new_day_has_a_new_budget_and_a_clock_that_is_set_back_none(
    path: Path, later: float, fits: bool
) -> None:
    first = Day(path, {"calls": 1}, at(NOON))
    assert first.take([CALL]) == "2027-01-15"
    first.close()
    taken = Day(path, {"calls": 1}, at(NOON + later)).take([CALL])
    assert isinstance(taken, str) is fits
    if isinstance(taken, Overspent):
        assert str(taken) == (
            "the budget of the day 2027-01-15 is used up: calls: 1 of 1 used; "
            "only a person can raise it: [budget.day] calls= in config.toml"
        )


def test_all_are_taken_or_none_and_distinct_ones_once(path: Path) -> None:
    day = Day(path, {"calls": 5, "sinks": 1}, at(NOON))
    assert isinstance(day.take([CALL, Draw("sinks", 1, "a")]), str)
    assert isinstance(day.take([CALL, Draw("sinks", 1, "a")]), str)
    assert isinstance(day.take([CALL, Draw("sinks", 1, "b")]), Overspent)
    assert [day.used_of(Draw(word)) for word in ("calls", "sinks")] == [2, 1]
    day.change(None, [Draw("sinks", 1, "a"), Draw("sinks", 1, "b"), Draw("sinks", 1, "b")])
    assert day.used_of(Draw("sinks")) == 2


def test_what_was_taken_is_settled_on_its_own_day(path: Path) -> None:
    now = NOON
    day = Day(path, {"usd": 1.0}, lambda: now)
    taken = day.take([Draw("usd", 0.75)])
    now += DAY
    assert isinstance(day.take([Draw("usd", 0.5)]), str) and isinstance(taken, str)
    day.change(taken, [Draw("usd", -0.5)])
    assert day.used_of(Draw("usd")) == 0.5


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to be looked at" * 40])
def test_a_table_that_cannot_be_read_is_kept_and_nothing_can_be_spent(
    path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(JournalError, match="left as it is"):
            Day(path, {"calls": 1}, at(NOON)).take([CALL])
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "damage",
    [
        "day = 'not a day'",
        "day = '20270115'",
        "day = x'00'",
        "amount = 'abc'",
        "amount = -1000",
        "amount = 9e999",
        "amount = x'00'",
    ],
)
def test_a_row_that_makes_no_sense_leaves_nothing_to_spend(path: Path, damage: str) -> None:
    """Attack: whoever damages one number has the day anew, or a traceback for ever."""
    day = Day(path, {"calls": 2}, at(NOON))
    day.take([CALL])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(f"UPDATE used SET {damage}")
    for tried in (lambda: day.take([CALL]), lambda: day.used_of(CALL)):
        with pytest.raises(JournalError, match=r"left as it is.*move it away, and the day begins"):
            tried()


@pytest.mark.parametrize("amount", [10**400, float("nan"), float("inf")])
def test_an_amount_that_is_no_number_is_not_taken(path: Path, amount: float) -> None:
    day = Day(path, {"usd": 1}, at(NOON))
    taken = day.take([Draw("usd", 0.5)])
    assert isinstance(taken, str)
    with pytest.raises(JournalError):
        day.change(taken, [Draw("usd", amount)])
    assert day.used_of(Draw("usd")) == 0.5


def test_what_is_given_back_is_never_more_than_was_taken(path: Path) -> None:
    day = Day(path, {"usd": 1}, at(NOON))
    day.take([Draw("usd", 0.1)])
    day.change(None, [Draw("usd", -0.3)])
    assert day.used_of(Draw("usd")) == 0


def test_a_table_of_another_program_or_behind_a_link_is_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE used (day, resource, subject, amount)")
    other.commit()
    other.close()
    with pytest.raises(JournalError, match="not a table of spending"):
        Day(path, {"calls": 1}, at(NOON)).take([CALL])
    path.unlink()
    os.symlink(path.with_name("elsewhere"), path)
    with pytest.raises(JournalError):
        Day(path, {"calls": 1}, at(NOON)).take([CALL])
    assert not path.with_name("elsewhere").exists()
