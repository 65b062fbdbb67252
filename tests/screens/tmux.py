"""A terminal of a chosen size, as a person sees it: tmux, with a server of its own.

Guarantees: what is looked at is the screen, escape codes carried out; a wait wakes at output, and
ends in an error that shows the screen. Does not: know what runs in it.
"""

from __future__ import annotations

import os
import select
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PATIENCE_SECONDS = 90


def is_there() -> bool:
    """Say whether tmux is installed."""
    return shutil.which("tmux") is not None


class Screen:
    """One command in a window of `columns` by `rows`; `folder` is its own and short."""

    def __init__(
        self, folder: Path, arguments: list[str], *, env: Mapping[str, str], cwd: Path,
        columns: int = 80, rows: int = 24,
    ) -> None:  # fmt: skip
        """Start it."""
        self._socket = folder / "s"
        self._code = folder / "code"
        fifo = folder / "out"
        os.mkfifo(fifo)
        self._out = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        # It waits for the pipe, so that no output is missed; and the screen stays when it ends.
        command = f"read go; {shlex.join(arguments)}; echo $? > {self._code}; read end"
        self._tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
            "-c", str(cwd), "env", "-i", *(f"{k}={v}" for k, v in env.items()), "sh", "-c", command,
        )  # fmt: skip
        self._tmux("pipe-pane", "-o", f"cat > {fifo}")
        self._tmux("send-keys", "Enter")

    def types(self, text: str) -> None:
        """Type characters."""
        self._tmux("send-keys", "-l", "--", text)

    def presses(self, *keys: str) -> None:
        """Press keys, by tmux's names: Enter, C-c, M-Enter."""
        self._tmux("send-keys", *keys)

    def says(self, text: str) -> None:
        """Type a line."""
        self.types(text)
        self.presses("Enter")

    def pastes(self, text: str) -> None:
        """Paste, as a terminal does that tells pasted from typed."""
        self._tmux("load-buffer", "-", stdin=text)
        self._tmux("paste-buffer", "-p")

    def resizes(self, columns: int, rows: int) -> None:
        """Make the window another size."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def text(self, *, above: int = 0) -> str:
        """Return what is on the screen, with so many rows of what has scrolled off."""
        shown = self._tmux("capture-pane", "-p", "-S", str(-above))
        return "\n".join(line.rstrip() for line in shown.splitlines()).strip("\n")

    def waits_for(self, text: str) -> str:
        """Wait until `text` is on the screen; returns the screen."""
        return self.waits_until(lambda screen: text in screen, repr(text))

    def waits_until(self, holds: Callable[[str], bool], what: str = "that") -> str:
        """Wait until something holds of the screen; returns the screen."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not holds(screen := self.text(above=2_000)):
            left = until - time.monotonic()
            assert left > 0, f"no {what} on the screen:\n{screen}"
            if select.select([self._out], [], [], min(left, 0.5))[0]:
                os.read(self._out, 65_536)
        return screen

    def code(self) -> int:
        """Wait until the command has ended; returns its exit code."""
        self.waits_until(lambda _: self._code.exists() and self._code.read_text() != "", "end")
        return int(self._code.read_text())

    def close(self) -> None:
        """End everything in it."""
        self._tmux("kill-server")
        os.close(self._out)

    def _tmux(self, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["tmux", "-u", "-S", str(self._socket), *arguments],
            input=stdin, capture_output=True, text=True, check=True,
            env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        return done.stdout
