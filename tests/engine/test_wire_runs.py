"""Whole runs through the providers' real SDKs, against the fake server on loopback (issue, 6)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.agent.events import Event, RunFinished, ToolFinished
from capbox.agent.incidents import Recovering, Retrying
from capbox.agent.outcome import Completed, ModelFailed, Outcome
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


@pytest.fixture(params=["anthropic", "google", "openai", "openai-responses"])
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
    base_url = server.url + ("/v1" if provider.startswith("openai") else "")
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


def codes(events: list[Event]) -> list[str | None]:
    """What each call came to: the code of its error, None: it did what it should."""
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    return [None if one.error is None else one.error.code for one in results]


async def test_arguments_that_are_not_json_go_back_to_the_model_and_run_nothing(
    play: Callable[[FakeLlm], list[Event]], workspace: Path, provider: str
) -> None:
    broken = {"name": "write", "arguments": '{"path": "a.txt", "content": '}
    spoiled: Json = {"tool_calls": [broken]}
    if provider == "google":
        # They are an object on this wire: the provider says that it is none, and is asked again.
        spoiled = {"tool_calls": [EDIT], "fault": "malformed_tool_json"}
        replies = [spoiled, {"text": "Done."}]
    else:
        replies = [spoiled, {"tool_calls": [EDIT]}, {"text": "Done."}]
    with serving(replies) as server:
        events = await play(server)
    assert codes(events) == ([None] if provider == "google" else ["invalid_arguments", None])
    assert (workspace / "a.txt").read_text() == "omega\n"


B_EDIT = {"name": "edit", "arguments": {"path": "b.txt", "old": "beta", "new": "gamma"}}
REFUSED = ModelFailed("refused", "the provider's filter ended the reply")


@pytest.mark.parametrize(
    ("fault", "outcome", "codes_of_calls", "recovered"),
    [
        ("unknown_tool", Completed(), ["unknown_tool", "unknown_tool", None, None], []),
        ("huge_tool_call", Completed(), ["invalid_arguments"] * 2 + [None, None], []),
        ("duplicate_ids", Completed(), [None, None], []),
        ("empty", Completed(), [None, None], ["empty"]),
        ("length", Completed(), [None, None], ["length"]),
        ("refusal", REFUSED, [], []),
        (["empty", "length", "empty"], Completed(), [None, None], ["empty", "length", "empty"]),
    ],
)
async def test_a_reply_that_is_not_the_right_one_is_got_over_or_told(
    play: Callable[[FakeLlm], list[Event]],
    workspace: Path,
    fault: Json,
    outcome: Outcome,
    codes_of_calls: list[str | None],
    recovered: list[str],
) -> None:
    few: Json = {"input_tokens": 9, "output_tokens": 9}
    edits: dict[str, Json] = {"text": "I edit.", "tool_calls": [EDIT, B_EDIT], "usage": few}
    replies: list[Json] = [
        {"after": "edit", **edits, "fault": fault},
        {"after": "b.txt: ", "text": "Done.", "usage": few},
    ]
    with serving(replies) as server:
        events = await play(server)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].outcome == outcome
    assert codes(events) == codes_of_calls
    assert [event.problem for event in events if isinstance(event, Recovering)] == recovered
    done = ("omega\n", "gamma\n") if codes_of_calls else ("alpha\n", "beta\n")
    assert ((workspace / "a.txt").read_text(), (workspace / "b.txt").read_text()) == done


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 429, "retry_after": 0.01}, "rate_limit"),
        ({"status": 429}, "rate_limit"),
        ({"status": 500}, "provider"),
        ({"status": 529}, "overloaded"),
        ("malformed_event", "provider"),
    ],
)
async def test_a_request_that_fails_is_sent_again_and_its_calls_run_once(
    play: Callable[[FakeLlm], list[Event]], workspace: Path, fault: Json, kind: str
) -> None:
    with serving([{"tool_calls": [EDIT], "fault": fault}, {"text": "Done."}]) as server:
        events = await play(server)
    assert [event.kind for event in events if isinstance(event, Retrying)] == [kind]
    assert codes(events) == [None]
    assert isinstance(events[-1], RunFinished)
    assert events[-1].outcome == Completed()


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
