"""Peers that live in a process of their own, warm, and time themselves: one JSON line each way.

The process gets a task and answers with its output and the seconds it took, without the way to it
and back. So it starts a little warmer than capbox, which wakes up within the time measured.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.peers.answer import ANSWER_SECONDS_MAX, CannotError, checked
from bench.tasks import Task
from capbox.messages import Json, JsonObject


class Server:
    """One process that serves a peer."""

    def __init__(self, command: Sequence[str]) -> None:
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._rest = b""

    def send(self, request: JsonObject) -> None:
        """Ask. Raises CannotError."""
        if self._child.stdin is None or self._child.poll() is not None:
            raise CannotError("its process has ended")
        try:
            self._child.stdin.write(json.dumps(request).encode() + b"\n")
            self._child.stdin.flush()
        except OSError as error:
            raise CannotError("its process has ended") from error

    def receive(self) -> Mapping[str, Json]:
        """Return the answer. Raises CannotError; a process that takes too long is ended."""
        until = time.monotonic() + ANSWER_SECONDS_MAX
        while b"\n" not in self._rest:
            self._rest += self._some(until)
        line, _, self._rest = self._rest.partition(b"\n")
        answer: dict[str, Json] = json.loads(line)
        if "error" in answer:
            raise CannotError(str(answer["error"])[:100])
        return answer

    def _some(self, until: float) -> bytes:
        if self._child.stdout is None:
            raise CannotError("it has no output")
        file = self._child.stdout.fileno()
        if not select.select([file], [], [], max(until - time.monotonic(), 0))[0]:
            self.end()
            raise CannotError(f"it took longer than {ANSWER_SECONDS_MAX:.0f} s")
        content = os.read(file, 1 << 20)
        if not content:
            raise CannotError("its process has ended")
        return content

    def end(self) -> None:
        """End the process."""
        self._child.kill()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                stream.close()


class Served:
    """A peer at work in its process; one that was ended for taking too long starts again."""

    def __init__(self, command: Sequence[str], workspace: Path, *, speaks: str) -> None:
        self._command = command
        self._workspace = workspace
        self._speaks = speaks
        self._server: Server | None = None

    def run(self, task: Task) -> float:
        """Do a task and return its seconds. Raises CannotError."""
        request = self._request(task, 1)
        if self._server is None:
            self._server = Server(self._command)
        try:
            self._server.send(request)
            answer = self._server.receive()
        except CannotError:
            self.end()
            raise
        checked(task, str(answer["output"]))
        return _seconds(answer)

    def repeat(self, task: Task, calls: int, at_once: int) -> float:
        """Do a small task many times, in several processes; return the seconds of the slowest."""
        with ExitStack() as stack:
            servers = [Server(self._command) for _ in range(at_once)]
            for server in servers:
                stack.callback(server.end)
            # The second answer counts: the first one is the warm-up.
            for each in (at_once, calls // at_once):
                for server in servers:
                    server.send(self._request(task, each))
                slowest = max(_seconds(server.receive()) for server in servers)
        return slowest

    def end(self) -> None:
        """End the process, if there is one."""
        if self._server is not None:
            self._server.end()
            self._server = None

    def _request(self, task: Task, calls: int) -> JsonObject:
        said: Json = {
            "script": task.script,
            "python": task.python,
            "javascript": task.javascript,
            "tool": task.tool,
        }[self._speaks]
        if said is None:
            raise CannotError(f"it runs {self._speaks} only")
        return {
            "workspace": str(self._workspace),
            "do": said,
            "arguments": task.arguments,
            "stdin": task.stdin,
            "calls": calls,
        }


@contextmanager
def served(command: Sequence[str], speaks: str, workspace: Path) -> Iterator[Served]:
    """Give a peer whose process starts when it is first asked."""
    peer = Served(command, workspace, speaks=speaks)
    try:
        yield peer
    finally:
        peer.end()


def _seconds(answer: Mapping[str, Json]) -> float:
    seconds = answer["seconds"]
    if not isinstance(seconds, int | float):
        raise CannotError("it does not say how long it took")
    return seconds
