"""What a request asks of a provider beside its messages: bounds, effort, prompt caching.

Guarantees: a reply is bounded by what the model can write; a model that does not think gets no
word about thinking; what it thinks is part of the bound, and leaves room for an answer. OpenAI and
Google cache prompts by themselves. Does not: turn thinking off where a model always thinks, or load
the SDK of a dialect that is not spoken.
Imports pydantic-ai, which takes seconds: import this module lazily.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings

from capbox.messages import AssistantMessage, ToolMessage
from capbox.models.model import Effort, ModelRequest
from capbox.models.providers.clients import is_anthropics_own
from capbox.models.providers.endpoint import Endpoint
from capbox.models.providers.signed import Signer, restored

if TYPE_CHECKING:
    from pydantic_ai.models.anthropic import AnthropicModelSettings

# Of models that take a budget and not a level. It is part of what a reply may have at most, and
# the provider takes none below the least.
_BUDGET_TOKENS: Final[dict[Effort, int]] = {
    "low": 2_048,
    "medium": 8_192,
    "high": 16_384,
    "max": 32_768,
}
_BUDGET_TOKENS_MIN = 1_024
_ANSWER_TOKENS = 1_024


def wire_settings(
    endpoint: Endpoint, request: ModelRequest, model: Model, signer: Signer
) -> ModelSettings:
    """Return the settings for a request, in the words of its dialect."""
    most = endpoint.abilities.output_tokens
    bound = request.max_output_tokens if most is None else min(request.max_output_tokens, most)
    effort = request.effort if endpoint.abilities.thinking else None
    match endpoint.provider.dialect:
        case "anthropic":
            takes_level = bool(model.profile.get("anthropic_supports_adaptive_thinking"))
            if not takes_level and _is_amid_unsigned(request, signer):
                effort = None
            return _anthropic(endpoint, bound, effort, takes_level=takes_level)
        case "openai-responses":
            from pydantic_ai.models.openai import OpenAIResponsesModelSettings

            # The conversation is ours: nothing of it stays at the provider, and encrypted
            # reasoning comes back to be sent again.
            responses = OpenAIResponsesModelSettings(max_tokens=bound, openai_store=False)
            if effort is not None:
                responses["thinking"] = effort
            return responses
        case "google":
            return _google(model, bound, effort)
        case "openai-chat":
            settings = ModelSettings(max_tokens=bound)
            if effort is not None:
                settings["thinking"] = effort
            return settings


def _anthropic(
    endpoint: Endpoint, bound: int, effort: Effort | None, *, takes_level: bool
) -> AnthropicModelSettings:
    from pydantic_ai.models.anthropic import AnthropicModelSettings

    settings = AnthropicModelSettings(max_tokens=bound)
    if is_anthropics_own(endpoint):
        # Other servers that speak this dialect do not all know the cache fields. Tools and system
        # prompt are marked apart, so that they stay cached when the conversation is compressed.
        settings["anthropic_cache"] = True
        settings["anthropic_cache_instructions"] = True
        settings["anthropic_cache_tool_definitions"] = True
    if effort is None:
        return settings
    if takes_level:
        settings["thinking"] = effort
    elif (budget := _budget(effort, bound)) is not None:
        settings["anthropic_thinking"] = {"type": "enabled", "budget_tokens": budget}
    return settings


def _is_amid_unsigned(request: ModelRequest, signer: Signer) -> bool:
    """Say whether tools have answered a reply that this model did not sign.

    With thinking on, Anthropic's models with a budget refuse such a conversation: another model
    began the turn, or effort was set within it.
    """
    if not request.messages or not isinstance(request.messages[-1], ToolMessage):
        return False
    replies = (one for one in reversed(request.messages) if isinstance(one, AssistantMessage))
    last = next(replies, None)
    return last is not None and restored(last, signer) is None


def _google(model: Model, bound: int, effort: Effort | None) -> ModelSettings:
    from pydantic_ai.models.google import GoogleModelSettings

    settings = GoogleModelSettings(max_tokens=bound)
    if effort is None:
        return settings
    if model.profile.get("google_supports_thinking_level", True):
        settings["thinking"] = effort
    elif (budget := _budget(effort, bound)) is not None:
        settings["google_thinking_config"] = {"include_thoughts": True, "thinking_budget": budget}
    return settings


def _budget(effort: Effort, bound: int) -> int | None:
    """Return the tokens to think with, room for an answer left; None: there are not enough."""
    budget = min(_BUDGET_TOKENS[effort], bound - _ANSWER_TOKENS)
    return budget if budget >= _BUDGET_TOKENS_MIN else None
