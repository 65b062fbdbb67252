"""A runner that answers from a Python function: a public fake, for tests of what is built on gates.

Guarantees: what every `Runner` does (the contract suite runs on it too), and it keeps the jobs it
was given. Does not: confine anything; the function runs in this process.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from capbox.messages import JsonObject
from capbox.sandbox.spec import Finished, Job, Outcome, Serve
from capbox.tools.jobs import LocalJobs


class ScriptedRunner:
    """Calls `answer` for every job."""

    def __init__(self, answer: Callable[[Job], Awaitable[Outcome]]) -> None:
        """Take the function; whatever it returns is the outcome."""
        self.jobs: list[Job] = []
        self._answer = answer
        self._within = LocalJobs()

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        """Note the job and answer it; the function has no use for `serve`."""
        self.jobs.append(job)
        return await self._within.run(job, cut, self._answer)

    def stop_run(self, run: str) -> None:
        """Cancel every answer of the run."""
        self._within.stop_run(run)


def reply(content: str = "", **more: JsonObject | None) -> Finished:
    """Return the end of a guest that succeeded with `content`, and `data` or `state` if given."""
    given = {key: value for key, value in more.items() if value is not None}
    return Finished(json.dumps({"ok": True, "content": content, **given}).encode())


def failure(code: str, message: str) -> Finished:
    """Return the end of a guest that reported a failure."""
    error = {"code": code, "message": message}
    return Finished(json.dumps({"ok": False, "error": error}).encode())
