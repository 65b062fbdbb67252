"""Plan mode outlives the process: the session that ended while it only planned goes on so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.agent.events import ToolFinished
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.tools.loop.person import Question

pytestmark = [pytest.mark.anyio, pytest.mark.attack]
GoOn = Callable[..., object]
ENTER = [("plan", {"action": "enter"})]
EXIT = [("plan", {"action": "exit", "text": "write x.txt"})]
WRITE = [("write", {"path": "x.txt", "content": "x"})]


async def accept(question: Question) -> str:
    """A person who accepts any plan."""
    return "accept"


async def test_a_session_that_ended_planning_goes_on_planning_until_its_plan_is_accepted(
    begin: GoOn, go_on: GoOn, script: Callable, workspace: Path, edit: Callable[..., None]
) -> None:
    """Attack: a model that was told to plan has its process end, and acts in the next one."""
    model = script(ENTER, "1", WRITE, "2", WRITE, EXIT, WRITE, "3", WRITE, "4")
    await begin(model, "write:/workspace")
    edit("UPDATE messages SET json = replace(json, 'enter', 'exit')")  # the store has no say
    assert (await go_on(model)).codes == ["planning"]
    assert not (workspace / "x.txt").exists()
    assert (await go_on(model, ask_user=accept)).codes == ["planning", None, None]
    assert (await go_on(model)).codes == [None]


@pytest.mark.parametrize(
    ("begun", "said", "codes"),
    [
        (ENTER, None, (["planning"], ["planning"])),
        (ENTER, False, ([None], [None])),
        ("-", True, (["planning"], ["planning"])),
        ("-", None, ([None], [None])),
    ],
    ids=str,
)
async def test_a_persons_word_on_it_counts_from_then_on(
    begin: GoOn, go_on: GoOn, script: Callable, begun: object, said: bool | None, codes: object
) -> None:
    replies = [begun, "1"] if begun == ENTER else ["1"]
    model = script(*replies, WRITE, "2", WRITE, "3")
    await begin(model, "write:/workspace")
    first = (await go_on(model, plans=said)).codes
    assert (first, (await go_on(model)).codes) == codes


async def test_a_program_goes_on_planning_too(
    begin: GoOn, script: Callable, engine: LocalEngine, workspace: Path
) -> None:
    model = script(ENTER, "1", WRITE, "2")
    await begin(model, "write:/workspace")
    async with Box(workspace=workspace, resume="last", engine=engine) as box:
        told = [event async for event in box.run("go on", model=model)]
    (done,) = [event.result for event in told if isinstance(event, ToolFinished)]
    assert done.error is not None and done.error.code == "planning"
