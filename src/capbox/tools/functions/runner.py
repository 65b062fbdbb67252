"""Runs functions of the embedding program: in this process, each call bounded in time.

Guarantees: a call gets exactly the values that were decided on; whatever the function raises is a
failure of the tool with its type and text, never a traceback; every call is an effect on record,
also one that failed or was stopped. Does not: confine the function, which is the program's own
code, or end a thread: a synchronous one that was stopped goes on, and its result is dropped.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from traceback import format_exception_only

import anyio
from anyio import to_thread

from capbox.authority.paths import GuestPath
from capbox.messages import Json, JsonObject
from capbox.sandbox.spec import Finished, Job, Outcome, Serve, Stopped, Touched
from capbox.tools.functions.function import Function
from capbox.tools.jobs import LocalJobs
from capbox.tools.scripted import failure, reply

# Threads of functions that were stopped and go on count: a program that hangs fills them, not more.
THREADS_MAX = 32


class FunctionRunner:
    """The `Runner` of one box's functions, by name."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        """Take the functions; those that are added to the mapping later count too."""
        self._functions = functions
        self._within = LocalJobs()
        self._threads: anyio.CapacityLimiter | None = None

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        """Call the function that the job names; it has no use for `serve`."""
        function, arguments = self._asked(job)
        begun = (Touched("call", GuestPath(function.effect(arguments)), None),)

        async def answer(job: Job) -> Outcome:
            with anyio.move_on_after(job.limits.wall_seconds):
                end = await self._called(function.call, lambda: function.given(arguments))
                return Outcome(end, begun)
            return Outcome(_overdue(function, job.limits.wall_seconds), begun)

        return await self._within.run(job, cut, answer, begun)

    def stop_run(self, run: str) -> None:
        """End every call of the run; what a thread of it goes on to do is not seen any more."""
        self._within.stop_run(run)

    def _asked(self, job: Job) -> tuple[Function, JsonObject]:
        request = json.loads(job.request)
        return self._functions[request["tool"]], request["arguments"]

    async def _called(
        self,
        function: Callable[..., object],
        given: Callable[[], Mapping[str, object]],
        shown: Callable[[object], Finished] | None = None,
    ) -> Finished:
        try:
            call = partial(function, **given())
            if inspect.iscoroutinefunction(function):
                result = call()
            else:
                result = await to_thread.run_sync(
                    partial(_in_thread, call), abandon_on_cancel=True, limiter=self._limiter
                )
            if inspect.isawaitable(result):
                result = await result
            return (shown or reply_of)(result)
        except anyio.get_cancelled_exc_class() as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # It awaited something that was cancelled; nobody cancels this call.
            return failure("function_failed", _told(error))
        except (Exception, SystemExit, GeneratorExit, BaseExceptionGroup) as error:
            # The program's own code may raise anything, and none of it may end the run: argparse
            # ends the program over what a model wrote.
            return failure("function_failed", _told(error))

    @property
    def _limiter(self) -> anyio.CapacityLimiter:
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(THREADS_MAX)
        return self._threads


def _overdue(function: Function, seconds: float) -> Stopped:
    goes_on = "" if inspect.iscoroutinefunction(function.call) else "; its thread goes on"
    return Stopped("time", f"stopped: its time limit of {seconds:g} s is over{goes_on}")


def _in_thread(call: Callable[[], object]) -> object:
    """Call it; what means something else to whoever waits for the thread is a plain error there."""
    try:
        return call()
    except (GeneratorExit, asyncio.CancelledError) as error:
        raise RuntimeError(type(error).__name__) from error


def reply_of(result: object) -> Finished:
    """Return what a function returned, as its reply. Raises TypeError or ValueError."""
    return reply(_shown(result))


def _shown(result: object) -> str:
    """Return a result as the model reads it. Raises TypeError for what is neither text nor JSON."""
    if result is None:
        return "done"
    if isinstance(result, str):
        return result
    return json.dumps(result, ensure_ascii=False, allow_nan=False, default=_plain)


def _plain(value: object) -> Json:
    if isinstance(value, Decimal | date):
        return str(value)
    raise TypeError(f"a function returns text, JSON or nothing, not {type(value).__name__}")


def _told(error: BaseException) -> str:
    # Also of an error that cannot even be printed.
    return format_exception_only(error)[0].strip()
