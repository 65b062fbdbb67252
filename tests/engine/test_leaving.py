"""What leaves a stack of task groups: the caller's own exception as it is, a crash as a group."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import anyio
import pytest
from anyio.abc import TaskGroup

from capbox.engine.leaving import leave


class Nest:
    """A task group on a stack, left as engine and session are."""

    def __init__(self) -> None:
        self.stack = AsyncExitStack()
        self.left = False

    async def __aenter__(self) -> Self:
        self.tasks: TaskGroup = await self.stack.enter_async_context(anyio.create_task_group())
        self.stack.callback(self.tasks.cancel_scope.cancel)
        self.stack.callback(lambda: setattr(self, "left", True))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await leave(self.stack, error)


@pytest.mark.parametrize("error", [KeyError("mine"), KeyboardInterrupt(), SystemExit(3)])
async def test_an_exception_of_the_body_is_not_wrapped(error: BaseException) -> None:
    nest = Nest()
    with pytest.raises(type(error)) as seen:
        async with nest:
            nest.tasks.start_soon(anyio.sleep_forever)
            raise error
    assert (seen.value, nest.left) == (error, True)


async def test_a_task_that_crashes_interrupts_the_body_and_is_told() -> None:
    async def crash() -> None:
        raise ValueError("theirs")

    nest = Nest()
    with pytest.raises(ExceptionGroup) as seen:
        async with nest:
            nest.tasks.start_soon(crash)
            await anyio.sleep_forever()
    assert (str(seen.value.exceptions[0]), nest.left) == ("theirs", True)


async def test_a_cancellation_from_outside_goes_through_and_stays_outside() -> None:
    nest = Nest()
    with anyio.CancelScope() as scope:
        async with nest:
            scope.cancel()
            await anyio.sleep_forever()
    await anyio.lowlevel.checkpoint()
    assert (scope.cancelled_caught, nest.left) == (True, True)
