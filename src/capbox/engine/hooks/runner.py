"""A function of the program, before and after which hooks are asked: whoever calls it.

Guarantees: also what a script calls with `invoke` is asked about, a call within a call; a no means
that the function is not called. Does not: decide; its hooks do.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from capbox.engine.hooks.hooks import Hooks
from capbox.gate.protocol import Reply, parse_reply
from capbox.gate.runner import Runner
from capbox.messages import ToolCall, ToolFailure, ToolResult
from capbox.sandbox.spec import Finished, Job, Outcome, Serve
from capbox.tools.jobs import LocalJobs
from capbox.tools.scripted import failure


class HookedRunner:
    """The `Runner` of functions behind which `inner` is; `hooks` are those of its run."""

    def __init__(self, inner: Runner, hooks: Callable[[], Hooks | None]) -> None:
        """Ask `hooks` at each call."""
        self._inner, self._hooks = inner, hooks
        self._asking = LocalJobs()

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        """Ask, run the job if nobody says no, and tell of it."""
        hooks = self._hooks()
        if hooks is None:
            return await self._inner.run(job, cut, serve)
        request = json.loads(job.request)
        call = ToolCall(request["call"]["id"], request["tool"], request["arguments"])
        narrowed = job

        async def asked(job: Job) -> Outcome:
            nonlocal narrowed
            verdict = await hooks.before_tool(call, job.limits)
            narrowed = replace(job, limits=verdict.limits or job.limits)
            return _GO if verdict.deny is None else Outcome(failure("hook", verdict.deny))

        outcome = await self._asking.run(job, cut, asked)
        if outcome is not _GO:
            return outcome
        outcome = await self._inner.run(narrowed, cut, serve)
        await hooks.after_tool(call, _result(outcome, narrowed.limits.output_bytes))
        return outcome

    def stop_run(self, run: str) -> None:
        """End every call of the run, one that a hook is asked about too."""
        self._asking.stop_run(run)
        self._inner.stop_run(run)


_GO = Outcome(Finished(b"nobody says no"))


def _result(outcome: Outcome, output_bytes_max: int) -> ToolResult:
    if isinstance(outcome.end, Finished):
        told = parse_reply(outcome.end.stdout, output_bytes_max)
        if isinstance(told, Reply):
            error = None if told.ok else ToolFailure(told.code, told.message)
            return ToolResult(told.ok, told.content, error=error)
    return ToolResult(False, "", error=ToolFailure("stopped", ""))
