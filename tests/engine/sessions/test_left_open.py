"""The calls that a session was left with: made within the run that goes on, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.agent import events
from capbox.agent.outcome import Completed, Outcome, Refused
from capbox.authority.budget import Budget
from capbox.engine.home import Home
from capbox.engine.sessions.pending import open_calls
from capbox.messages import Message, UserMessage
from capbox.store.runs import open_runs

pytestmark = pytest.mark.anyio
GoOn = Callable[..., object]
TWO = [("write", {"path": f"{n}.txt", "content": "x"}) for n in (1, 2)]
DENYING = """
[[hooks]]
event = "{event}"
tool = "bash"
arguments = {{ script = "echo '{{\\"deny\\": \\"not today\\"}}'" }}
grants = []
"""


def ended(told: list[events.Event]) -> Outcome:
    """How a run ended."""
    assert isinstance(told[-1], events.RunFinished)
    return told[-1].outcome


async def messages(home: Home) -> list[Message]:
    """What was said in the newest session."""
    async with open_runs(home.state / "runs.db") as store:
        (one,) = await store.sessions.newest(1)
        return [said.message for said in await store.sessions.messages(one.id)]


@pytest.fixture
def leave(begin: GoOn, script: Callable) -> Callable[..., object]:
    """Begin a session whose run may make one call of two."""

    async def run(calls: object = TWO) -> None:
        await begin(script(calls), "write:/workspace", budget=Budget(tool_calls=1))

    return run


@pytest.mark.attack
@pytest.mark.parametrize("event", ["RunStart", "UserPromptSubmit"])
async def test_a_run_that_a_hook_refuses_makes_no_call_that_was_left_open(
    leave: Callable, go_on: GoOn, script: Callable, home: Home, workspace: Path, event: str
) -> None:
    """Attack: what the operator's hook forbids now was asked for before it did."""
    await leave()
    before = await messages(home)
    config = home.config / "config.toml"
    config.write_text(DENYING.format(event=event))
    went = await go_on(script("-", "done"))
    assert isinstance(ended(went.told), Refused)
    assert (went.results, (workspace / "2.txt").exists()) == ([], False)
    assert await messages(home) == before and len(open_calls(before)) == 1
    config.unlink()
    went = await go_on(script("-", "done"))
    assert (went.codes, ended(went.told)) == ([None], Completed())
    assert (workspace / "2.txt").exists()


async def test_each_has_its_result_before_the_task_is_said(
    leave: Callable, go_on: GoOn, script: Callable, home: Home
) -> None:
    await leave()
    went = await go_on(script("-", "done"), task="and now")
    kinds = [type(event) for event in went.told if not isinstance(event, events.TextDelta)]
    first = [events.RunStarted, events.ToolStarted, events.ToolFinished, events.ModelReply]
    assert kinds == [*first, events.RunFinished]
    said = await messages(home)
    assert said[-2] == UserMessage("and now") and not open_calls(said[:-2])
