"""Commands that go on in the background, for others to look at and end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "import sys; from capbox.app import main; sys.exit(main())"]
PATIENCE_SECONDS = 60
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def background(environ: Mapping[str, str], workspace: Path) -> Iterator[Start]:
    """Start commands that go on by themselves; what is left of them is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [*COMMAND, *arguments],
                cwd=workspace,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for one in started:
        one.send_signal(signal.SIGCONT)
        one.kill()
        one.communicate()
