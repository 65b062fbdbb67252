"""The README's tour and its Python example do what they show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.furnished import furnished
from tests.servers.http import Exchange
from tests.servers.replies import response

if TYPE_CHECKING:
    from tests.servers.http import HttpServer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """An empty folder, as a newcomer has it."""
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def blocks(kind: str) -> list[str]:
    """Return the fenced blocks of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def steps(block: str) -> list[tuple[str, list[str]]]:
    """Split a console block into commands and the lines that each is said to print."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip() not in ("", "..."):
            found[-1][1].append(line)
    return found


def environment(home: Path) -> dict[str, str]:
    """Return an environment in which `capbox` is this one and has a home of its own."""
    bin_directory = str(Path(sys.executable).parent)
    return {
        "PATH": f"{bin_directory}:{os.environ['PATH']}",
        "HOME": str(home.parent),
        "CAPBOX_HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",  # never the developer's
    }


def whoami(exchange: Exchange) -> None:
    """Echo the credentials that came."""
    came = " ".join(exchange.request.values("authorization"))
    exchange.send(response(f"you sent Authorization: {came}\n".encode()))


def test_the_tour_prints_what_it_shows(
    workspace: Path, http_server: Callable[..., HttpServer], cache: Path
) -> None:
    """Every line that the README shows comes out of the command above it."""
    port = http_server({"/whoami": whoami}).port
    (script,) = blocks("json")
    (workspace / "agent.json").write_text(script, encoding="utf-8")
    tour = [block.replace(":8000", f":{port}") for block in blocks("console")]
    assert tour
    home = furnished(workspace.parent / "home", cache)
    for block in tour:
        for command, shown in steps(block):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=workspace,
                env=environment(home),
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            printed = done.stdout + done.stderr
            for line in shown:
                assert line in printed.splitlines(), f"{command!r} printed:\n{printed}"


def test_the_python_example_runs(workspace: Path, cache: Path) -> None:
    """The example reads what it was granted and is refused what it was not."""
    (workspace / "notes.txt").write_text("buy milk\n", encoding="utf-8")
    (example,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=workspace,
        env=environment(furnished(workspace.parent / "home", cache)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    shown = ["     1\tbuy milk", "write:/workspace/notes.txt"]
    assert done.stdout.splitlines() == shown, done.stderr
