"""Budgets of whole runs: with a scripted model, on real files, with the real tools."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from capbox.agent.events import RunFinished, ToolFinished, Warned
from capbox.agent.outcome import BudgetExceeded, BudgetUsedUp, Completed, exit_code
from capbox.engine.budgets.given import budget_of
from capbox.engine.budgets.purses import Purses
from capbox.engine.home import Home
from capbox.engine.session import Session
from capbox.engine.settings import Settings, SettingsError
from capbox.messages import AssistantMessage, ToolResult, Usage
from capbox.models.model import ModelEvent, ModelRequest, Reply
from capbox.models.scripted import ScriptedModel

OpenSession = Callable[..., Session]
Script = Callable[..., ScriptedModel]
WRITE = ("write:/workspace",)


def limited(**amounts: float | str) -> dict[str, object]:
    budget, given = budget_of(amounts)
    return {"budget": budget, "budget_given": frozenset(given)}


@pytest.fixture
def config(home: Home) -> Callable[[str], None]:
    """Write the operator's configuration."""

    def write(text: str) -> None:
        home.config.mkdir(parents=True, exist_ok=True)
        (home.config / "config.toml").write_text(text)

    return write


async def finished(session: Session, model: object) -> tuple[RunFinished, list[object]]:
    async with session.run("do it", model) as stream:  # type: ignore[arg-type]
        events = [event async for event in stream]
    assert isinstance(events[-1], RunFinished)
    return events[-1], events


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def code(result: ToolResult) -> str | None:
    return None if result.error is None else result.error.code


async def test_direct_calls_have_the_bounds_that_were_named_and_no_others(
    open_session: OpenSession,
) -> None:
    async with open_session(*WRITE, **limited(calls=2)) as session:
        codes = [code(await session.call("bash", {"script": f"echo {n}"})) for n in range(3)]
    assert codes == [None, None, "budget_exceeded"]
    async with open_session(*WRITE, **limited(asks=0, usd=0, turns=0)) as session:
        assert code(await session.call("bash", {"script": "echo"})) is None


async def test_so_many_files_are_changed_and_no_more_whatever_a_script_tries(
    open_session: OpenSession, workspace: Path
) -> None:
    script = "for n in 1 2 3 4 5 6; do echo x > n$n; done; mkdir d; mv a.txt c.txt; rm b.txt"
    before = names(workspace)
    async with open_session(*WRITE, **limited(files=3)) as session:
        result = await session.call("bash", {"script": script})
        # What was changed may be changed again.
        again = await session.call("write", {"path": "n1", "content": "more"})
        other = await session.call("write", {"path": "n4", "content": "more"})
    assert names(workspace) - before == {"n1", "n2", "n3"}
    assert (workspace / "a.txt").exists() and (workspace / "b.txt").exists()
    assert (again.ok, other.ok) == (True, False)
    assert "files: 3 of 3 used; only a person can raise it: --budget files=" in str(result.denied)


async def test_a_run_that_has_no_calls_left_ends(
    open_session: OpenSession, script: Script, config: Callable[[str], None]
) -> None:
    config("[budget.day]\ncalls = 2\n")
    calls = [("bash", {"script": f"echo {n}"}) for n in range(4)]
    async with open_session(*WRITE) as session:
        end, events = await finished(session, script(calls, "never"))
    assert isinstance(end.outcome, BudgetUsedUp) and exit_code(end.outcome) == 4
    assert "calls: 2 of 2 used" in end.outcome.message
    assert "[budget.day] calls= in config.toml" in end.outcome.message
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    assert [code(result) for result in results][:3] == [None, None, "budget_exceeded"]


async def test_runs_of_one_day_share_its_budget_across_sessions(
    open_session: OpenSession, script: Script, config: Callable[[str], None]
) -> None:
    config("[budget.day]\nturns = 3\n")
    outcomes = []
    for _ in range(3):
        async with open_session() as session:
            end, _ = await finished(session, script([("glob", {"pattern": "*"})], "done"))
            outcomes.append(type(end.outcome))
    assert outcomes == [Completed, BudgetUsedUp, BudgetUsedUp]


async def test_warnings_are_events_of_a_run_and_in_its_journal(
    open_session: OpenSession, script: Script
) -> None:
    calls = [[("bash", {"script": f"echo {n}"})] for n in range(5)]
    async with open_session(*WRITE, **limited(calls=5)) as session:
        _, events = await finished(session, script(*calls, "done"))
    warned = [event.message for event in events if isinstance(event, Warned)]
    assert warned == [
        "the budget of this run: calls: 4 of 5 used (80 %)",
        "the budget of this run: calls: 5 of 5 used (100 %)",
    ]


@dataclass
class Paid:
    """A model whose replies have a price; it remembers what it was asked for."""

    usd: float | None
    replies: int
    dear: float | None = None
    asked: tuple[int, ...] = ()
    name: str = "test/paid"

    def most_usd(self, input_tokens: int, output_tokens: int) -> float | None:
        return None if self.dear is None else self.dear * output_tokens

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        self.asked = (*self.asked, request.max_output_tokens)
        text = "done" if len(self.asked) > self.replies else ""
        most = self.most_usd(1, request.max_output_tokens)
        usd = self.usd if self.usd is None or most is None else min(self.usd, most)
        yield Reply(AssistantMessage(text), Usage(1, 1), usd, "end")


async def test_a_model_without_a_price_is_refused_where_dollars_are_bounded(
    open_session: OpenSession, config: Callable[[str], None]
) -> None:
    async with open_session(**limited(usd=1)) as session:
        with pytest.raises(SettingsError, match="no price is known for test/paid") as refused:
            await finished(session, Paid(None, 0))
    assert refused.value.subject == "--budget usd="
    async with open_session() as session:
        assert (await finished(session, Paid(None, 0)))[0].outcome == Completed()
    config("[budget.day]\nusd = 1\n")
    async with open_session() as session:
        with pytest.raises(SettingsError, match="no price is known") as refused:
            await finished(session, Paid(None, 0))
    assert refused.value.subject == "[budget.day] usd"


async def test_a_model_to_fall_back_on_needs_a_price_too_where_dollars_are_bounded(
    workspace: Path,
) -> None:
    purses = Purses(Settings(workspace=workspace, **limited(usd=1)))
    priced, unpriced = Paid(0.1, 0, dear=1e-6), Paid(None, 0, name="test/free")
    await purses.spending(priced, priced)
    with pytest.raises(SettingsError, match="no price is known for test/free"):
        await purses.spending(priced, unpriced)
    await Purses(Settings(workspace=workspace)).spending(priced, unpriced)


async def test_a_turn_is_asked_for_no_more_output_than_can_be_paid(
    open_session: OpenSession,
) -> None:
    model = Paid(0.5, replies=9, dear=0.0005)  # 0.5 USD a reply, 1,000 tokens of output at most
    async with open_session(**limited(usd=1.2)) as session:
        end, _ = await finished(session, model)
    assert isinstance(end.outcome, BudgetExceeded)
    assert model.asked == (2_400, 1_399, 399)
    assert end.spent.usd is not None and 1.19 < end.spent.usd <= 1.2


async def test_a_person_may_raise_what_a_run_has_and_not_what_the_day_has(
    open_session: OpenSession, config: Callable[[str], None]
) -> None:
    async def yes(limit: object) -> bool:
        return True

    config("[budget.day]\nturns = 4\n")
    model = Paid(0.0, replies=2, dear=0.0)
    async with (
        open_session(**limited(turns=1)) as session,
        session.run("do it", model, ask_more=yes) as stream,
    ):
        events = [event async for event in stream]
    assert events[-1].outcome == Completed() and len(model.asked) == 3  # type: ignore[union-attr]
    async with (
        open_session(**limited(turns=1)) as session,
        session.run("do it", Paid(0.0, 2, 0.0), ask_more=yes) as stream,
    ):
        events = [event async for event in stream]
    assert isinstance(events[-1].outcome, BudgetUsedUp)  # type: ignore[union-attr]


async def test_a_flag_beyond_the_configuration_and_an_unknown_key_are_refused(
    open_session: OpenSession, config: Callable[[str], None]
) -> None:
    config("[budget]\ncalls = 3\n")
    with pytest.raises(SettingsError, match="more than"):
        open_session(**limited(calls=4))
    for text in ("[budget]\ncall = 3\n", "[budget.days]\ncalls = 3\n", "[budget]\nday = 3\n"):
        config(text)
        with pytest.raises(SettingsError):
            open_session()


async def test_an_account_that_cannot_be_read_refuses_and_is_kept(
    open_session: OpenSession, script: Script, config: Callable[[str], None], home: Home
) -> None:
    config("[budget.day]\nturns = 3\n")
    home.prepare()
    (home.state / "spending.db").write_bytes(b"x" * 5_000)
    async with open_session() as session:
        end, _ = await finished(session, script("done"))
    assert isinstance(end.outcome, BudgetUsedUp) and "left as it is" in end.outcome.message
    assert (home.state / "spending.db").read_bytes() == b"x" * 5_000
