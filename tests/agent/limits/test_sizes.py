"""What is reserved for a request before anybody has counted its tokens."""

from __future__ import annotations

import pytest

from capbox.agent.limits.spending import Spending, Turn
from capbox.messages import AssistantMessage, Attachment, Message, ToolMessage, UserMessage
from capbox.models.model import ModelRequest

IMAGE = Attachment("image/png", b"x" * 70)
PAGE, BOOK = (Attachment("application/pdf", bytes(size)) for size in (1_000, 5_000_000))


def reserved(message: Message) -> int:
    turn = Spending().begin(ModelRequest("", (message,)))
    assert isinstance(turn, Turn)
    return turn.most.input_tokens


@pytest.mark.parametrize(
    ("plain", "more", "tokens"),
    [
        (UserMessage("x"), UserMessage("x", (IMAGE,)), 10_000),
        (UserMessage("x"), UserMessage("x", (IMAGE, PAGE)), 21_000),
        (UserMessage("x"), UserMessage("x", (BOOK,)), 510_000),
        (
            ToolMessage("c", "read", "x", False),
            ToolMessage("c", "read", "x", False, attachments=(IMAGE,)),
            10_000,
        ),
        (AssistantMessage("x"), AssistantMessage("x", signature="s" * 90), 90),
    ],
)
def test_what_is_beside_the_text_is_reserved_too(
    plain: Message, more: Message, tokens: int
) -> None:
    assert reserved(more) - reserved(plain) == tokens
