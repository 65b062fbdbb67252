"""The fake server chooses a reply by what a request holds, in every dialect."""

from __future__ import annotations

import pytest

from capbox.messages import AssistantMessage, Json, Message, ToolCall, ToolMessage, UserMessage
from capbox.models.direct import DirectModel
from capbox.models.model import ModelError, ModelRequest, Reply

GO = UserMessage("Go.")
SCRIPT: list[Json] = [
    {"text": "first"},
    {"text": "a summary", "system": "You sum up"},
    {"text": "after a", "after": "Wrote a.txt"},
    {"text": "after b", "after": "Wrote b.txt"},
]


def wrote(name: str) -> tuple[Message, Message]:
    """A call and its result; the call names what no result says."""
    call = ToolCall(f"toolu_{name}", "write", {"path": name, "content": "Wrote b.txt"})
    result = ToolMessage(call.id, "write", f"Wrote {name}.txt", is_error=False)
    return AssistantMessage("Wrote b.txt", (call,)), result


@pytest.mark.parametrize(
    ("system", "messages", "text"),
    [
        ("", (GO,), "first"),
        ("", (GO, *wrote("a")), "after a"),
        ("", (GO, *wrote("a"), *wrote("b")), "after b"),
        # Summed up, and asked to go on after a reply that was empty.
        ("", (UserMessage("Wrote b.txt, Wrote a.txt"), UserMessage("Go on.")), "after a"),
        ("You sum up the work.", (UserMessage("Wrote b.txt"),), "a summary"),
        ("Wrote a.txt", (GO,), "first"),
    ],
)
async def test_a_reply_is_that_of_what_was_said_last_and_else_of_its_number(
    serve, connect, system: str, messages: tuple[Message, ...], text: str
) -> None:
    reply = await asked(connect(serve(SCRIPT)), *messages, system=system)
    assert reply.message.text == text


async def test_a_reply_given_twice_in_a_conversation_has_calls_of_their_own_ids(
    serve, connect, provider: str
) -> None:
    call: Json = {"name": "write", "arguments": {"path": "a"}}
    entry: Json = {"after": "Go.", "tool_calls": [call], "fault": "unknown_tool"}
    model = connect(serve([entry]))
    spoiled = (await asked(model, GO)).message
    told = ToolMessage(spoiled.tool_calls[0].id, "no_such_tool", "there is none", is_error=True)
    whole = (await asked(model, GO, spoiled, told)).message
    assert [call.name for call in (*spoiled.tool_calls, *whole.tool_calls)] == [
        "no_such_tool",
        "write",
    ]
    assert spoiled.tool_calls[0].id != whole.tool_calls[0].id


async def test_faults_in_a_list_strike_one_request_each(serve, connect) -> None:
    model = connect(serve([{"text": "Hi", "fault": [{"status": 429}, "cut", "empty"]}]))
    kinds = []
    for _ in range(2):
        with pytest.raises(ModelError) as raised:
            await asked(model, GO)
        kinds.append(raised.value.kind)
    assert kinds == ["rate_limit", "cut"]
    assert [(await asked(model, GO)).message.text for _ in range(3)] == ["", "Hi", "Hi"]


async def asked(model: DirectModel, *messages: Message, system: str = "") -> Reply:
    """Return the reply to a conversation."""
    events = [event async for event in model.stream(ModelRequest(system, messages))]
    assert isinstance(events[-1], Reply)
    return events[-1]
