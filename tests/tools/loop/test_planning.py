"""Planning: which tools are run meanwhile, and who ends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capbox.gate.manifest import ToolAccessKind
from capbox.tools.loop.notes import Notes
from capbox.tools.loop.offer import loop_tool
from capbox.tools.loop.person import AskPerson, Person, Question
from capbox.tools.loop.planning import ACCEPT, Planning, PlanTool
from capbox.tools.loop.told import Told, Unable

pytestmark = pytest.mark.anyio
MANIFEST = loop_tool(Notes().brief).manifest


def saying(answer: str | None) -> AskPerson:
    """A person who always says this."""

    async def ask(question: Question) -> str | None:
        assert question.plan and question.text == "do it"
        return answer

    return ask


@pytest.mark.parametrize(
    ("access", "runs"), [("none", True), ("read", True), ("write", False), ("execute", False)]
)
@pytest.mark.parametrize("on", [True, False])
def test_only_what_reads_is_run_while_it_plans(
    access: ToolAccessKind, runs: bool, on: bool
) -> None:
    refusal = Planning(on).refusal(replace(MANIFEST, name="act", access=access))
    assert (refusal is None) == (runs or not on)
    assert refusal is None or "act may change something" in refusal


@pytest.mark.parametrize(
    ("asked", "alone", "on", "code"),
    [
        (saying(ACCEPT), False, False, None),
        (saying("refuse"), False, True, "refused"),
        (saying("first the tests"), False, True, "refused"),
        (saying("Accept"), False, True, "refused"),
        (saying(None), False, True, "nobody"),
        (saying(None), True, True, "nobody"),  # somebody is there, and did not answer
        (None, False, True, "nobody"),
        (None, True, False, None),
    ],
)
async def test_a_plan_is_left_by_a_clear_yes(
    asked: AskPerson | None, alone: bool, on: bool, code: str | None
) -> None:
    planning = Planning(on=True, alone=alone)
    told = await PlanTool(Person(asked), planning).plan("exit", "do it")
    assert (planning.on, told.code if isinstance(told, Unable) else None) == (on, code)


async def test_what_the_person_says_of_a_plan_reaches_the_model() -> None:
    told = await PlanTool(Person(saying("first the tests")), Planning(on=True)).plan(
        "exit", "do it"
    )
    assert "did not accept the plan: first the tests." in told.text


async def test_enter_and_exit_come_in_order_and_with_a_plan() -> None:
    planning = Planning()
    tool = PlanTool(Person(saying(ACCEPT)), planning)
    early = await tool.plan("exit", "do it")
    assert isinstance(early, Unable) and early.code == "not_planning"
    assert isinstance(await tool.plan("enter"), Told) and planning.on
    for text in ("", " ", "x" * 30_000):
        empty = await tool.plan("exit", text)
        assert isinstance(empty, Unable) and (empty.code, planning.on) == (
            "invalid_arguments",
            True,
        )
