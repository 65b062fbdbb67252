"""Tool calls of one reply: side by side where that is safe, results in order always."""

from __future__ import annotations

import anyio
import pytest

from capbox.agent.calls import TOGETHER, batches, run_in_order
from capbox.messages import ToolCall, ToolResult


def _calls(names: str) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(f"c{place}", name, {}) for place, name in enumerate(names.split()))


@pytest.mark.parametrize(
    ("names", "together"),
    [
        ("", []),
        ("read", ["read"]),
        ("read grep read", ["read grep read"]),
        ("write write", ["write", "write"]),
        ("read read write read read", ["read read", "write", "read read"]),
        ("read unheard-of read", ["read", "unheard-of", "read"]),
    ],
)
def test_only_neighbours_that_read_run_together(names, together) -> None:
    split = batches(_calls(names), frozenset({"read", "grep"}))
    assert [" ".join(call.name for call in batch) for batch in split] == together


async def test_results_come_in_order_though_the_last_call_ends_first() -> None:
    calls = _calls("read read read")
    ended = {call.id: anyio.Event() for call in calls}
    taken: list[str] = []

    async def backwards(call: ToolCall) -> ToolResult:
        place = int(call.id[1:])
        if place < 2:
            await ended[f"c{place + 1}"].wait()
        ended[call.id].set()
        return ToolResult(True, call.id)

    async def take(call: ToolCall, result: ToolResult) -> None:
        taken.append(f"{call.id}:{result.content}")

    await run_in_order(calls, backwards, take)
    assert taken == ["c0:c0", "c1:c1", "c2:c2"]


async def test_a_result_is_handed_on_before_later_calls_end() -> None:
    taken = anyio.Event()

    async def second_waits(call: ToolCall) -> ToolResult:
        if call.id == "c1":
            await taken.wait()
        return ToolResult(True, "")

    async def take(call: ToolCall, result: ToolResult) -> None:
        taken.set()

    await run_in_order(_calls("read read"), second_waits, take)


async def test_a_flood_of_reads_runs_a_few_at_a_time() -> None:
    running, most = 0, 0

    async def count(call: ToolCall) -> ToolResult:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        running -= 1
        return ToolResult(True, "")

    async def take(call: ToolCall, result: ToolResult) -> None:
        pass

    await run_in_order(_calls("read " * 100), count, take)
    assert most == TOGETHER


async def test_arguments_that_are_not_json_never_leave() -> None:
    run: list[ToolCall] = []
    results: list[ToolResult] = []

    async def call_tool(call: ToolCall) -> ToolResult:
        run.append(call)
        return ToolResult(True, "")

    async def take(call: ToolCall, result: ToolResult) -> None:
        results.append(result)

    bad = ToolCall("c0", "read", {}, malformed='{"path": ' + "x" * 500)
    good = ToolCall("c1", "read", {})
    await run_in_order((bad, good), call_tool, take)
    assert run == [good]
    assert [result.ok for result in results] == [False, True]
    assert len(results[0].error.message) < 300
