"""Three hundred turns through the providers' real SDKs, over a server that fails in every way.

Acceptance 2 of issue 6. The server chooses each reply by what the conversation says was done last,
so a reply that is lost, spoiled or summed up never costs or repeats a step.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from capbox.agent.events import Event, ModelReply, RunFinished, ToolFinished
from capbox.agent.incidents import Compressed, Recovering, Retrying
from capbox.agent.machine.recovery import MESSAGES
from capbox.agent.outcome import Completed
from capbox.authority.budget import Budget
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.engine.sessions.resuming import resumed
from capbox.messages import (
    AssistantMessage,
    Json,
    Message,
    SummaryMessage,
    ToolMessage,
    UserMessage,
)
from capbox.models.catalog.override import Override
from capbox.models.catalog.table import PROVIDERS
from capbox.models.direct import DirectModel
from capbox.models.fake_llm.plan import plan_of
from capbox.models.fake_llm.server import FakeLlm
from capbox.models.providers.endpoint import Endpoint
from capbox.models.script import ScriptError, parse_script

WINDOW_TOKENS = 8_000
STALL_SECONDS = 2.0
FOREVER, SHORTLY = 600, 0.02
BASES = {"anthropic": "", "google": "", "openai": "/v1", "openai-responses": "/v1"}

# How often each strikes. What is sent again waits half a second on average, here as outside.
FAULTS: tuple[tuple[int, dict[str, Json]], ...] = (
    (1, {"fault": {"status": 429, "retry_after": 0.01}}),
    (2, {"fault": {"status": 429}}),
    (1, {"fault": {"status": 500}}),
    (2, {"fault": {"status": 529}}),
    (2, {"fault": "cut"}),
    (1, {"fault": "error_event"}),
    (2, {"fault": "malformed_event"}),
    (1, {"fault": "slow", "seconds": FOREVER}),
    (1, {"fault": "stall", "seconds": FOREVER}),
    (3, {"fault": "slow", "seconds": SHORTLY}),
    (3, {"fault": "stall", "seconds": SHORTLY}),
    (4, {"fault": "malformed_tool_json"}),
    (6, {"fault": "unknown_tool"}),
    (2, {"fault": "huge_tool_call"}),
    (8, {"fault": "duplicate_ids"}),
    (3, {"fault": "overflow"}),
    (6, {"fault": "empty"}),
    (6, {"fault": "length"}),
    (2, {"fault": ["empty", "length", "empty"]}),
    (1, {"fault": ["length", "unknown_tool", "cut", "empty"]}),
)


def entries(turns: int) -> list[Json]:
    """The replies, each for what was written last, with the faults at places of a fixed seed.

    A summary says how far the work is, as a model's would; every fourth fails at first.
    """
    struck = [fault for times, fault in FAULTS for _ in range(times)]
    # Not before there is enough of a conversation to sum up.
    faults = dict(zip(Random(6).sample(range(20, turns), len(struck)), struck, strict=True))
    listed: list[Json] = []
    for number in range(turns):
        after: dict[str, Json] = {"after": done(number - 1)} if number else {}
        calls: list[Json] = [write(f"f{number}.txt"), write(f"g{number}.txt")]
        listed.append({**after, "tool_calls": calls, **faults.get(number, {})})
        summary: dict[str, Json] = {"text": f"## Files touched\nall, {done(number)}"}
        busy: dict[str, Json] = {} if number % 4 else {"fault": {"status": 529}}
        listed.append({"system": "You sum up", "after": done(number), **summary, **busy})
    return [*listed, {"after": done(turns - 1), "text": "All written."}]


def write(name: str) -> Json:
    return {"name": "write", "arguments": {"path": name, "content": content(name)}}


def content(name: str) -> str:
    return f"{name}\n" * 9


def done(number: int) -> str:
    """What the tool says of the second file of a turn; of one that was there it says otherwise."""
    return f"created g{number}.txt:"


def serving(turns: int) -> FakeLlm:
    script = parse_script(json.dumps(entries(turns)), "script.json")
    assert not isinstance(script, ScriptError), script
    plan = plan_of(script, "script.json")
    assert not isinstance(plan, ScriptError), plan
    return FakeLlm(plan)


def connected(server: FakeLlm, provider: str) -> DirectModel:
    known = Override(context_tokens=WINDOW_TOKENS, input_usd=0.0, output_usd=0.0)
    url, served = server.url + BASES[provider], PROVIDERS[provider]
    return DirectModel(Endpoint(served, "some-model", url, "sk-not-a-key", STALL_SECONDS, known))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("provider", "turns"),
    [("anthropic", 300), ("google", 100), ("openai", 100), ("openai-responses", 100)],
)
async def test_hundreds_of_turns_over_a_server_that_fails_in_every_way(
    open_session: Callable[..., Session],
    engine: LocalEngine,
    workspace: Path,
    provider: str,
    turns: int,
) -> None:
    budget = Budget(turns=2_000, tool_calls=2_000, tokens=100_000_000)
    with serving(turns) as server:
        async with (
            open_session("write:/workspace", budget=budget, tools=("write",)) as session,
            session.run("write them", connected(server, provider)) as stream,
        ):
            events: list[Event] = [event async for event in stream]
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    assert (finished.outcome, finished.text) == (Completed(), "All written.")
    check_the_files(workspace, events, turns)
    check_what_went_wrong(events)
    talk = await resumed(engine.sessions, None, workspace, "a test")
    talk.held.release()
    check_the_transcript(talk.history, events)


def check_the_files(workspace: Path, events: list[Event], turns: int) -> None:
    """Every file is there, and was written once."""
    names = [f"{letter}{number}.txt" for number in range(turns) for letter in "fg"]
    written = [
        e.call.arguments["path"] for e in events if isinstance(e, ToolFinished) and e.result.ok
    ]
    assert written == names
    there = {path.name: path.read_text() for path in workspace.glob("[fg]*.txt")}
    assert there == {name: content(name) for name in names}


def check_what_went_wrong(events: list[Event]) -> None:
    """Each fault was met and got over, in no more recoveries in a row than there may be."""
    recoveries = [event for event in events if isinstance(event, Recovering)]
    assert max(event.attempt for event in recoveries) == 3
    assert {event.problem for event in recoveries} >= {"empty", "length", "overflow"}
    retried = {event.kind for event in events if isinstance(event, Retrying)}
    assert retried == {"rate_limit", "overloaded", "provider", "cut", "stalled"}
    failed = [e.result.error.code for e in events if isinstance(e, ToolFinished) and e.result.error]
    assert {"unknown_tool", "invalid_arguments"} <= set(failed)
    assert sum(isinstance(event, Compressed) for event in events) >= 2


def check_the_transcript(history: tuple[Message, ...], events: list[Event]) -> None:
    """All that was said is stored, in order: what was summed up too, and what was of no use."""
    went_on = [
        MESSAGES[e.problem] for e in events if isinstance(e, Recovering) and e.problem in MESSAGES
    ]
    said = [message.text for message in history if isinstance(message, UserMessage)]
    assert said == ["write them", *went_on]
    replies = [event.message for event in events if isinstance(event, ModelReply)]
    assert [one for one in history if isinstance(one, AssistantMessage)] == replies
    called = [
        (event.call.id, event.call.name) for event in events if isinstance(event, ToolFinished)
    ]
    results = [message for message in history if isinstance(message, ToolMessage)]
    assert [(one.call_id, one.name) for one in results] == called
    summaries = [event.message for event in events if isinstance(event, Compressed)]
    assert [one for one in history if isinstance(one, SummaryMessage)] == summaries
    assert len(history) == len(said) + len(replies) + len(results) + len(summaries)
