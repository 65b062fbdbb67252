"""Events: one JSON-lines schema, the same keys each time."""

from __future__ import annotations

import json
import re
from pathlib import Path

from inline_snapshot import snapshot

from capbox.agent import events, incidents
from capbox.agent.outcome import Completed, TurnLimit
from capbox.messages import (
    AssistantMessage,
    Denial,
    Effect,
    Spent,
    SummaryMessage,
    ToolCall,
    ToolFailure,
    ToolResult,
    Usage,
)

CALL = ToolCall("c1", "read", {"path": "a.txt"})
ONE_OF_EACH: tuple[events.Event, ...] = (
    events.RunStarted("r1", "tidy up", "scripted:x", ("read",), ("read:/workspace",)),
    events.ThinkingDelta("hm"),
    events.TextDelta("I will"),
    events.ModelReply(
        AssistantMessage("I will", (CALL,), "hm"), Usage(1, 2, 3, 4), 0.25, "tool_calls"
    ),
    events.ToolStarted(CALL),
    events.ToolStarted(ToolCall("c2", "read", {}, malformed="{")),
    events.ToolFinished(
        CALL,
        ToolResult(
            False,
            "",
            error=ToolFailure("denied", "no"),
            denied=(Denial("read /etc/x", "no grant", "read:/etc/x", "--read /etc/x"),),
            effects=(Effect("read", "/workspace/a.txt", "/home/a/a.txt", 5),),
            spent=Spent(3, None, 100, 5),
        ),
    ),
    events.Warned("careful"),
    events.LimitAsked(TurnLimit(50), granted=False),
    incidents.Retrying(1, 0.5, "rate_limit", "slow down"),
    incidents.ReplyTakenBack("the connection closed"),
    incidents.Recovering("empty", 1),
    incidents.FellBack("anthropic/a", "openai/b", "busy"),
    incidents.Steered("rather in French"),
    incidents.Paused(),
    incidents.Resumed(),
    incidents.StopRefused("the tests fail"),
    incidents.Compressed(
        SummaryMessage("so far", 2, ("web:https://a.example",)), 900, 90, Usage(9, 8), 0.5
    ),
    incidents.CompressionFailed("it was empty", True, Usage(9, 0), None),
    events.RunFinished(Completed(), "done", events.RunSpent(2, 1, 1_500, Usage(1, 2, 3, 4), None)),
)


def test_the_schema_of_every_event() -> None:
    assert [json.loads(json.dumps(event.to_json())) for event in ONE_OF_EACH] == snapshot(
        [
            {
                "type": "run_started",
                "run": "r1",
                "task": "tidy up",
                "model": "scripted:x",
                "tools": ["read"],
                "grants": ["read:/workspace"],
            },
            {"type": "thinking_delta", "text": "hm"},
            {"type": "text_delta", "text": "I will"},
            {
                "type": "model_reply",
                "text": "I will",
                "thinking": "hm",
                "tool_calls": [
                    {"id": "c1", "name": "read", "arguments": {"path": "a.txt"}, "malformed": None}
                ],
                "usage": {
                    "input_tokens": 1,
                    "output_tokens": 2,
                    "cache_read_tokens": 3,
                    "cache_write_tokens": 4,
                },
                "usd": 0.25,
                "stop": "tool_calls",
            },
            {
                "type": "tool_started",
                "id": "c1",
                "name": "read",
                "arguments": {"path": "a.txt"},
                "malformed": None,
            },
            {"type": "tool_started", "id": "c2", "name": "read", "arguments": {}, "malformed": "{"},
            {
                "type": "tool_finished",
                "id": "c1",
                "name": "read",
                "result": {
                    "ok": False,
                    "content": "",
                    "data": None,
                    "error": {"code": "denied", "message": "no"},
                    "denied": [
                        {
                            "access": "read /etc/x",
                            "reason": "no grant",
                            "missing": "read:/etc/x",
                            "flag": "--read /etc/x",
                        }
                    ],
                    "effects": [
                        {
                            "action": "read",
                            "path": "/workspace/a.txt",
                            "host_path": "/home/a/a.txt",
                            "bytes": 5,
                        }
                    ],
                    "spent": {"wall_ms": 3, "fuel": None, "memory_bytes": 100, "output_bytes": 5},
                    "truncated": False,
                    "journal": None,
                    "sources": [],
                },
            },
            {"type": "warning", "message": "careful"},
            {
                "type": "limit_asked",
                "limit": "turn_limit",
                "reason": "all 50 turns are used",
                "granted": False,
            },
            {
                "type": "retrying",
                "attempt": 1,
                "seconds": 0.5,
                "kind": "rate_limit",
                "reason": "slow down",
            },
            {"type": "reply_taken_back", "reason": "the connection closed"},
            {"type": "recovering", "problem": "empty", "attempt": 1},
            {
                "type": "fell_back",
                "failed": "anthropic/a",
                "model": "openai/b",
                "reason": "busy",
            },
            {"type": "steered", "text": "rather in French"},
            {"type": "paused"},
            {"type": "resumed"},
            {"type": "stop_refused", "text": "the tests fail"},
            {
                "type": "compressed",
                "text": "so far",
                "kept": 2,
                "sources": ["web:https://a.example"],
                "before_tokens": 900,
                "after_tokens": 90,
                "usage": {
                    "input_tokens": 9,
                    "output_tokens": 8,
                    "cache_read_tokens": 0,
                    "cache_write_tokens": 0,
                },
                "usd": 0.5,
            },
            {
                "type": "compression_failed",
                "reason": "it was empty",
                "given_up": True,
                "usage": {
                    "input_tokens": 9,
                    "output_tokens": 0,
                    "cache_read_tokens": 0,
                    "cache_write_tokens": 0,
                },
                "usd": None,
            },
            {
                "type": "run_finished",
                "outcome": "completed",
                "reason": "the model ended its work",
                "exit_code": 0,
                "text": "done",
                "spent": {
                    "turns": 2,
                    "tool_calls": 1,
                    "wall_ms": 1500,
                    "usage": {
                        "input_tokens": 1,
                        "output_tokens": 2,
                        "cache_read_tokens": 3,
                        "cache_write_tokens": 4,
                    },
                    "usd": None,
                },
            },
        ]
    )


def test_every_kind_of_event_is_in_the_schema_test() -> None:
    assert {type(event) for event in ONE_OF_EACH} == set(events.Event.__args__)


def test_every_event_is_in_the_table_of_the_docs_with_its_keys() -> None:
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
    rows = [row.split("|")[1:3] for row in page.splitlines() if row.startswith("| `")]
    listed = {kind: cell.strip(" `") for kinds, cell in rows for kind in re.findall(r"\w+", kinds)}
    told = {str(event.to_json()["type"]): [*event.to_json()][1:] for event in ONE_OF_EACH}
    assert {kind: keys.split() for kind, keys in listed.items()} == told
