"""`capbox usage`: sums of what is stored, as a table, a chart, JSON and CSV."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from capbox.engine.home import Home

ONE = {"text": "a", "usage": {"input_tokens": 100, "output_tokens": 10, "cache_read_tokens": 7}}


@pytest.fixture
def used(capbox: Callable, script: Callable, workspace: Path) -> None:
    """Two runs of one reply each."""
    for task in ("one", "two"):
        done = capbox("run", task, "--model", script(ONE), "--workspace", workspace)
        assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("by", "rows"), [("day", 1), ("model", 1), ("session", 2), ("run", 2), ("workspace", 1)]
)
def test_every_reply_is_counted_once(capbox: Callable, used: None, by: str, rows: int) -> None:
    found = capbox("usage", "--by", by, "--json").json
    assert len(found["rows"]) == rows
    total = found["total"]
    assert (total["runs"], total["replies"], total["input_tokens"]) == (2, 2, 200)
    assert (total["output_tokens"], total["cache_read_tokens"], total["unpriced"]) == (20, 14, 0)
    assert sum(one["input_tokens"] for one in found["rows"]) == 200


def test_a_table_has_a_total_and_a_chart(capbox: Callable, used: None) -> None:
    lines = capbox("usage").out.splitlines()
    assert lines[0].split()[:3] == ["day", "runs", "replies"]
    assert lines[2].split()[:5] == ["total", "2", "2", "200", "20"]
    assert lines[4] == "tokens"
    assert lines[5].endswith(" 234")


def test_csv_is_what_json_says(capbox: Callable, used: None) -> None:
    rows = list(csv.DictReader(capbox("usage", "--by", "run", "--csv").out.splitlines()))
    assert [row["input_tokens"] for row in rows] == ["100", "100"]
    assert capbox("usage", "--csv", "--json").code == 2


@pytest.mark.parametrize(
    ("since", "runs"), [("1h", 1), ("3d", 2), ("30m", 1), ("7", None), ("-1d", None), ("d", None)]
)
def test_only_what_is_not_older_counts(
    capbox: Callable, used: None, home: Home, since: str, runs: int | None
) -> None:
    with closing(sqlite3.connect(home.state / "runs.db")) as database:
        database.execute("UPDATE runs SET started_at = started_at - 90000 WHERE task = 'one'")
        older = "UPDATE events SET at = at - 90000 WHERE run IN"
        database.execute(f"{older} (SELECT id FROM runs WHERE task = 'one')")
        database.commit()
    done = capbox("usage", "--since", since, "--json")
    if runs is None:
        assert done.code == 2
    else:
        assert (done.json["total"]["runs"], done.json["total"]["replies"]) == (runs, runs)


def test_a_deleted_session_still_counts(capbox: Callable, used: None) -> None:
    name = capbox("sessions", "list", "--json").json["sessions"][0]["id"]
    capbox("sessions", "delete", name, "--yes")
    assert capbox("usage", "--json").json["total"]["input_tokens"] == 200


def test_a_reply_without_a_price_is_named(capbox: Callable, used: None, home: Home) -> None:
    with closing(sqlite3.connect(home.state / "runs.db")) as database:
        database.execute("UPDATE events SET json = replace(json, '\"usd\":0.0', '\"usd\":null')")
        database.commit()
    done = capbox("usage")
    assert "2 replies have no known price" in done.err
    assert capbox("usage", "--json").json["total"]["unpriced"] == 2


def test_nothing_is_no_table(capbox: Callable) -> None:
    done = capbox("usage", "--since", "7d")
    assert (done.code, done.out, done.err) == (0, "", "no run is stored of the last 7d\n")
