"""`python -m bench.soak` around a runner with one fault, named by the first argument.

Each fault is one that the real product must not have; the soak has to name it.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
from bench.soak import main

from capbox.authority.paths import GuestPath, HostPath
from capbox.gate.runner import Runner
from capbox.sandbox.spec import Broken, Finished, Job, Mount, Outcome, Rule, Serve

AFTER_CALLS = 20
KEPT: list[object] = []

Call = Callable[[Job], Awaitable[Outcome]]


@dataclass(slots=True)
class Faulty:
    """The real runner, and what is done instead from the twentieth call on."""

    real: Runner
    fault: Callable[[Job, Call], Awaitable[Outcome]]
    calls: int = 0

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        """Run a call, honestly or not."""
        self.calls += 1

        async def honest(job: Job) -> Outcome:
            return await self.real.run(job, cut, serve)

        return await (honest(job) if self.calls < AFTER_CALLS else self.fault(job, honest))

    def stop_run(self, run: str) -> None:
        """Stop a run, honestly."""
        self.real.stop_run(run)


def told(outcome: Outcome, change: Callable[[str], str]) -> Outcome:
    """Change what a tool said."""
    if not isinstance(outcome.end, Finished):
        return outcome
    reply = json.loads(outcome.end.stdout)
    if reply["ok"] and reply["content"]:
        reply["content"] = change(reply["content"])
    return replace(outcome, end=Finished(json.dumps(reply).encode()))


async def content(job: Job, honest: Call) -> Outcome:
    """Leave out the last character."""
    return told(await honest(job), lambda said: said[:-1] + "~")


async def another(job: Job, honest: Call) -> Outcome:
    """Show a line of somebody else."""
    return told(await honest(job), lambda said: said + "\n@secret@ 12345678")


async def widened(job: Job, honest: Call) -> Outcome:
    """Mount the whole workspace, without any exclusion."""
    found = [re.match(r".*/work/w[0-9]+", mount.host) for mount in job.mounts]
    roots = [match[0] for match in found if match is not None]
    if not roots:
        return await honest(job)
    everything = Mount(GuestPath("/workspace"), HostPath(roots[0]), (Rule(write=True),))
    return await honest(replace(job, mounts=(everything,)))


async def narrowed(job: Job, honest: Call) -> Outcome:
    """Mount nothing."""
    return await honest(replace(job, mounts=()))


async def unrecorded(job: Job, honest: Call) -> Outcome:
    """Forget every effect."""
    return replace(await honest(job), touched=())


async def unbounded(job: Job, honest: Call) -> Outcome:
    """Forget the bounds on files."""
    limits = replace(job.limits, written_bytes=1 << 30, files_created=1 << 30, tmp_bytes=1 << 30)
    return await honest(replace(job, limits=replace(limits, output_bytes=1 << 24)))


async def broken(_job: Job, _honest: Call) -> Outcome:
    """Fail for no reason."""
    return Outcome(Broken("no reason at all"))


async def forged(job: Job, honest: Call) -> Outcome:
    """Change an entry of the journal."""
    file = Path(job.scratch).parents[2] / "state" / "journal" / "journal.db"
    with sqlite3.connect(file, timeout=30) as database:
        database.execute("UPDATE entry SET body = replace(body, 'read', 'Read') WHERE seq = 1")
    database.close()
    return await honest(job)


async def descriptors(job: Job, honest: Call) -> Outcome:
    """Leave a descriptor open."""
    os.dup(0)
    return await honest(job)


async def threads(job: Job, honest: Call) -> Outcome:
    """Leave a thread."""
    if not KEPT:
        KEPT.append(threading.Thread(target=threading.Event().wait, daemon=True))
        KEPT[0].start()  # type: ignore[attr-defined]
    return await honest(job)


async def processes(job: Job, honest: Call) -> Outcome:
    """Leave a process, which ends with this one."""
    if not KEPT:
        KEPT.append(subprocess.Popen(["cat"], stdin=subprocess.PIPE))  # noqa: ASYNC220
    return await honest(job)


async def files(job: Job, honest: Call) -> Outcome:
    """Leave a temporary file."""
    os.close(tempfile.mkstemp()[0])
    return await honest(job)


async def memory(job: Job, honest: Call) -> Outcome:
    """Keep a part of a megabyte of each call."""
    KEPT.append(b"x" * 300_000)
    return await honest(job)


async def hangs(_job: Job, _honest: Call) -> Outcome:
    """Do not end, whoever cancels."""
    with anyio.CancelScope(shield=True):
        await anyio.sleep_forever()
    raise AssertionError


async def blocks(_job: Job, _honest: Call) -> Outcome:
    """Let nothing else run either."""
    threading.Event().wait()
    raise AssertionError


if __name__ == "__main__":
    fault = globals()[sys.argv[1]]
    sys.exit(main(sys.argv[2:], lambda real: Faulty(real, fault)))
