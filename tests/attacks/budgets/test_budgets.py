"""Attacks on budgets: each first passes a naive one, then meets the purse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from pytest_httpserver import HTTPServer
from tests.models.providers.test_exchange import DONE, SAYS_HI, chunk

from capbox import app
from capbox.agent.events import RunFinished, Warned
from capbox.agent.outcome import TokenLimit
from capbox.authority.values.draws import Draw, Overspent, Sink, sent
from capbox.engine.budgets.given import budget_of
from capbox.engine.home import Home
from capbox.engine.settings import Settings
from capbox.gate.budget.purse import Account, Purse, Reserved
from capbox.journal.tables.spending import Day
from capbox.models.catalog.table import PROVIDERS
from capbox.models.direct import DirectModel
from capbox.models.providers.endpoint import Endpoint

pytestmark = pytest.mark.attack
NOON, DAY = 1_800_000_000.0, 86_400.0
SPELLINGS = ("alice@a.example", "ALICE@a.example", "alice+1@a.example", "Alice+2@a.example")


class Naive:
    """Counts what it is told, where it is told it, after it was spent."""

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed
        self.spent: dict[str, int] = {}

    async def call(self, subject: str = "") -> bool:
        """Look, act, count: as an afterthought."""
        if self.spent.get(subject, 0) >= self.allowed:
            return False
        await anyio.lowlevel.checkpoint()  # the effect
        self.spent[subject] = self.spent.get(subject, 0) + 1
        return True


def purse(**bounds: float) -> Purse:
    return Purse((Account(dict(bounds)),))


async def raced(call: Callable[[], object]) -> int:
    """Return how many of a hundred at once are let through."""
    through = []

    async def one() -> None:
        answer = call()
        result = await answer if hasattr(answer, "__await__") else answer
        through.append(result is True or isinstance(result, Reserved))

    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(one)
    return sum(through)


async def test_a_race_for_the_last_three() -> None:
    naive, real = Naive(3), purse(calls=3)
    assert await raced(naive.call) == 100
    assert await raced(lambda: real.reserve(Draw("calls"))) == 3


async def test_a_receiver_in_many_spellings() -> None:
    naive, real = Naive(1), purse(sink_calls=1)
    assert [await naive.call(one) for one in SPELLINGS] == [True] * 4
    got = [real.spend(*sent([Sink(f"email:{one}")], 1)) is None for one in SPELLINGS]
    assert got == [True, False, False, False]


async def test_children_that_each_hold_what_is_left() -> None:
    one, other = Naive(3), Naive(3)
    assert sum([await each.call() for each in (one, other) * 3]) == 6
    parent = purse(calls=3, children=2)
    children = [parent.child({"calls": 3}, lambda text: None) for _ in range(2)]
    taken = [
        not isinstance(child.spend(Draw("calls")), Overspent)
        for child in children * 3
        if isinstance(child, Purse)
    ]
    assert sum(taken) == 3


def test_a_clock_that_is_set_back_and_forth(tmp_path: Path) -> None:
    now, naive = NOON, set[int]()
    day = Day(tmp_path / "spending.db", {"calls": 1}, lambda: now)
    got: list[tuple[bool, bool]] = []
    for now in (NOON, NOON - DAY, NOON, NOON - 2 * DAY):
        number = int(now // DAY)
        got.append((number not in naive, isinstance(day.take([Draw("calls")]), str)))
        naive = {number}
    assert got == [(True, True), (True, False), (True, False), (True, False)]


def test_a_reservation_that_fails_and_is_given_back_twice() -> None:
    real = purse(usd=1)
    reserved = real.reserve(Draw("usd", 1))
    assert isinstance(reserved, Reserved) and isinstance(real.reserve(Draw("usd", 1)), Overspent)
    reserved.settle(usd=0.5)
    reserved.settle(usd=0.5)
    assert real.left("usd") == 0.5


async def test_files_under_the_names_of_replacements(tmp_path: Path, cache: Path) -> None:
    """A guest names its files as only what prepares a replacement is named."""
    script = (
        "cd /workspace; for n in 1 2 3 4 5 6; do"
        " echo x > .capbox-$n-a.tmp; echo x > .capbox-$n-.tmp; done"
    )
    home = Home(tmp_path / "config", tmp_path / "state", cache)
    folders = [tmp_path / name for name in ("naive", "bound")]
    for folder, amounts in zip(folders, ({}, {"files": 2}), strict=True):
        folder.mkdir()
        budget, given = budget_of(amounts)
        settings = Settings(folder, ("write:/workspace",), budget=budget,
                            budget_given=frozenset(given))  # fmt: skip
        async with app.local_engine(home=home) as engine, app.session(engine, settings) as session:
            await session.call("bash", {"script": script})
    assert [len(list(folder.iterdir())) for folder in folders] == [12, 2]


# What a server of OpenAI's protocol may say of its usage, in its last chunk; None: nothing.
USAGES = {
    "none": None,
    "negative": {"prompt_tokens": 10, "completion_tokens": -(10**9), "total_tokens": 1},
    "negative input": {"prompt_tokens": -(10**9), "completion_tokens": 1, "total_tokens": 1},
    "zero": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    "no output": {"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10},
    "huge": {"prompt_tokens": 10**30, "completion_tokens": 1, "total_tokens": 1},
}


@pytest.mark.parametrize("usage", USAGES)
async def test_a_provider_that_does_not_say_what_its_replies_took(
    usage: str, httpserver: HTTPServer, tmp_path: Path, cache: Path
) -> None:
    """The naive run believes it, and goes on for as long as its server calls tools."""
    arguments = {"name": "glob", "arguments": '{"pattern": "*"}'}
    call = {"index": 0, "id": "c", "type": "function", "function": arguments}
    body = SAYS_HI + chunk({"tool_calls": [call]}) + chunk({}, "tool_calls")
    if USAGES[usage] is not None:
        last = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        body += f"data: {json.dumps({**last, 'choices': [], 'usage': USAGES[usage]})}\n\n"
    httpserver.expect_request("/chat/completions").respond_with_data(
        body + DONE, content_type="text/event-stream"
    )
    model = DirectModel(Endpoint(PROVIDERS["openai"], "m", httpserver.url_for(""), "sk-key"))
    home = Home(tmp_path / "config", tmp_path / "state", cache)
    home.config.mkdir(mode=0o700)
    (home.config / "config.toml").write_text("[budget.day]\ntokens = 40000\n")
    folder = tmp_path / "workspace"
    folder.mkdir()
    budget, given = budget_of({"tokens": 30_000, "turns": 9})
    settings = Settings(folder, (), budget=budget, budget_given=frozenset(given))
    async with (
        app.local_engine(home=home) as engine,
        app.session(engine, settings) as session,
        session.run("do it", model) as stream,
    ):
        events = [event async for event in stream]
    end = events[-1]
    assert isinstance(end, RunFinished) and isinstance(end.outcome, TokenLimit)
    assert end.spent.turns < 5 and end.spent.usage.total > 15_000
    assert sum("did not say" in e.message for e in events if isinstance(e, Warned)) == 1
