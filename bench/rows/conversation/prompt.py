"""How soon a program that talks on a terminal is ready: it is run on one until its prompt is seen.

Does not: type anything; the program is stopped as soon as its prompt is there.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from anyio import to_thread

from bench.clock import IDLE_SECONDS, Act, in_turns, yardstick
from bench.row import Rows, timed

_PATIENCE_SECONDS = 60.0
_PIECE = 65_536


async def chat_ready(workspace: Path, environ: Mapping[str, str], rounds: int) -> Rows:
    """Measure `capbox chat` until it takes what is typed, and until its editor does."""
    script = workspace.parent / "chat.json"
    script.write_text('[{"text": "Hello."}]')
    start = "import sys; from capbox.app import main; sys.exit(main())"
    chat = [sys.executable, "-c", start, "chat", "--model", f"scripted:{script}", "--read", "."]
    commands = {
        "chat_prompt": (chat, b"> ", "`capbox chat`, the whole process until its prompt"),
        "chat_ready": (chat, b"context", "the same until its editor and the line below it"),
    }
    return await prompts(commands, workspace, environ, rounds)


async def prompts(
    commands: Mapping[str, tuple[Sequence[str], bytes, str]],
    workspace: Path,
    environ: Mapping[str, str],
    rounds: int,
) -> Rows:
    """Measure commands: by the name of its row each command line, its prompt, and what it is."""

    def running(command: Sequence[str], prompt: bytes) -> Act:
        async def run(_number: int) -> float:
            return await to_thread.run_sync(ready, command, prompt, workspace, environ)

        return run

    acts = {name: running(command, prompt) for name, (command, prompt, _) in commands.items()}
    taken = await in_turns({"bash": yardstick, **acts}, rounds, IDLE_SECONDS)
    return {name: timed(taken, name, what) for name, (_, _, what) in commands.items()}


def ready(
    command: Sequence[str], prompt: bytes, workspace: Path, environ: Mapping[str, str]
) -> float:
    """Return the seconds until `command` shows `prompt` on a terminal of 80 columns.

    Raises RuntimeError where it ends, or is silent for a minute, before that.
    """
    terminal, theirs = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    started = time.perf_counter()
    program = subprocess.Popen(
        command,
        cwd=workspace,
        env={**environ, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        _seen(terminal, prompt)
        return time.perf_counter() - started
    finally:
        os.close(terminal)
        program.kill()
        program.wait()


def _seen(terminal: int, prompt: bytes) -> None:
    shown = b""
    while prompt not in shown:
        if not select.select([terminal], [], [], _PATIENCE_SECONDS)[0]:
            raise RuntimeError(f"no {prompt!r} came; shown was {shown[-500:]!r}")
        try:
            piece = os.read(terminal, _PIECE)
        except OSError:  # how a terminal on Linux says that nobody is there any more
            piece = b""
        if not piece:
            raise RuntimeError(f"it ended without {prompt!r}; shown was {shown[-500:]!r}")
        shown += piece
