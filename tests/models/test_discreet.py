"""A server that repeats the key it was sent gets it into nothing that is kept or shown."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.broker.redact import Redactor
from capbox.messages import AssistantMessage, ToolCall, Usage
from capbox.models.discreet import DiscreetModel
from capbox.models.model import (
    ModelError,
    ModelEvent,
    ModelRequest,
    Reply,
    TextDelta,
    ThinkingDelta,
)
from capbox.models.open import open_model

KEY = "sk-test-0123456789abcdef"
MARK = "[secret:OPENAI_API_KEY]"
REQUEST = ModelRequest("", ())


@dataclass(frozen=True)
class Replaying:
    """Yields these events, then raises the error if there is one."""

    events: tuple[ModelEvent, ...]
    error: ModelError | None = None
    name: str = "openai/x"

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        for event in self.events:
            yield event
        if self.error is not None:
            raise self.error


def discreet(model: Replaying) -> DiscreetModel:
    return DiscreetModel(model, Redactor({"OPENAI_API_KEY": KEY}))


async def heard(model: Replaying) -> list[ModelEvent]:
    return [event async for event in discreet(model).stream(REQUEST)]


def reply(text: str, *calls: ToolCall, thinking: str = "") -> Reply:
    return Reply(AssistantMessage(text, calls, thinking), Usage(), None, "end")


async def test_every_part_of_a_reply_is_cleaned() -> None:
    call = ToolCall("id", "bash", {"script": f"echo {KEY}", KEY: [KEY]})
    encoded = b64encode(KEY.encode()).decode()
    [event] = await heard(Replaying((reply(f"a {KEY}", call, thinking=encoded),)))
    cleaned = ToolCall("id", "bash", {"script": f"echo {MARK}", MARK: [MARK]})
    assert event == reply(f"a {MARK}", cleaned, thinking=MARK)


async def test_arguments_that_are_no_json_are_cleaned() -> None:
    [event] = await heard(Replaying((reply("", ToolCall("id", "x", {}, malformed=f"{{{KEY}")),)))
    assert event == reply("", ToolCall("id", "x", {}, malformed=f"{{{MARK}"))


async def test_an_error_is_cleaned_and_keeps_its_kind() -> None:
    failing = Replaying((), ModelError("authentication", f"no such key: {KEY}"))
    with pytest.raises(ModelError) as raised:
        await heard(failing)
    assert (raised.value.kind, raised.value.message) == ("authentication", f"no such key: {MARK}")
    assert KEY not in repr(raised.value.__context__ if raised.value.__cause__ else "")


@given(st.text(max_size=20), st.text(max_size=20), st.lists(st.integers(0, 80), max_size=6))
async def test_a_key_in_pieces_is_found_and_the_rest_stays(
    before: str, after: str, cuts: list[int]
) -> None:
    whole = before + KEY + after
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(places)]
    texts = tuple(TextDelta(piece) for piece in pieces)
    thoughts = tuple(ThinkingDelta(piece) for piece in pieces)
    events = await heard(Replaying((*texts, *thoughts, reply(whole))))
    expected = Redactor({"OPENAI_API_KEY": KEY}).text(whole)
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == expected
    assert "".join(e.text for e in events if isinstance(e, ThinkingDelta)) == expected
    assert isinstance(events[-1], Reply)
    assert KEY not in expected


def test_a_model_with_a_key_is_discreet_and_one_without_needs_not_be() -> None:
    assert isinstance(open_model("openai/x", api_key=KEY), DiscreetModel)
    assert not isinstance(open_model("openai/x", base_url="http://127.0.0.1:1/v1"), DiscreetModel)
