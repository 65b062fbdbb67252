"""Runs the tools of a run's loop: functions of capbox's own that touch nothing outside.

Guarantees: a call has no effect on record and taints nothing by itself, since it neither reads nor
writes anything of the world; what it does read for the run (`Told.sources`) labels it, on record.
Waiting for a person counts against no limit; every other tool ends at the time limit of its call.
Does not: confine anything; these tools are part of this program.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import anyio

from capbox.authority.values.label import NOTHING, Sources
from capbox.messages import Spent
from capbox.sandbox.spec import Finished, Job, Outcome, Serve, Stopped, stopped
from capbox.tools.functions.function import Function
from capbox.tools.functions.runner import FunctionRunner, reply_of
from capbox.tools.loop.told import Told, Unable
from capbox.tools.scripted import failure, reply


class LoopRunner(FunctionRunner):
    """The `Runner` of one run's tools; the `patient` ones wait for a person as long as it takes."""

    def __init__(self, functions: Mapping[str, Function], patient: Collection[str] = ()) -> None:
        """Take the functions, by name."""
        super().__init__(functions)
        self._patient = frozenset(patient)

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        """Call the tool that the job names."""
        return await self._within.run(job, cut, self._answer)

    async def _answer(self, job: Job) -> Outcome:
        function, arguments = self._asked(job)
        sources, waited, began = NOTHING, 0.0, anyio.current_time()

        def shown(result: object) -> Finished:
            nonlocal sources, waited
            if isinstance(result, Told | Unable):
                waited = result.waited
            sources = result.sources if isinstance(result, Told) else NOTHING
            return _shown(result)

        patient = function.manifest.name in self._patient
        with anyio.move_on_after(None if patient else job.limits.wall_seconds):
            end = await self._called(function.call, lambda: function.given(arguments), shown)
            return _outcome(end, anyio.current_time() - began - waited, sources)
        return _outcome(stopped("time"), anyio.current_time() - began, NOTHING)


def _outcome(end: Finished | Stopped, seconds: float, sources: Sources) -> Outcome:
    # At least a millisecond: of zero the budget takes it that nobody measured.
    spent = Spent(wall_ms=max(1, round(seconds * 1000)))
    return Outcome(end, spent=spent, sources=sources)


def _shown(result: object) -> Finished:
    match result:
        case Told(text, data):
            return reply(text) if data is None else reply(text, data=data)
        case Unable(code, text):
            return failure(code, text)
        case _:
            return reply_of(result)
