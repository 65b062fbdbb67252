"""Whole runs through the providers' real SDKs, against the fake server on loopback (issue, 6)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.agent.events import Event, RunFinished, ToolFinished
from capbox.agent.incidents import Retrying
from capbox.agent.outcome import Completed, ModelFailed
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.journal.verify import Closed
from capbox.messages import Json
from capbox.models.catalog.table import PROVIDERS
from capbox.models.direct import DirectModel
from capbox.models.fake_llm.plan import plan_of
from capbox.models.fake_llm.server import FakeLlm
from capbox.models.providers.endpoint import Endpoint
from capbox.models.script import ScriptError, parse_script

EDIT = {"name": "edit", "arguments": {"path": "a.txt", "old": "alpha", "new": "omega"}}


@pytest.fixture(params=["anthropic", "openai", "openai-responses"])
def provider(request: pytest.FixtureRequest) -> str:
    return request.param


def serving(entries: list[Json]) -> FakeLlm:
    """A server that plays these replies."""
    script = parse_script(json.dumps(entries), "script.json")
    assert not isinstance(script, ScriptError), script
    plan = plan_of(script, "script.json")
    assert not isinstance(plan, ScriptError), plan
    return FakeLlm(plan)


def connected(server: FakeLlm, provider: str) -> DirectModel:
    base_url = server.url if provider == "anthropic" else server.url + "/v1"
    return DirectModel(Endpoint(PROVIDERS[provider], "some-model", base_url, "sk-not-a-key", 20.0))


@pytest.fixture
def play(engine: LocalEngine, workspace: Path, provider: str) -> Callable[[FakeLlm], list[Event]]:
    """Run a task with write access to the workspace on what a server plays."""

    async def played(server: FakeLlm) -> list[Event]:
        async with Box(workspace=workspace, grants=["write:/workspace"], engine=engine) as box:
            return [e async for e in box.run("edit", model=connected(server, provider))]

    return played


async def test_a_run_edits_a_granted_file_and_is_refused_outside(
    play: Callable[[FakeLlm], list[Event]], workspace: Path, tmp_path: Path, records: object
) -> None:
    (workspace / "way-out").symlink_to(tmp_path / "outside")
    script = "cat way-out/o.txt; echo x > way-out/o.txt; echo x > /etc/hostname"
    outside = {"name": "edit", "arguments": {"path": "/etc/hostname", "old": "o", "new": "x"}}
    shell = {"name": "bash", "arguments": {"script": script}}
    replies = [{"tool_calls": [EDIT]}, {"tool_calls": [outside, shell]}, {"text": "Edited one."}]
    with serving(replies) as server:
        events = await play(server)
        last_request = json.dumps(server.received[-1].body)
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    assert [(r.ok, [d.missing for d in r.denied][:1]) for r in results[:2]] == [
        (True, []),
        (False, ["write:/etc/hostname"]),
    ]
    assert results[2].denied and "outside\n" not in results[2].content
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].outcome, events[-1].text) == (Completed(), "Edited one.")
    assert (workspace / "a.txt").read_text() == "omega\n"
    assert (tmp_path / "outside" / "o.txt").read_text() == "outside\n"
    # The model was told what it lacked, in the provider's own format.
    assert "write:/etc/hostname" in last_request
    assert records.verdicts() == (Closed(results[0].journal, 10),)


async def test_arguments_that_are_not_json_go_back_to_the_model_and_run_nothing(
    play: Callable[[FakeLlm], list[Event]], workspace: Path
) -> None:
    broken = {"name": "write", "arguments": '{"path": "a.txt", "content": '}
    with serving([{"tool_calls": [broken]}, {"tool_calls": [EDIT]}, {"text": "Done."}]) as server:
        events = await play(server)
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    assert [r.error.code if r.error else None for r in results] == ["invalid_arguments", None]
    assert (workspace / "a.txt").read_text() == "omega\n"


@pytest.mark.parametrize("fault", ["cut", "error_event"])
async def test_a_reply_that_breaks_off_is_asked_for_again_and_its_calls_run_once(
    play: Callable[[FakeLlm], list[Event]], workspace: Path, fault: str
) -> None:
    with serving([{"tool_calls": [EDIT], "fault": fault}, {"text": "Done."}]) as server:
        events = await play(server)
    assert len([event for event in events if isinstance(event, Retrying)]) == 1
    assert [event.result.ok for event in events if isinstance(event, ToolFinished)] == [True]
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].outcome, events[-1].text) == (Completed(), "Done.")
    assert (workspace / "a.txt").read_text() == "omega\n"


async def test_a_key_that_is_refused_ends_the_run_at_once(
    play: Callable[[FakeLlm], list[Event]], workspace: Path
) -> None:
    with serving([{"tool_calls": [EDIT], "fault": {"status": 401}}, {"text": "Done."}]) as server:
        events = await play(server)
        asked = len(server.received)
    assert isinstance(events[-1], RunFinished)
    assert isinstance(events[-1].outcome, ModelFailed)
    assert (events[-1].outcome.kind, asked) == ("authentication", 1)
    assert (workspace / "a.txt").read_text() == "alpha\n"
