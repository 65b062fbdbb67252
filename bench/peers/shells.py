"""Native commands: a new shell for each call, alone or inside bubblewrap."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bench.peers.answer import ANSWER_SECONDS_MAX, CannotError, checked
from bench.tasks import Task

# As inside the sandbox; other locales make GNU sort and grep slower.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


class Shell:
    """Runs a task's program, or its script in `bash -c` behind the words in `prefix`."""

    def __init__(self, workspace: Path, prefix: Sequence[str] = ()) -> None:
        self._workspace = workspace
        self._prefix = prefix

    def run(self, task: Task) -> None:
        """Do a task. Raises CannotError."""
        checked(task, self._output(task))

    def repeat(self, task: Task, calls: int, at_once: int) -> float:
        """Do a small task many times, several at once; return the seconds."""
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(self._output, [task] * at_once))
            started = time.perf_counter()
            list(pool.map(self._output, [task] * calls))
            return time.perf_counter() - started

    def _command(self, task: Task) -> Sequence[str]:
        # Behind walls the program's own place is not seen.
        if task.program and not self._prefix:
            return task.program
        return [*self._prefix, "bash", "-c", task.script]

    def _output(self, task: Task) -> str:
        try:
            done = subprocess.run(
                self._command(task),
                cwd=self._workspace,
                env=_ENVIRONMENT,
                input=task.stdin.encode(),
                capture_output=True,
                timeout=ANSWER_SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise CannotError(f"it took longer than {ANSWER_SECONDS_MAX:.0f} s") from error
        except OSError as error:
            raise CannotError(str(error)) from error
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()[-80:]
            raise CannotError(f"it ended with {done.returncode}: {said}")
        return done.stdout.decode(errors="replace")


@contextmanager
def native(workspace: Path) -> Iterator[Shell]:
    """Give a plain shell, without any wall."""
    yield Shell(workspace)


@contextmanager
def wrapped(program: str, workspace: Path) -> Iterator[Shell]:
    """Give a shell in new namespaces, which sees /usr and, writable, the workspace."""
    yield Shell(workspace, [program, *_walls(), *_bound(workspace)])


def trial(program: str) -> str:
    """Return why bubblewrap cannot build its walls here, or nothing."""
    command = [program, *_walls(), "bash", "-c", "true"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"it ended with {done.returncode}"


def _walls() -> list[str]:
    words = ["--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib64"):
        place = Path("/", name)
        if place.is_symlink():
            words += ["--symlink", os.readlink(place).lstrip("/"), str(place)]  # noqa: PTH115
        elif place.exists():
            words += ["--ro-bind", str(place), str(place)]
    # On Debian awk is a link that leads through here.
    words += ["--ro-bind-try", "/etc/alternatives", "/etc/alternatives"]
    return [*words, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]


def _bound(workspace: Path) -> list[str]:
    return ["--bind", str(workspace), "/workspace", "--chdir", "/workspace"]
