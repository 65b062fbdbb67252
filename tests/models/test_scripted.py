"""The scripted model, as its users open it: from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capbox.messages import AssistantMessage, Message, ToolCall, ToolMessage, Usage, UserMessage
from capbox.models.model import (
    Model,
    ModelError,
    ModelEvent,
    ModelRequest,
    Reply,
    TextDelta,
    ThinkingDelta,
)
from capbox.models.open import ModelSpecError, open_model

SCRIPT = [
    {
        "text": "I look.",
        "thinking": "hm",
        "tool_calls": [{"name": "read", "arguments": {"path": "a"}}],
        "usage": {"input_tokens": 7, "output_tokens": 2},
    },
    {"tool_calls": [{"name": "read", "arguments": "{oops"}, {"name": "ls"}]},
    {"text": "Done."},
]
FIRST = AssistantMessage("I look.", (ToolCall("call_0_0", "read", {"path": "a"}),), "hm")
SECOND = AssistantMessage(
    "", (ToolCall("call_1_0", "read", {}, malformed="{oops"), ToolCall("call_1_1", "ls", {}))
)
ASKED = UserMessage("Go.")
ANSWERED = ToolMessage("call_0_0", "read", "text", is_error=False)


def opened(tmp_path: Path) -> Model:
    file = tmp_path / "script.json"
    file.write_text(json.dumps(SCRIPT))
    model = open_model(f"scripted:{file}")
    assert not isinstance(model, ModelSpecError), model
    return model


@pytest.mark.parametrize(
    ("history", "events"),
    [
        (
            (ASKED,),
            [
                ThinkingDelta("hm"),
                TextDelta("I look."),
                Reply(FIRST, Usage(7, 2), 0.0, "tool_calls"),
            ],
        ),
        ((ASKED, FIRST, ANSWERED), [Reply(SECOND, Usage(), 0.0, "tool_calls")]),
        (
            (ASKED, FIRST, ANSWERED, SECOND, ASKED),
            [TextDelta("Done."), Reply(AssistantMessage("Done."), Usage(), 0.0, "end")],
        ),
    ],
)
async def test_the_reply_is_chosen_by_how_many_the_conversation_holds(
    tmp_path: Path, history: tuple[Message, ...], events: list[ModelEvent]
) -> None:
    model = opened(tmp_path)
    assert [event async for event in model.stream(ModelRequest("", history))] == events


async def test_an_exhausted_script_says_so(tmp_path: Path) -> None:
    model = opened(tmp_path)
    history = (ASKED, FIRST, ANSWERED, SECOND, AssistantMessage("Done."), ASKED)
    with pytest.raises(ModelError) as raised:
        _ = [event async for event in model.stream(ModelRequest("", history))]
    assert raised.value.kind == "script"
    assert raised.value.message == f"{model.name} is exhausted: it holds 3 replies"
