"""Runs an attack on the naive fixture, in a child process that is bounded from outside too.

Guarantees: the child has its own session, an environment of its own, a time limit that counts from
when it is ready, and its whole process group is killed at the end. Does not: touch anything but
the scene it was given.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from capbox.surfaces.demo.attack import Aftermath, Attack
from capbox.surfaces.demo.network import Network
from capbox.surfaces.demo.scene import Scene

_START_SECONDS = 30.0
_LINE_BYTES_MAX = 4 << 20


def naive(attack: Attack, scene: Scene, network: Network) -> Aftermath:
    """Make the calls of `attack` on naive tools and return what can be seen afterwards."""
    calls = [[use.tool, use.arguments_in(scene)] for use in attack.uses]
    job = {
        "workspace": str(scene.workspace),
        "home": str(scene.path("@home")),
        "habit": attack.habit.name,
        "grants": attack.holds.grants,
        "calls": calls,
    }
    child = subprocess.Popen(
        [sys.executable, "-I", "-m", "capbox.surfaces.demo.naive.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=scene.root,
        env=_environment(scene),
        start_new_session=True,
    )
    jobs, answers = _pipe(child.stdin), _pipe(child.stdout)
    try:
        jobs.write(json.dumps(job).encode() + b"\n")
        jobs.flush()
        lines = _Lines(answers.fileno())
        lines.next(_START_SECONDS)
        answer = lines.next(attack.naive_seconds)
        return replace(_seen(answer, scene, child), sent=network.drain())
    finally:
        # Whatever the attack has started is in this group; the child itself still waits in it.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        jobs.close()
        answers.close()
        child.wait()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("a pipe was asked for")
    return pipe


def _seen(answer: bytes | None, scene: Scene, child: subprocess.Popen[bytes]) -> Aftermath:
    processes = _others_in_session(child.pid)
    if answer is None:
        return Aftermath(scene, "", returned=False, processes=processes)
    if not answer:
        return Aftermath(scene, "", returned=False, died=_how_it_died(child))
    report = json.loads(answer)
    return Aftermath(
        scene,
        "\n".join(report["texts"]),
        content_bytes=report["content_bytes"],
        memory_bytes=report["memory_bytes"],
        processes=processes,
    )


def _environment(scene: Scene) -> dict[str, str]:
    """Return what a framework hands down: here a stand-in for it, with a key in it."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(scene.path("@home")),
        "TMPDIR": str(scene.root),
        "LANG": "C.UTF-8",
        "PROVIDER_API_KEY": scene.canaries["environment"],
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class _Lines:
    """The lines of a pipe, each with a deadline of its own."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._left = b""

    def next(self, seconds: float) -> bytes | None:
        """Return one line; None when the time is up, empty when the child is gone."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._fd, selectors.EVENT_READ)
            while b"\n" not in self._left and len(self._left) < _LINE_BYTES_MAX:
                if not selector.select(max(deadline - time.monotonic(), 0)):
                    return None
                part = os.read(self._fd, 1 << 16)
                if not part:
                    return b""
                self._left += part
        line, _, self._left = self._left.partition(b"\n")
        return line


def _others_in_session(session: int) -> int:
    """Count the processes of a session besides its leader (Linux; elsewhere none are found)."""
    count = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()
            count += int(fields[3]) == session and fields[0] != "Z"
    return max(count - 1, 0)


def _how_it_died(child: subprocess.Popen[bytes]) -> str:
    code = child.wait()
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
