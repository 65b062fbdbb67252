"""What every model promises, kept by the scripted one and by each dialect's real SDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from capbox.messages import (
    AssistantMessage,
    Json,
    Message,
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
)
from capbox.models.fake_llm.plan import plan_of
from capbox.models.fake_llm.server import FakeLlm
from capbox.models.model import (
    Model,
    ModelError,
    ModelEvent,
    ModelRequest,
    Reply,
    TextDelta,
    ThinkingDelta,
    ToolSpec,
)
from capbox.models.open import ModelSpecError, open_model
from capbox.models.script import ScriptError, read_script

READ = ToolSpec("read", "Reads.", {"type": "object", "properties": {"path": {"type": "string"}}})
# The real SDKs, by provider, and what each base URL ends with.
BASES = {"anthropic": "", "google": "", "openai": "/v1", "openai-responses": "/v1"}
Says = Callable[[list[Json]], Model]


@pytest.fixture(params=["scripted", *BASES])
def says(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Says]:
    """Open a model, of each kind, that says what a script holds."""
    with ExitStack() as stack:

        def opened(entries: list[Json]) -> Model:
            file = tmp_path / "script.json"
            file.write_text(json.dumps(entries))
            if request.param == "scripted":
                model = open_model(f"scripted:{file}")
            else:
                script = read_script(file)
                assert not isinstance(script, ScriptError), script
                plan = plan_of(script, str(file))
                assert not isinstance(plan, ScriptError), plan
                server = stack.enter_context(FakeLlm(plan))
                base_url = server.url + BASES[request.param]
                model = open_model(f"{request.param}/some-model", base_url=base_url, api_key="k")
            assert not isinstance(model, ModelSpecError), model
            return model

        yield opened


async def heard(model: Model, *messages: Message) -> list[ModelEvent]:
    """Send a conversation and collect what comes back."""
    request = ModelRequest("Be brief.", messages, (READ,))
    return [event async for event in model.stream(request)]


def without_ids(message: AssistantMessage) -> AssistantMessage:
    """Forget the ids of calls, which every provider forms its own way."""
    calls = (ToolCall("", call.name, call.arguments, call.malformed) for call in message.tool_calls)
    return AssistantMessage(message.text, tuple(calls), message.thinking)


def without_signature(message: AssistantMessage) -> AssistantMessage:
    """Forget what a provider wants back."""
    return replace(message, signature="")


async def test_the_reply_comes_last_and_once_and_holds_the_deltas(says: Says) -> None:
    events = await heard(says([{"text": "Hello, world", "thinking": "hmm, hmm"}]), UserMessage("?"))
    *deltas, last = events
    assert isinstance(last, Reply)
    assert without_signature(last.message) == AssistantMessage("Hello, world", (), "hmm, hmm")
    assert last.stop == "end"
    assert "".join(d.text for d in deltas if isinstance(d, TextDelta)) == "Hello, world"
    assert "".join(d.text for d in deltas if isinstance(d, ThinkingDelta)) == "hmm, hmm"
    assert len([e for e in events if isinstance(e, Reply)]) == 1


async def test_parallel_tool_calls_keep_their_order_and_have_ids_of_their_own(says: Says) -> None:
    calls: list[Json] = [{"name": "read", "arguments": {"path": f"é{n}.txt"}} for n in range(3)]
    last = (await heard(says([{"text": "I read.", "tool_calls": calls}]), UserMessage("?")))[-1]
    assert isinstance(last, Reply)
    assert without_ids(last.message) == AssistantMessage(
        "I read.", tuple(ToolCall("", "read", {"path": f"é{n}.txt"}) for n in range(3))
    )
    assert len({call.id for call in last.message.tool_calls}) == 3
    assert last.stop == "tool_calls"


async def test_arguments_that_are_not_json_are_kept_and_never_become_empty(says: Says) -> None:
    calls: list[Json] = [{"name": "read", "arguments": '{"path": "a'}]
    model = says([{"tool_calls": calls}])
    if model.name.startswith("google/"):
        # They are an object on this wire; the provider says that the model wrote none.
        with pytest.raises(ModelError, match="MALFORMED_FUNCTION_CALL"):
            await heard(model, UserMessage("?"))
        return
    last = (await heard(model, UserMessage("?")))[-1]
    assert isinstance(last, Reply)
    assert without_ids(last.message) == AssistantMessage(
        "", (ToolCall("", "read", {}, malformed='{"path": "a'),)
    )


async def test_usage_is_counted_with_cached_tokens_apart(says: Says) -> None:
    usage: Json = {
        "input_tokens": 11,
        "output_tokens": 7,
        "cache_read_tokens": 5,
        "cache_write_tokens": 3,
    }
    model = says([{"text": "x", "usage": usage}])
    last = (await heard(model, UserMessage("?")))[-1]
    assert isinstance(last, Reply)
    # Google does not say what it wrote to its cache, which costs as input does.
    google = model.name.startswith("google/")
    assert last.usage == (Usage(14, 7, 5) if google else Usage(11, 7, 5, 3))


async def test_a_conversation_goes_on_from_what_it_holds(says: Says) -> None:
    model = says(
        [
            {"tool_calls": [{"name": "read", "arguments": {"path": "a"}}, {"name": "read"}]},
            {"text": "Hm.", "thinking": "hmm", "tool_calls": [{"name": "read"}]},
            {"text": "Done."},
        ]
    )
    history: list[Message] = [UserMessage("Go.")]
    for _turn in range(3):
        last = (await heard(model, *history))[-1]
        assert isinstance(last, Reply)
        history.append(last.message)
        history += [
            ToolMessage(call.id, call.name, "no\ud800pe", is_error=place == 1)
            for place, call in enumerate(last.message.tool_calls)
        ]
    assert history[-1] == AssistantMessage("Done.")
    # The same conversation asked again, as after a crash, gets the same reply.
    again = (await heard(model, *history[:-1]))[-1]
    assert isinstance(again, Reply)
    assert again.message == AssistantMessage("Done.")


async def test_no_reply_is_an_error_and_not_an_empty_reply(says: Says) -> None:
    with pytest.raises(ModelError):
        await heard(says([]), UserMessage("?"))


async def test_a_stream_can_be_left_in_the_middle(says: Says) -> None:
    model = says([{"text": "one two three four five six"}])
    with anyio.CancelScope() as scope:
        async for _event in model.stream(ModelRequest("", (UserMessage("?"),))):
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
    last = (await heard(model, UserMessage("?")))[-1]
    assert isinstance(last, Reply)
