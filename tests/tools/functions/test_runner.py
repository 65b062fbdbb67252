"""Functions in this process: their values, results, failures and ends, at a real gate."""

from __future__ import annotations

import asyncio
import threading
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from capbox.authority.limits import Limits
from capbox.box import Box, SettingsError
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.journal.event import RunId
from capbox.messages import Effect, Json, ToolFailure, ToolResult
from capbox.store.journal import read

pytestmark = pytest.mark.anyio


@pytest.fixture
def box(engine: LocalEngine, tmp_path: Path) -> Box:
    """A box that grants every function of these tests."""
    (tmp_path / "work").mkdir()
    return Box(engine=engine, workspace=tmp_path / "work", grants=["tool:act"])


async def called(box: Box, call: Any, **arguments: Json) -> ToolResult:
    """Register `call` as `act`, open the box, and call it once."""
    box.tool(effect="send", name="act")(call)
    async with box:
        return await box.call("act", **arguments)


def entries(home: Home, result: ToolResult) -> list[Any]:
    """Return what the journal holds of the run."""
    assert result.journal is not None
    records = read(home.state / "journal", RunId(result.journal))
    return [record.content for record in records if record.content is not None]


async def test_a_call_gets_its_values_and_is_on_record_before_and_after(
    box: Box, home: Home
) -> None:
    got: list[object] = []

    @box.tool(
        effect="send",
        sinks={"to": "email", "amount": "amount", "on": "date", "account": "iban"},
    )
    def act(to: list[str], amount: Decimal, on: date, account: str, note: str = "") -> str:
        """Act."""
        got.extend([to, amount, on, account, note])
        return "paid"

    async with box:
        result = await box.call(
            "act",
            to=["Bob@EXAMPLE.com"],
            amount=12.50,
            on="2030-01-31",
            account="de89 3704 0044 0532 0130 00",
        )
    account = "DE89370400440532013000"
    assert got == [["Bob@example.com"], Decimal("12.5"), date(2030, 1, 31), account, ""]
    effect = f"act(to=Bob@example.com, amount=12.5, on=2030-01-31, account={account})"
    assert (result.ok, result.content) == (True, "paid")
    assert result.effects == (Effect("call", effect, None, 0),)
    opening, intent, outcome, _closed = entries(home, result)
    assert dict(opening["tools"])["act"] == intent["digest"]
    assert (intent["kind"], intent["arguments"]["to"]) == ("intent", ["Bob@example.com"])
    assert outcome["effects"][0]["path"] == effect


@pytest.mark.parametrize(
    ("returned", "content"),
    [
        (None, "done"),
        ("text", "text"),
        ({"a": [1, None]}, '{"a": [1, null]}'),
        ([Decimal("1.5"), date(2030, 1, 31)], '["1.5", "2030-01-31"]'),
        ("\ud800", "?"),
    ],
)
async def test_text_and_json_are_results(box: Box, returned: object, content: str) -> None:
    async def act() -> object:
        """Act."""
        return returned

    assert (await called(box, act)).content == content


class SilentError(Exception):
    """An error that cannot be printed."""

    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize("raised", [ValueError("no such account"), SilentError(), KeyError("x")])
@pytest.mark.parametrize("thread", [True, False])
async def test_what_a_function_raises_is_a_failure_without_a_traceback(
    box: Box, raised: Exception, thread: bool
) -> None:
    def in_thread() -> str:
        """Act."""
        raise raised

    async def in_loop() -> str:
        """Act."""
        raise raised

    result = await called(box, in_thread if thread else in_loop)
    assert result.error is not None and not result.ok
    assert (result.error.code, result.effects[0].action) == ("function_failed", "call")
    assert type(raised).__name__ in result.error.message
    assert "Traceback" not in result.error.message and ".py" not in result.error.message


@pytest.mark.parametrize(
    "returned", [object(), b"bytes", float("nan"), {1: {2}}], ids=lambda one: type(one).__name__
)
async def test_a_result_that_is_neither_text_nor_json_is_a_failure(
    box: Box, returned: object
) -> None:
    def act() -> object:
        """Act."""
        return returned

    result = await called(box, act)
    assert result.error is not None and result.error.code == "function_failed"


async def test_the_output_is_bounded(engine: LocalEngine, tmp_path: Path) -> None:
    def act() -> str:
        """Act."""
        return "é" * 100

    (tmp_path / "work").mkdir()
    box = Box(
        engine=engine,
        workspace=tmp_path / "work",
        grants=["tool:act"],
        limits=Limits(output_bytes=10),
    )
    result = await called(box, act)
    assert (result.content, result.truncated) == ("é" * 5, True)


async def test_a_function_that_does_not_end_is_stopped_in_time(box: Box) -> None:
    ended = anyio.Event()

    @box.tool(effect="none", timeout=0.05)
    async def act() -> None:
        """Act."""
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    async with box:
        result = await box.call("act")
        assert result.error == ToolFailure("time", "stopped: its time limit of 0.05 s is over")
        assert ended.is_set()


async def test_a_thread_that_does_not_end_is_left_and_its_result_dropped(box: Box) -> None:
    go, went = threading.Event(), threading.Event()

    @box.tool(effect="none", timeout=0.05)
    def act() -> str:
        """Act."""
        go.wait(30)
        went.set()
        return "too late"

    async with box:
        result = await box.call("act")
        message = "stopped: its time limit of 0.05 s is over; its thread goes on"
        assert result.error == ToolFailure("time", message)
        go.set()
        await anyio.to_thread.run_sync(went.wait, 30)
    assert went.is_set()


async def test_a_revoked_call_is_cancelled_and_nothing_runs_after_it(box: Box) -> None:
    began, ends = anyio.Event(), list[str]()

    @box.tool(effect="send")
    async def act() -> None:
        """Act."""
        began.set()
        try:
            await anyio.sleep_forever()
        finally:
            ends.append("cancelled")

    results: list[ToolResult] = []

    async def call() -> None:
        results.append(await box.call("act"))

    async with box, anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await began.wait()
        box.revoke()
        assert not results
        await anyio.wait_all_tasks_blocked()
        results.append(await box.call("act"))
    codes = [result.error.code for result in results if result.error is not None]
    assert (sorted(codes), ends) == (["denied", "revoked"], ["cancelled"])


async def test_functions_side_by_side_overrun_no_bound(engine: LocalEngine, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    grants = ["tool:act arg.to=in(a@b.example,c@d.example) uses=3"]
    box = Box(engine=engine, workspace=tmp_path / "work", grants=grants)
    acted: list[str] = []

    @box.tool(effect="send", sinks={"to": "email"})
    async def act(to: str) -> None:
        """Act."""
        await anyio.lowlevel.checkpoint()
        acted.append(to)

    results: list[ToolResult] = []

    async def call(to: str) -> None:
        results.append(await box.call("act", to=to))

    async with box, anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(call, ("a@b.example", "c@d.example")[number % 2])
    assert (len(acted), sum(r.ok for r in results), len(results)) == (3, 3, 100)


async def test_methods_and_callable_objects_are_functions_too(box: Box) -> None:
    class Account:
        def act(self, note: str) -> str:
            """Act."""
            return f"{note} of {type(self).__name__}"

    assert (await called(box, Account().act, note="note")).content == "note of Account"


async def test_a_name_is_taken_once_and_only_before_the_box_opens(box: Box) -> None:
    def act() -> None:
        """Act."""

    def read() -> None:
        """Read."""

    box.tool(effect="none")(act)
    with pytest.raises(SettingsError, match="is the name of another function"):
        box.tool(effect="none")(act)
    async with box:
        with pytest.raises(RuntimeError, match="register before"):
            box.tool(effect="none")(read)
    box.tool(effect="none")(read)
    with pytest.raises(SettingsError, match="is the name of a tool that capbox brings"):
        await box.__aenter__()


class _Odd(BaseException):
    pass


@pytest.mark.parametrize("waits", [False, True], ids=["thread", "async"])
@pytest.mark.parametrize(
    "error",
    [
        SystemExit(2),
        asyncio.CancelledError(),
        GeneratorExit(),
        BaseExceptionGroup("several", [_Odd()]),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_no_way_of_ending_that_a_function_has_ends_the_program(
    box: Box, error: BaseException, waits: bool
) -> None:
    """Such as that of argparse, over arguments that a model wrote."""

    def at_once() -> str:
        """Do it."""
        raise error

    async def waiting() -> str:
        """Do it."""
        await anyio.lowlevel.checkpoint()
        raise error

    result = await called(box, waiting if waits else at_once)
    assert result.error is not None
    assert result.error.code == "function_failed"
    assert type(error).__name__ in result.error.message


async def test_a_caller_that_is_cancelled_stays_so(box: Box) -> None:
    begun = anyio.Event()

    async def waiting() -> str:
        """Do it."""
        begun.set()
        await anyio.sleep_forever()
        return ""

    async def call() -> None:
        await called(box, waiting)

    task = asyncio.create_task(call())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
