"""Functions of the embedding program: a whole call, and a decision on its arguments."""

from __future__ import annotations

import time
from pathlib import Path

from bench.clock import Act, in_turns
from bench.row import Row, Rows, done
from capbox import app
from capbox.authority.access import ToolAccess
from capbox.authority.decision import Allowed, Standing
from capbox.authority.values.arguments import Argument, Given
from capbox.authority.values.grounding import Entry, grounded_in
from capbox.authority.values.kinds import Value
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.engine.principal import resolve
from capbox.engine.settings import Settings

DECISIONS = 200
ADDRESSES = 50
PEOPLE = 1_000
TASK = "Answer Person 7 and reader3@example.com that 2030-05-07 works, and pay 50 for it. " * 20


async def functions(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """Measure through the gate and the journal; the function itself does nothing."""
    listed = ",".join(f"reader{n}@example.com" for n in range(ADDRESSES))
    grant = f"tool:send arg.amount=max(50) arg.to=in({listed})"
    box = Box(workspace=workspace, grants=(grant,), engine=engine)

    @box.tool(effect="send", sinks={"to": "email", "amount": "amount"})
    async def send(to: str, amount: int, number: int) -> None:
        """Send nothing."""

    async def call(number: int) -> None:
        done(await box.call("send", to="reader3@example.com", amount=50, number=number))

    acts: dict[str, Act] = {
        "call": call,
        "decide": _deciding(workspace, grant),
        "ground": _grounding(),
    }
    async with box:
        taken = await in_turns(acts, rounds, 0)
    decide, ground = taken["decide"] * 1e6, taken["ground"] * 1e3
    what = f"finding the values of a task of {len(TASK)} characters, {PEOPLE:,} names known"
    return {
        "function_call": Row(taken["call"] * 1e6, "us", None, "a call of the program's function"),
        "arg_decide": Row(decide, "us", None, f"one decision on arguments, {ADDRESSES} listed"),
        "grounding": Row(ground, "ms", None, what),
    }


def _deciding(workspace: Path, grant: str) -> Act:
    settings = Settings(workspace=workspace, grants=(grant,))
    authority = app.mint(resolve(settings), settings, ())
    to = Argument("to", "email", (Given("reader3@example.com"),))
    access = ToolAccess("send", (to, Argument("amount", "amount", (Given("50"),))))
    standing = Standing(now=time.time())

    async def act(_number: int) -> float:
        started = time.perf_counter()
        for _ in range(DECISIONS):
            decision = authority.decide(access, standing)
        seconds = time.perf_counter() - started
        if not isinstance(decision, Allowed):
            raise RuntimeError(f"the decision that is measured is a refusal: {decision}")
        return seconds / DECISIONS

    return act


def _grounding() -> Act:
    people = tuple(
        Entry(f"Person {n}", (Value("email", f"person{n}@example.com"),)) for n in range(PEOPLE)
    )

    async def act(_number: int) -> None:
        if Value("email", "person7@example.com") not in grounded_in(TASK, people):
            raise RuntimeError("the task names a person who was not found")

    return act
