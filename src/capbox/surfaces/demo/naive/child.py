"""The fixture's child process: bounds itself, then makes the calls of one attack, naively.

    python -I -m capbox.surfaces.demo.naive.child     (a job as JSON on standard input)

Guarantees: resource limits are set before the first call. It prints `ready`, makes the calls,
prints one JSON line, and waits to be killed, so that its process group exists until then.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

from capbox.surfaces.demo.naive.habits import Habit
from capbox.surfaces.demo.naive.tools import NaiveTools, RefusedError

_MEMORY_BYTES = 512 << 20
_STACK_BYTES = 8 << 20
_FILE_BYTES = 64 << 20
_OPEN_FILES = 512
_CPU_SECONDS = 3
_TEXT_CHARACTERS = 20_000


def main() -> None:
    """Read the job, bound this process, make the calls, report, wait."""
    job = json.loads(sys.stdin.readline())
    for which, bound in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_DATA, _MEMORY_BYTES),
        (resource.RLIMIT_STACK, _STACK_BYTES),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(which)
        lowered = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(which, (lowered, lowered))
    os.chdir(job["workspace"])
    _say("ready")
    tools = NaiveTools(
        Path(job["workspace"]), job["home"], Habit[job["habit"]], tuple(job["grants"])
    )
    texts = [_called(tools, name, arguments) for name, arguments in job["calls"]]
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    report = {
        "texts": [text[:_TEXT_CHARACTERS] for text in texts],
        "content_bytes": max(map(len, texts)),
        "memory_bytes": used,
    }
    _say(json.dumps(report))
    sys.stdin.readline()


def _called(tools: NaiveTools, name: str, arguments: str) -> str:
    """Make one call; any failure is text for the model, as such frameworks have it."""
    try:
        return tools.call(name, arguments)
    except (RefusedError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        return f"error: {error!s}"
    except MemoryError:
        return "error: out of memory"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
