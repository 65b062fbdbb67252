"""The soak finds nothing wrong with the product, and names whatever is wrong when it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bench.soaking.acts import Act, passes
from bench.soaking.judge import complaint

from capbox.messages import ToolFailure, ToolResult

ROOT = Path(__file__).resolve().parents[2]
FAULTY = Path(__file__).with_name("faulty_soak.py")

pytestmark = pytest.mark.slow


def environment(tmp_path: Path) -> dict[str, str]:
    """A temporary directory of the test's own, and the compiled tools of `make setup`."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}


def soak(tmp_path: Path, *arguments: str) -> tuple[int, dict[str, object]]:
    """Run a program to its end; return its exit code and its report."""
    report = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, *arguments, "--report", str(report)],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert report.exists(), done.stderr
    left = [path.name for path in tmp_path.iterdir() if path.name.startswith("capbox-soak-")]
    assert done.returncode == 1 or not left, left
    return done.returncode, json.loads(report.read_text())


def test_twenty_seconds_of_everything_at_once_find_nothing_wrong(tmp_path: Path) -> None:
    code, report = soak(tmp_path, "-m", "bench.soak", "--minutes", "0.33", "--seed", "1")
    assert (code, report["wrong"]) == (0, None)
    counts = report["counts"]
    assert isinstance(counts, dict)
    assert {"boxes", "calls", "cancelled", "calls killed", "workers killed"} <= set(counts)
    assert report["runs_verified"]


def test_a_life_is_lived_again_alone(tmp_path: Path) -> None:
    life = ("-m", "bench.soak", "--seed", "1", "--life", "1.3.2")
    code, report = soak(tmp_path, *life)
    assert (code, report["wrong"], report["counts"]["boxes"]) == (0, None, 1)  # type: ignore[index]


def test_sigterm_ends_it_with_the_report(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "bench.soak", "--minutes", "5", "--report", str(report)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(tmp_path), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("seed ")
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert process.returncode == 0, rest
    assert json.loads(report.read_text())["wrong"] is None


@pytest.mark.parametrize(
    ("expected", "code", "kind"),
    [
        ("either", None, None),
        ("either", "not_found", None),
        ("either", "sandbox_failed", "failure"),
        ("either", "denied", "deny"),
        (None, None, None),
        (None, "sandbox_failed", "failure"),
        ("denied", None, "allow"),
        ("denied", "not_found", "allow"),
        ("denied", "sandbox_failed", "failure"),
        ("time", None, "bound"),
    ],
)
def test_a_failure_is_called_one_whatever_was_expected(
    expected: str | None, code: str | None, kind: str | None
) -> None:
    error = None if code is None else ToolFailure(code, "no reason at all")
    result = ToolResult(ok=error is None, content="", error=error)
    found = complaint(Act("read", {}, passes, expected, also="not_found"), result)
    assert (None if found is None else found[0]) == kind


FAULTS = [
    ("content", {"content"}),
    ("another", {"authority", "content"}),
    ("widened", {"authority", "allow", "content"}),
    ("narrowed", {"deny", "content", "failure"}),
    ("unrecorded", {"journal"}),
    ("unbounded", {"bound", "content"}),
    ("broken", {"failure"}),
    ("forged", {"journal"}),
    ("descriptors", {"leak"}),
    ("threads", {"leak"}),
    ("processes", {"leak"}),
    ("files", {"leak"}),
    ("memory", {"leak"}),
    ("hangs", {"stuck"}),
    ("blocks", {"stuck"}),
]


@pytest.mark.parametrize(("fault", "kinds"), FAULTS)
def test_a_fault_is_named_with_what_repeats_it(tmp_path: Path, fault: str, kinds: set[str]) -> None:
    options = ("--minutes", "0.5", "--seed", "1", "--no-harm", "--margin", "3")
    code, report = soak(tmp_path, str(FAULTY), fault, *options)
    wrong = report["wrong"]
    assert isinstance(wrong, dict), report
    assert (code, wrong["kind"] in kinds) == (1, True), wrong
    assert "--seed 1" in wrong["repeat"]
