"""The benchmark prints what `make bench JSON=1` promises. How fast it is, is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TIMED = {"read_1k", "echo", "fresh_calls", "deadline", "gate_journal", "cli_call", "cli_help"}
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
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert set(rows) == TIMED | SIZED
    assert all(rows[name]["ratio"] > 0 for name in TIMED - {"deadline"})
    assert all(rows[name]["mb"] > 0 for name in SIZED)
    assert all(f"| `{name}` |" in page.read_text() for name in rows)
    assert list((tmp_path / "tmp").iterdir()) == []


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
