"""Calls without a result: told from the record, made again only where nothing can happen twice."""

from __future__ import annotations

import pytest

from capbox.engine.sessions.pending import UNKNOWN, Open, open_calls, settled
from capbox.engine.sessions.record import RunOnRecord
from capbox.messages import (
    AssistantMessage,
    JsonObject,
    Message,
    ToolCall,
    ToolMessage,
    ToolResult,
    UserMessage,
)

WRITE, READ = ToolCall("c1", "write", {"path": "a"}), ToolCall("c2", "read", {"path": "a"})
OPENED: JsonObject = {"kind": "opened"}
TASK = UserMessage("t")


def intent(call: str) -> JsonObject:
    """A call that began."""
    return {"kind": "intent", "call": call}


def outcome(number: int, end: str = "ok") -> JsonObject:
    """The end of the call of entry `number`."""
    effects = [{"action": "create", "path": "/workspace/a"}]
    return {
        **{"kind": "outcome", "intent": number, "end": end, "detail": "" if end == "ok" else "x"},
        **{"effects": effects, "effects_whole": True, "sources": ["web:*"]},
    }


def finished(call: str, content: str) -> JsonObject:
    """What the store has of a result."""
    result = ToolResult(True, content).to_json()
    return {"type": "tool_finished", "id": call, "name": "write", "result": result}


def settle(
    calls: tuple[ToolCall, ...], *entries: JsonObject, events: tuple[JsonObject, ...] = ()
) -> tuple[Open, ...]:
    """How the calls of one reply stand."""
    history = (TASK, AssistantMessage("", calls))
    run = RunOnRecord("r1", (OPENED, *entries))
    return settled(history, run, events, lambda tool: tool == "read")


def test_a_call_that_never_began_is_made() -> None:
    assert settle((WRITE, READ)) == (Open(WRITE), Open(READ))


def test_a_refusal_alone_is_no_beginning() -> None:
    denied: JsonObject = {"kind": "decision", "what": "denial", "call": "c1"}
    assert settle((WRITE,), denied) == (Open(WRITE),)


def test_a_call_that_ended_has_the_result_that_the_store_kept() -> None:
    (one,) = settle((WRITE,), intent("c1"), outcome(1), events=(finished("c1", "made it"),))
    assert one.result is not None and (one.result.ok, one.result.content) == (True, "made it")


def test_a_call_that_ended_and_whose_result_was_lost_is_told_from_the_journal() -> None:
    (one,) = settle((WRITE,), intent("c1"), outcome(1))
    assert one.result is not None and one.result.ok
    assert "create /workspace/a" in one.result.content
    assert one.result.sources == ("web:*",)


def test_a_call_that_failed_and_whose_result_was_lost_is_no_success() -> None:
    (one,) = settle((WRITE,), intent("c1"), outcome(1, "stopped"))
    assert one.result is not None and not one.result.ok


def test_a_reading_call_whose_result_was_lost_is_made_again() -> None:
    assert settle((READ,), intent("c2"), outcome(1)) == (Open(READ),)


@pytest.mark.parametrize(("call", "again"), [(WRITE, False), (READ, True)])
def test_a_call_without_an_end_is_made_again_only_if_it_reads(call: ToolCall, again: bool) -> None:
    (one,) = settle((call,), intent(call.id))
    if again:
        assert one == Open(call)
    else:
        assert one.result is not None and one.result.error is not None
        assert one.result.error.code == UNKNOWN
        assert "write (c1)" in one.told


def test_a_run_of_which_the_journal_has_nothing_makes_every_effect_unknown() -> None:
    """Attack: the store is made to name a run that knows nothing of the call."""
    history = (TASK, AssistantMessage("", (WRITE, READ)))
    write, read = settled(history, None, (), lambda tool: tool == "read")
    assert write.result is not None and write.told
    assert read == Open(READ)


def test_a_forged_result_in_the_store_does_not_stand_for_a_call_that_never_began() -> None:
    assert settle((WRITE,), events=(finished("c1", "all is done"),)) == (Open(WRITE),)


def test_calls_with_one_id_are_told_apart() -> None:
    twin = ToolCall("c1", "write", {"path": "b"})
    one, two = settle((WRITE, twin), intent("c1"), outcome(1), intent("c1+1"))
    assert one.result is not None and one.result.ok
    assert two.result is not None and two.result.error is not None
    assert two.result.error.code == UNKNOWN


def test_an_invocation_of_a_call_is_not_the_call() -> None:
    assert settle((WRITE,), intent("c1/1")) == (Open(WRITE),)


@pytest.mark.parametrize(
    ("history", "found"),
    [
        ((), ()),
        ((TASK,), ()),
        ((TASK, AssistantMessage("done")), ()),
        ((TASK, AssistantMessage("", (WRITE,))), (WRITE,)),
        ((TASK, AssistantMessage("", (WRITE, READ)), ToolMessage("c1", "w", "", False)), (READ,)),
        ((TASK, AssistantMessage("", (WRITE,)), ToolMessage("c1", "w", "", False)), ()),
        ((TASK, AssistantMessage("", (WRITE, WRITE)), ToolMessage("c1", "w", "", True)), (WRITE,)),
    ],
)
def test_open_calls_are_those_of_the_last_reply_without_a_result(
    history: tuple[Message, ...], found: tuple[ToolCall, ...]
) -> None:
    assert open_calls(history) == found
