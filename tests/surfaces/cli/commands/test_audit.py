"""`capbox audit`: the record of calls, shown, judged and exported."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.engine.home import Home


@pytest.fixture
def runs(capbox: Callable, workspace: Path) -> list[str]:
    """Two calls on record, the older one first: one that reads, one that is refused."""
    first = capbox("call", "read", "path=a.txt", "--read=.", "--workspace", workspace, "--json")
    second = capbox("call", "read", "path=a.txt", "--workspace", workspace, "--json")
    return [first.json["journal"], second.json["journal"]]


def test_nothing_on_record_is_said_and_makes_nothing(capbox: Callable, home: Home) -> None:
    assert capbox("audit", "list").err == "no run is on record yet\n"
    assert capbox("audit", "list", "--json").out == "[]\n"
    verified = capbox("audit", "verify")
    assert (verified.code, verified.out) == (0, "0 runs: 0 closed, 0 open, 0 broken\n")
    assert not home.state.exists()


def test_list_shows_runs_newest_first(capbox: Callable, runs: list[str], workspace: Path) -> None:
    head, *rows = capbox("audit", "list").out.splitlines()
    assert head.split() == ["run", "outcome", "what"]
    assert sorted(row.split("  ", 1)[0] for row in rows) == sorted(runs)
    found = {one["run"]: one for one in capbox("audit", "list", "--json").json}
    assert [found[run]["what"] for run in runs] == ["read", "no call, 1 refused"]
    assert {one["workspace"] for one in found.values()} == {str(workspace)}
    short = capbox("audit", "list", "--last", "1")
    assert len(short.out.splitlines()) == 2
    assert short.err == "1 older runs: --last N shows more\n"


def test_show_tells_every_entry(capbox: Callable, runs: list[str], workspace: Path) -> None:
    lines = capbox("audit", "show", runs[0]).out.splitlines()
    headlines = [line for line in lines if line[3] != " "]
    assert [line.split()[:2] for line in headlines] == [
        ["0", "opened"],
        ["1", "call"],
        ["2", "ended"],
        ["3", "closed"],
    ]
    assert 'call    read {"path": "/workspace/a.txt"}' in headlines[1]
    assert "did read /workspace/a.txt, 6 bytes" in "\n".join(lines)
    refused = capbox("audit", "show", runs[1]).out
    assert "denial  read /workspace/a.txt: no grant covers it" in refused


def test_show_in_json_is_every_record(capbox: Callable, runs: list[str]) -> None:
    records = capbox("audit", "show", runs[0], "--json").json
    assert [record["content"]["kind"] for record in records] == [
        "opened",
        "intent",
        "outcome",
        "closed",
    ]


def test_a_run_is_named_by_the_beginning_of_its_id(capbox: Callable, runs: list[str]) -> None:
    assert capbox("audit", "verify", runs[0][:-3]).out.startswith(f"closed  {runs[0]}: 4 sound")
    shared = capbox("audit", "verify", "2")
    assert (shared.code, shared.err.startswith("capbox: 2 begins 2 runs: ")) == (2, True)
    for name in ("nosuch", "../../etc/passwd", ""):
        assert capbox("audit", "show", name).code == 2


def test_verify_counts_all_runs_and_exits_0(capbox: Callable, runs: list[str]) -> None:
    done = capbox("audit", "verify")
    assert (done.code, done.out) == (0, "2 runs: 2 closed, 0 open, 0 broken\n")
    assert [one["verdict"] for one in capbox("audit", "verify", "--json").json] == ["closed"] * 2


def edited(home: Home, statement: str, run: str) -> None:
    """Change the database behind the journal's back."""
    with sqlite3.connect(home.state / "journal" / "journal.db") as database:
        assert database.execute(statement, (run,)).rowcount > 0
    database.close()


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE entry SET body = replace(body, 'read', 'seek') WHERE seq = 1 AND run = ?", 1),
        ("DELETE FROM entry WHERE seq = 2 AND run = ?", 2),
        ("DELETE FROM entry WHERE seq = 3 AND run = ?", 3),
        ("DELETE FROM entry WHERE run = ?", 0),
    ],
)
def test_verify_names_the_first_bad_entry_and_exits_1(
    statement: str, place: int, capbox: Callable, runs: list[str], home: Home
) -> None:
    edited(home, statement, runs[0])
    done = capbox("audit", "verify")
    assert done.code == 1
    assert done.out.startswith(f"broken  {runs[0]} at entry {place}: ")
    assert done.out.endswith("2 runs: 1 closed, 0 open, 1 broken\n")
    assert capbox("audit", "verify", runs[0]).code == 1
    assert capbox("audit", "verify", runs[1]).code == 0
    broken = [one for one in capbox("audit", "verify", "--json").json if one["reason"]]
    assert [(one["run"], one["entry"]) for one in broken] == [(runs[0], place)]


def test_a_run_whose_head_is_gone_is_broken_not_unknown(
    capbox: Callable, runs: list[str], home: Home
) -> None:
    (home.state / "journal" / "heads" / f"{runs[0]}.json").unlink()
    assert capbox("audit", "verify", runs[0]).code == 1
    assert capbox("audit", "verify").code == 1


def test_a_lost_key_is_reported_and_no_new_one_made(
    capbox: Callable, runs: list[str], home: Home, workspace: Path
) -> None:
    (home.state / "journal.key").unlink()
    done = capbox("audit", "verify")
    assert (done.code, "the signing key" in done.err) == (1, True)
    call = capbox("call", "read", "path=a.txt", "--read=.", "--workspace", workspace)
    assert (call.code, "put the key back" in call.err) == (5, True)
    assert not (home.state / "journal.key").exists()


def test_export_goes_to_standard_output_or_to_a_new_file(
    capbox: Callable, runs: list[str], tmp_path: Path
) -> None:
    printed = capbox("audit", "export", runs[0])
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert printed.code == 0
    assert [line["seq"] for line in lines if "seq" in line] == [0, 1, 2, 3]
    assert lines[-1]["head"]["run"] == runs[0]
    file = tmp_path / "checkpoint.jsonl"
    assert capbox("audit", "export", runs[0], "--out", file).code == 0
    assert file.read_text() == printed.out
    again = capbox("audit", "export", runs[1], "--out", file)
    assert (again.code, again.err) == (2, f"capbox: --out {file}: File exists\n")
    assert file.read_text() == printed.out


CHANGED = "UPDATE entry SET body = replace(body, 'a.txt', 'b.txt') WHERE seq = 1 AND run = ?"


@pytest.mark.parametrize(
    "command",
    [
        ("audit", "list"),
        ("audit", "show", "RUN"),
        ("audit", "export", "RUN"),
        ("why", "read", "a.txt", "--run", "RUN"),
        ("diff", "RUN"),
    ],
)
def test_what_is_shown_of_a_broken_record_says_so_first(
    command: tuple[str, ...], capbox: Callable, home: Home, workspace: Path
) -> None:
    done = capbox(
        *("call", "write", "path=a.txt", "content=new", "--write=.", "--workspace", workspace),
        "--json",
    )
    run = done.json["journal"]
    words = [run if word == "RUN" else word for word in command]
    if command[0] == "diff":
        words += ["--workspace", workspace]
    sound = capbox(*words)
    assert (sound.code, "the record of" in sound.err) == (0, False)
    edited(home, CHANGED, run)
    broken = capbox(*words)
    assert broken.code == 1
    assert broken.err.startswith(f"the record of {run} is broken at entry 1: its content was ")
    assert broken.out  # it is shown all the same
    (home.state / "journal.key").unlink()
    unknown = capbox(*words)
    assert unknown.code == 1
    assert "the signing key" in unknown.err


def test_a_key_that_is_open_to_others_says_what_to_do(
    capbox: Callable, runs: list[str], home: Home
) -> None:
    key = home.state / "journal.key"
    key.chmod(0o644)
    done = capbox("audit", "verify", runs[0])
    assert (done.code, f"chmod 600 {key}" in done.err) == (1, True)
    key.chmod(0o600)
    assert capbox("audit", "verify", runs[0]).code == 0
