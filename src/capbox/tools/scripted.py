"""A runner that answers from a Python function: a public fake, for tests of what is built on gates.

Guarantees: what every `Runner` does (the contract suite runs on it too), and it keeps the jobs it
was given. Does not: confine anything; the function runs in this process.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import anyio

from capbox.messages import JsonObject
from capbox.sandbox.spec import Finished, Job, Outcome, Serve, Stopped


class ScriptedRunner:
    """Calls `answer` for every job."""

    def __init__(self, answer: Callable[[Job], Awaitable[Outcome]]) -> None:
        """Take the function; whatever it returns is the outcome."""
        self.jobs: list[Job] = []
        self._answer = answer
        self._under_way: list[tuple[str, anyio.CancelScope]] = []

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        """Note the job and answer it; the function has no use for `serve`."""
        self.jobs.append(job)
        try:
            with anyio.CancelScope() as scope:
                self._under_way.append((job.run, scope))
                return await self._answer(job)
        except anyio.get_cancelled_exc_class():
            cut(Outcome(Stopped("interrupted", "stopped: interrupted")))
            raise
        finally:
            self._under_way.remove((job.run, scope))
        return Outcome(Stopped("revoked", "stopped: the authority of this call was revoked"))

    def stop_run(self, run: str) -> None:
        """Cancel every answer of the run."""
        for name, scope in self._under_way:
            if name == run:
                scope.cancel()


def reply(content: str = "", **more: JsonObject | None) -> Finished:
    """Return the end of a guest that succeeded with `content`, and `data` or `state` if given."""
    given = {key: value for key, value in more.items() if value is not None}
    return Finished(json.dumps({"ok": True, "content": content, **given}).encode())


def failure(code: str, message: str) -> Finished:
    """Return the end of a guest that reported a failure."""
    error = {"code": code, "message": message}
    return Finished(json.dumps({"ok": False, "error": error}).encode())
