"""The benchmark prints what `make bench JSON=1` promises. How fast it is, is no test's business."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from bench.bars import BARS, Bar
from bench.peers.answer import CannotError
from bench.peers.served import Served
from bench.peers.shells import Shell
from bench.row import Row
from bench.rows.conversation.prompt import ready
from bench.tasks import ECHO, LANGUAGES, LARGE, LOOPS, READ, SMALL, Task
from bench.workspace import small

ROOT = Path(__file__).resolve().parents[1]
TIMED = {"read_1k", "echo", "fresh_calls", "deadline", "gate_journal", "cli_call", "cli_help"}
GATE = {"gate_alone", "recording", "grants_decide", "grants_gate", "grants_read"}
ALIKE = {task.name for task in (READ, ECHO, *SMALL, *LARGE, *LANGUAGES, *LOOPS)}
WEB = {"http_get", "http_save"}
OWN = {"function_call", "arg_decide", "grounding"}
TURNS = {
    *("loop_turn", "loop_turn_long", "loop_turn_sync"),
    *("first_event", "first_event_openai"),
}
RUNS = {"session_open", "runs_together", "runs_growth", "chat_prompt", "chat_ready"}
FULL = {
    *("spawn", "spawn_bare", "fresh_rate", "cpu_parent", "cpu_worker", "http_match", "revoke"),
    *("python_fresh", "python_rss", "javascript_fresh", "javascript_rss"),
    *(
        ALIKE
        | GATE
        | WEB
        | OWN
        | TURNS
        | RUNS
        | {"blast_radius", "pkg_install", "pre_image", "python_build", "undo"}
    ),
}
EXCLUDED = {"excluded_glob", "excluded_grep"}
SIZED = {"rss_parent", "rss_zygote", "rss_worker", "private_worker"}


@pytest.mark.slow
def test_it_prints_one_json_object_with_every_row_and_leaves_nothing(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--rounds", "3", "--json", "--write", str(page)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "TMPDIR": f"{tmp_path}/tmp"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert set(rows) == TIMED | SIZED
    assert all(rows[name]["ratio"] > 0 for name in TIMED - {"deadline"})
    assert all(rows[name]["mb"] > 0 for name in SIZED)
    assert all(f"| `{name}` |" in page.read_text() for name in rows)
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.slow
def test_the_full_suite_says_of_each_row_whether_its_bar_is_met_and_what_others_took(
    tmp_path: Path,
) -> None:
    page = tmp_path / "benchmarks.md"
    few = ["--rounds", "3", "--scale", "0.01", "--peers", "native"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--suite", "full", *few, "--json", "--write", str(page)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert set(rows) == TIMED | SIZED | FULL | EXCLUDED
    # Of three rounds one may come out below zero.
    differences = {"deadline", "recording", "runs_growth"}
    assert all(row["value"] > 0 for name, row in rows.items() if name not in differences)
    beside = {name for name, row in rows.items() if row["peers"]}
    alone = set() if shutil.which("curl") else {"http_save"}
    assert beside == (ALIKE | WEB | {"fresh_rate", "revoke", "runs_growth"}) - alone
    for name, row in rows.items():
        bar = BARS.get(name)
        assert (row["bar"], row["aim"]) == ((bar.bar, bar.aim) if bar else (None, None))
        assert (row["met"] is None) is (bar is None)
    text = page.read_text()
    assert all(f"| `{name}` |" in text for name in rows)
    missed = [name for name, row in rows.items() if row["met"] is False]
    assert text.count("| **not met** |") == len(missed)


@pytest.mark.parametrize(
    ("bar", "row", "met", "aimed"),
    [
        (Bar(0.5, 0.3), Row(9.0, "ms", 0.3, ""), True, True),
        (Bar(0.5, 0.3), Row(0.1, "ms", 0.5, ""), True, False),
        (Bar(0.5, 0.3), Row(0.1, "ms", 0.51, ""), False, False),
        (Bar(0.5, 0.3), Row(0.1, "ms", None, ""), False, False),
        (Bar(150, 60, "value"), Row(60.0, "us", 9.0, ""), True, True),
        (Bar(150, 60, "value"), Row(151.0, "us", 0.1, ""), False, False),
        (Bar(1500, 3000, "value", at_least=True), Row(1500.0, "/s", None, ""), True, False),
        (Bar(1500, 3000, "value", at_least=True), Row(1499.0, "/s", None, ""), False, False),
        (Bar(1500, 3000, "value", at_least=True), Row(3000.0, "/s", None, ""), True, True),
    ],
)
def test_a_bar_is_met_at_it_and_on_its_good_side_only(
    bar: Bar, row: Row, met: bool, aimed: bool
) -> None:
    assert (bar.met(row), bar.aimed(row)) == (met, aimed)


@pytest.mark.parametrize("task", [READ, ECHO], ids=lambda task: task.name)
def test_a_native_answer_counts_and_any_other_does_not(tmp_path: Path, task: Task) -> None:
    small(tmp_path / "workspace")
    shell = Shell(tmp_path / "workspace")
    shell.run(task.filled(7, "native"))
    with pytest.raises(CannotError, match="another answer"):
        shell.run(replace(task.filled(7, "native"), answer="hi 8"))
    with pytest.raises(CannotError, match="it ended with 3: gone"):
        shell.run(replace(task.filled(7, "native"), script="echo gone >&2; exit 3"))


SERVER = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)["do"]
    if asked == "end": break
    print(json.dumps({"error": "no"} if asked == "fail" else {"output": asked, "seconds": 0.25}))
    sys.stdout.flush()
"""


def test_a_served_peer_gives_its_own_seconds_and_starts_again_after_it_failed(
    tmp_path: Path,
) -> None:
    peer = Served([sys.executable, "-c", SERVER], tmp_path, speaks="script")
    asked = ECHO.filled(1, "peer")
    assert peer.run(asked) == 0.25
    for script, why in (("fail", "no"), ("end", "has ended"), ("echo hi 2", "another answer")):
        with pytest.raises(CannotError, match=why):
            peer.run(replace(asked, script=script))
    assert peer.run(asked) == 0.25
    with pytest.raises(CannotError, match="it runs python only"):
        Served(["unused"], tmp_path, speaks="python").run(replace(asked, python=None))
    peer.end()


ASKS = "import sys; sys.stdout.write('hello\\nask> '); sys.stdout.flush(); sys.stdin.readline()"


@pytest.mark.parametrize(
    ("script", "why"),
    [(ASKS, None), ("print('goodbye')", "it ended without b'ask> '; shown was b'goodbye")],
)
def test_a_program_is_ready_when_its_prompt_is_seen_on_a_terminal(
    tmp_path: Path, script: str, why: str | None
) -> None:
    command = [sys.executable, "-c", f"assert __import__('os').isatty(0); {script}"]
    refused = nullcontext() if why is None else pytest.raises(RuntimeError, match=why)
    with refused:
        assert ready(command, b"ask> ", tmp_path, {}) > 0


@pytest.mark.slow
@pytest.mark.parametrize(("what", "seen"), [("read_1k", True), ("gate", False)])
def test_a_profile_tells_the_way_of_a_call_and_of_its_worker_if_it_has_one(
    what: str, seen: bool
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.profile", what, "--calls", "8", "--top", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    parts = [line.split()[0] for line in done.stdout.splitlines() if " us  " in line]
    assert all(part.isdecimal() for part in parts)
    assert "the intent is journalled" in done.stdout
    assert ("the guest runs" in done.stdout) is seen
    assert ("x path_open" in done.stdout) is seen
