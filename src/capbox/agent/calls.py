"""The tool calls of one reply: which may run side by side, and their results in order.

Guarantees: neighbouring calls of read-only tools run together (at most `TOGETHER` at a time), any
other call alone, with everything before it finished; results are handed on in the order of the
calls, each as soon as those before it are; no task is left when `run_in_order` returns or raises.
A call whose arguments are not JSON never leaves this module. Does not: count, or decide.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Set
from itertools import groupby

from anyio import CapacityLimiter, Event, create_task_group

from capbox.agent.plan import CallTool
from capbox.messages import ToolCall, ToolFailure, ToolResult

TOGETHER = 8
_SHOWN = 200

Batch = tuple[ToolCall, ...]


def batches(calls: Batch, read_only: Set[str]) -> Iterator[Batch]:
    """Split calls, in order, into those that may run together; a name not known runs alone."""
    for together, group in groupby(calls, key=lambda call: call.name in read_only):
        if together:
            yield tuple(group)
        else:
            yield from ((call,) for call in group)


async def run_in_order(
    batch: Batch,
    call_tool: CallTool,
    finished: Callable[[ToolCall, ToolResult], Awaitable[None]],
) -> None:
    """Run the calls together; `finished` is awaited here, one result at a time, in order."""
    together = CapacityLimiter(TOGETHER)
    results: dict[int, ToolResult] = {}
    ready = [Event() for _ in batch]

    async def run_one(place: int, call: ToolCall) -> None:
        if call.malformed is not None:
            # Never run with guessed arguments: `{}` would be a call that nobody asked for.
            results[place] = not_json(call.malformed)
        else:
            async with together:
                results[place] = await call_tool(call)
        ready[place].set()

    async with create_task_group() as tasks:
        for place, call in enumerate(batch):
            tasks.start_soon(run_one, place, call)
        for place, call in enumerate(batch):
            await ready[place].wait()
            await finished(call, results[place])


def not_json(arguments: str) -> ToolResult:
    """Return the error for arguments that are not one JSON object."""
    shown = arguments if len(arguments) <= _SHOWN else arguments[:_SHOWN] + "..."
    message = f"the arguments are not a JSON object, so nothing ran; they were: {shown}"
    return ToolResult(ok=False, content="", error=ToolFailure("invalid_arguments", message))
