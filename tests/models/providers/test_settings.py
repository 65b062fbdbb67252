"""What a request asks beside its messages: bounds, effort and caching, as each dialect has them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capbox.messages import Json, ToolMessage, UserMessage
from capbox.models.catalog.override import Override
from capbox.models.catalog.table import PROVIDERS
from capbox.models.direct import DirectModel
from capbox.models.model import Effort, ModelRequest, Reply
from capbox.models.providers.clients import wire_model
from capbox.models.providers.endpoint import Endpoint
from capbox.models.providers.http import http_client
from capbox.models.providers.settings import wire_settings
from capbox.models.providers.signed import Signer

THINKS = Override(thinking=True)


def asks(effort: Effort | None, tokens: int = 20_000) -> ModelRequest:
    return ModelRequest("", (UserMessage("Go."),), (), tokens, effort=effort)


@pytest.mark.parametrize(
    ("provider", "model", "effort", "field", "sent"),
    [
        # A budget, with room for the answer within the bound.
        (
            "anthropic",
            "claude-sonnet-4-5",
            "high",
            "thinking",
            {"type": "enabled", "budget_tokens": 16_384},
        ),
        (
            "anthropic",
            "claude-sonnet-4-5",
            "max",
            "thinking",
            {"type": "enabled", "budget_tokens": 18_976},
        ),
        ("anthropic", "claude-sonnet-4-5", None, "thinking", None),
        ("anthropic", "claude-3-5-sonnet", "high", "thinking", None),
        ("anthropic", "claude-opus-5", "max", "thinking", {"type": "adaptive"}),
        ("anthropic", "claude-opus-5", "max", "output_config", {"effort": "max"}),
        ("openai", "gpt-5", "low", "reasoning_effort", "low"),
        ("openai", "gpt-5", "max", "reasoning_effort", "high"),
        ("openai", "gpt-5", None, "reasoning_effort", None),
        ("openai", "gpt-4o", "high", "reasoning_effort", None),
        ("openai", "llama-3.3", "high", "reasoning_effort", None),
        ("openai-responses", "gpt-5", "medium", "reasoning", {"effort": "medium"}),
        ("openai-responses", "gpt-4o", "medium", "reasoning", None),
        ("openai-responses", "gpt-5", None, "store", False),
    ],
)
async def test_effort_is_said_in_the_words_of_the_dialect_or_left_out(
    serve, provider: str, model: str, effort: Effort | None, field: str, sent: Json
) -> None:
    server = serve([{"text": "x"}])
    base_url = server.url + ("" if provider == "anthropic" else "/v1")
    opened = DirectModel(Endpoint(PROVIDERS[provider], model, base_url, "k"))
    async for _event in opened.stream(asks(effort)):
        pass
    assert server.received[-1].body.get(field) == sent


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("gemini-2.5-pro", "medium", {"include_thoughts": True, "thinking_budget": 8_192}),
        ("gemini-2.5-pro", "max", {"include_thoughts": True, "thinking_budget": 18_976}),
        ("gemini-3-pro-preview", "low", {"include_thoughts": True, "thinking_level": "LOW"}),
        ("gemini-3-pro-preview", None, None),
        ("gemini-2.0-flash", "high", None),
    ],
)
async def test_google_gets_a_budget_or_a_level(
    serve, model: str, effort: Effort | None, sent: Json
) -> None:
    server = serve([{"text": "x"}])
    opened = DirectModel(Endpoint(PROVIDERS["google"], model, server.url, "k"))
    async for _event in opened.stream(asks(effort)):
        pass
    assert server.received[-1].body["generationConfig"].get("thinkingConfig") == sent


@pytest.mark.parametrize("provider", ["anthropic", "openai", "openai-responses", "google"])
async def test_a_reply_is_bounded_by_what_the_model_can_write(serve, connect, provider) -> None:
    server = serve([{"text": "x"}])
    endpoint = connect(server).endpoint
    bounded = Endpoint(
        endpoint.provider, "m", endpoint.base_url, "k", override=Override(output_tokens=50)
    )
    async for _event in DirectModel(bounded).stream(asks(None)):
        pass
    body = server.received[-1].body
    bounds = {**body, **body.get("generationConfig", {})}
    names = ("max_tokens", "max_output_tokens", "maxOutputTokens")
    assert [bounds[name] for name in names if name in bounds] == [50]


async def test_too_little_room_for_thinking_asks_for_none(serve) -> None:
    server = serve([{"text": "x"}])
    opened = DirectModel(Endpoint(PROVIDERS["anthropic"], "claude-sonnet-4-5", server.url, "k"))
    async for _event in opened.stream(asks("high", tokens=2_000)):
        pass
    assert "thinking" not in server.received[-1].body


@pytest.mark.parametrize(("base_url", "marked"), [(None, True), ("http://127.0.0.1:1", False)])
async def test_caches_are_marked_for_anthropic_itself_alone(
    base_url: str | None, marked: bool
) -> None:
    endpoint = Endpoint(PROVIDERS["anthropic"], "claude-sonnet-4-5", base_url, "k")
    async with http_client(endpoint) as http:
        model = wire_model(endpoint, http)
        settings = wire_settings(endpoint, asks(None), model, Signer(model.system, "m"))
    names = ("anthropic_cache", "anthropic_cache_instructions", "anthropic_cache_tool_definitions")
    assert [settings.get(name) for name in names] == [True if marked else None] * 3


@pytest.mark.parametrize(
    ("model", "keeps", "thinks"),
    [
        ("claude-sonnet-4-5", True, True),
        # Anthropic would refuse it: the turn does not begin with thinking of this model.
        ("claude-sonnet-4-5", False, False),
        ("claude-opus-5", False, True),
    ],
)
async def test_thinking_waits_for_the_end_of_a_turn_that_another_model_began(
    serve, model: str, keeps: bool, thinks: bool
) -> None:
    server = serve(
        [{"text": "I look.", "thinking": "hmm", "tool_calls": [{"name": "read"}]}, {"text": "x"}]
    )
    opened = DirectModel(Endpoint(PROVIDERS["anthropic"], model, server.url, "k"))
    first = asks("high")
    reply = [event async for event in opened.stream(first)][-1]
    assert isinstance(reply, Reply)
    said = reply.message if keeps else replace(reply.message, signature="")
    answer = ToolMessage(said.tool_calls[0].id, "read", "x", is_error=False)
    second = replace(first, messages=(*first.messages, said, answer))
    async for _event in opened.stream(second):
        pass
    assert ("thinking" in server.received[-1].body) == thinks
