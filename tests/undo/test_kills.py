"""`capbox run` is killed at any moment, and `capbox undo` brings everything back."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.furnished import furnished
from tests.undo.hand import tree

from capbox.undo.history import kept

START = "import sys; from capbox.app import main; sys.exit(main())"
POINTS = 50
SCRIPT = """cd /workspace
for n in 1 2 3 4 5 6 7 8; do
  echo "$n again" > src/mod$n.py; mkdir -p out/$n/deep; echo built > out/$n/deep/log
  mv src/old$n.py out/$n/; sed -i s/line/LINE/ ignored/$n.log; rm data/$n.bin
  chmod 600 src/mod$n.py
done
mv src lib; ln -s lib/mod1.py link; rm -r data; echo more >> lib/mod1.py; rmdir hollow
mv out/1 lib/; rm -r out; mv lib src2; touch -d @1000000000 src2/mod2.py
mkdir data; echo new > data/1.bin
"""
REPLIES = [
    {"tool_calls": [{"name": "write", "arguments": {"path": "new.txt", "content": "new\n"}}]},
    {"tool_calls": [{"name": "bash", "arguments": {"script": SCRIPT}}]},
    {
        "tool_calls": [
            {"name": "edit", "arguments": {"path": "notes.md", "old": "two", "new": "three"}},
            {"name": "write", "arguments": {"path": "ignored/1.log", "content": "gone\n"}},
        ]
    },
    {"tool_calls": [{"name": "bash", "arguments": {"script": "cd /workspace; rm -r ignored"}}]},
    {"text": "done"},
]


def planted(top: Path) -> None:
    """Make a workspace with all that one can have."""
    for folder in ("src", "data", "ignored", "hollow", ".git"):
        (top / folder).mkdir(parents=True)
    (top / ".gitignore").write_text("ignored\n")
    (top / "notes.md").write_text("one\ntwo\n")
    (top / "kept").symlink_to("notes.md")
    for n in range(1, 9):
        (top / "src" / f"mod{n}.py").write_text(f"print({n})\n")
        (top / "src" / f"old{n}.py").write_text("old\n")
        (top / "src" / f"mod{n}.py").chmod(0o755 if n % 2 else 0o640)
        (top / "data" / f"{n}.bin").write_bytes(os.urandom(2_000))
        (top / "ignored" / f"{n}.log").write_text("a line\nanother line\n")
        os.utime(top / "src" / f"old{n}.py", ns=(n, 10**18 + n))
    os.utime(top / "data", ns=(5, 10**18 + 5))


def started(workspace: Path, script: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start the run in a process group of its own."""
    command = ["run", "go", "--model", f"scripted:{script}", "--write", ".", "--no-ask"]
    return subprocess.Popen(
        [sys.executable, "-c", START, *command],
        cwd=workspace,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_is_undone(tmp_path: Path, cache: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps(REPLIES))
    env = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "CAPBOX_HOME": str(furnished(tmp_path / "home", cache)),
    }
    chance, span, stopped = random.Random(7), 60.0, 0
    for point in range(3 * POINTS):
        if stopped == POINTS:
            break
        workspace = tmp_path / f"w{point}"
        planted(workspace)
        before = tree(workspace)
        running = started(workspace, script, env)
        place = tmp_path / "home" / "state" / "undo"
        while running.poll() is None and not _began(place, workspace):
            with suppress(subprocess.TimeoutExpired):
                running.wait(0.001)
        began = time.monotonic()
        if point:
            try:
                running.wait(chance.uniform(0, span))
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
        stopped += running.wait(120) < 0
        if running.returncode >= 0:  # as the first one does, it ended by itself
            span = min(span, time.monotonic() - began)
        changed = tree(workspace) != before
        undone = subprocess.run(
            [sys.executable, "-c", START, "undo"],
            cwd=workspace,
            env=env,
            capture_output=True,
            text=True,
        )
        assert tree(workspace) == before, (point, undone.stdout, undone.stderr)
        assert undone.returncode == (0 if _began(place, workspace) else 1), undone.stderr
        assert changed or point
    assert stopped == POINTS


def _began(place: Path, workspace: Path) -> bool:
    return any(one.workspace == str(workspace.resolve()) for one in kept(place))
