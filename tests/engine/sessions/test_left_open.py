"""The calls that a session was left with: made within the run that goes on, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.agent import events
from capbox.agent.outcome import Completed, Outcome, Refused, TimeLimit, ToolCallLimit
from capbox.authority.budget import Budget
from capbox.engine.home import Home
from capbox.engine.sessions.pending import open_calls
from capbox.messages import Message, UserMessage
from capbox.store.runs import open_runs

pytestmark = pytest.mark.anyio
GoOn = Callable[..., object]
TWO = [("write", {"path": f"{n}.txt", "content": "x"}) for n in (1, 2)]
MANY = [("write", {"path": f"{n}.txt", "content": "x"}) for n in range(4)]
SLOW = [TWO[0], ("bash", {"script": "echo x >> twice.txt; while :; do :; done"})]
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


@pytest.mark.attack
@pytest.mark.parametrize(
    ("most", "made", "over"),
    [(0, 0, ToolCallLimit(0)), (2, 2, ToolCallLimit(2)), (3, 3, Completed())],
    ids=str,
)
async def test_they_count_as_calls_of_the_run_and_those_past_its_limit_stay_open(
    leave: Callable, go_on: GoOn, script: Callable, home: Home, workspace: Path, most: int,
    made: int, over: Outcome,
) -> None:  # fmt: skip
    """Attack: calls are asked for in one run and made in the next, whose limit is for fewer."""
    await leave(MANY)
    went = await go_on(script("-", "done"), budget=Budget(tool_calls=most))
    assert (went.codes, ended(went.told)) == ([None] * made, over)
    assert went.told[-1].spent.tool_calls == made
    assert len(open_calls(await messages(home))) == 3 - made
    rest = await go_on(script("-", "done", "done"))
    assert (rest.codes, ended(rest.told)) == ([None] * (3 - made), Completed())
    assert [(workspace / f"{n}.txt").exists() for n in range(4)] == [True] * 4


@pytest.mark.attack
async def test_the_clock_of_the_run_ends_one_and_no_further_run_makes_it_again(
    leave: Callable, go_on: GoOn, script: Callable, workspace: Path
) -> None:
    """Attack: a call that was left open works as long as it likes, in each run anew."""
    await leave(SLOW)
    went = await go_on(script("-", "done"), budget=Budget(wall_seconds=1.5))
    assert (went.codes, ended(went.told)) == ([], TimeLimit(1.5))
    assert went.told[-1].spent.wall_ms >= 1_500
    rest = await go_on(script("-", "done", "done"))
    assert (len(rest.codes), ended(rest.told)) == (1, Completed())
    assert rest.codes != [None]
    assert (workspace / "twice.txt").read_text() == "x\n"
