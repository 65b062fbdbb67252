"""Journal entries in words: each kind, and whatever else a file may hold."""

from __future__ import annotations

import pytest

from capbox.journal.event import (
    CallEnded,
    CallIntended,
    Decided,
    Event,
    RunClosed,
    RunOpened,
    TurnEnded,
    encode,
)
from capbox.messages import Denial, Effect, JsonObject, Spent, Usage
from capbox.store.journal import Record
from capbox.surfaces.cli.record import Brief, brief, told

OPENED = RunOpened("uid 0", "/w", "id", ("read:/workspace",), (), (), 0.0)
INTENT = CallIntended("c", "read", "d", {"path": "a\nb"}, (), ("read /workspace by g",), "00", 0)
ENDED = CallEnded(
    intent=1,
    end="error",
    detail="not_found",
    effects=(Effect("list", "/workspace", "/w", 0), Effect("read", "/workspace/a", "/w/a", 7)),
    effects_whole=False,
    denied=(Denial("read /x", "no grant", None, None),),
    spent=Spent(5),
    content="",
    clock="",
)
TURN = TurnEnded(1, "openai/m", Usage(3, 4), 0.5, "end")


def record(event: Event, seq: int = 0) -> Record:
    import json

    return Record(seq, "h", json.loads(encode(event)))


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (INTENT, ['call    read {"path": "a\\nb"}', "may read /workspace by g"]),
        (
            ENDED,
            [
                "ended   error (not_found) after 5 ms",
                "did list /workspace",
                "did read /workspace/a, 7 bytes",
                "did perhaps more: the sandbox could not read back every effect",
                "denied read /x: no grant",
            ],
        ),
        (Decided("denial", "read /x", "no grant"), ["denial  read /x: no grant"]),
        (TURN, ["turn    1 of openai/m, 0.5000 USD", "stop: end; tokens: 3 input, 4 output"]),
        (TurnEnded(2, "m", Usage(), None, "length"), ["turn    2 of m", "stop: length"]),
    ],
)
def test_an_entry_is_told_in_lines(event: Event, lines: list[str]) -> None:
    assert [line.strip() for line, _ in told(record(event))] == [f"0  {lines[0]}", *lines[1:]]


def test_times_are_told_as_local_time() -> None:
    for event in (OPENED, RunClosed("ended", 0.0), Decided("lease", "s", "r", expires=0.0)):
        assert any(part in next(told(record(event)))[0] for part in ("1970-01-01", "1969-12-31"))


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"kind": "new"},
        {"kind": 3},
        {"kind": "opened", "authority": 3, "started": "x"},
        {"kind": "intent", "arguments": None, "rights": [1]},
        {"kind": "outcome", "effects": [1], "denied": {}, "spent": 1, "end": None},
        {"kind": "turn", "usage": [], "usd": "much"},
        {"kind": "\x1b[2J", "x": "\u202e"},
    ],
)
def test_an_entry_of_another_shape_ends_nothing_and_is_neutral(content: JsonObject) -> None:
    lines = [line for line, _ in told(Record(0, "h", content))]
    assert lines
    assert all(line.isprintable() for line in lines)


def test_an_entry_without_its_content_says_so() -> None:
    assert "its content is gone" in next(told(Record(3, "h", None)))[0]


def test_a_run_in_a_row_says_what_it_did_and_how_it_ended() -> None:
    denial = Decided("denial", "tool x", "unknown_tool")
    events = [OPENED, INTENT, ENDED, denial, TURN, RunClosed("completed", 9.0)]
    records = [record(event, seq) for seq, event in enumerate(events)]
    assert brief("r", records) == Brief(
        "r", 0.0, "completed", "1 turn of openai/m, 1 call, 1 refused", "/w"
    )
    assert brief("r", records[:3]) == Brief("r", 0.0, "open", "read", "/w")
    assert brief("r", []) == Brief("r", None, "open", "no call", "")
    twice = [records[0], records[1], records[1]]
    assert brief("r", twice).doing == "read (2 calls)"
