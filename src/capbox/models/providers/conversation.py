"""Our messages as pydantic-ai's, for the request that is about to be sent.

Guarantees: results of one turn stay together, as Anthropic demands; arguments that were not JSON
are sent back as an object that shows them, since providers refuse anything but an object there.
Does not: send thinking back (we keep no signatures, without which no provider takes it).
Imports pydantic-ai, which takes seconds: import this module lazily.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import assert_never

from pydantic_ai import messages as wire
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition

from capbox.messages import (
    AssistantMessage,
    Message,
    SummaryMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from capbox.models.model import ModelRequest
from capbox.models.unicode import encodable


def wire_messages(messages: tuple[Message, ...]) -> list[wire.ModelMessage]:
    """Return the conversation as alternating requests and responses."""
    turns: list[wire.ModelMessage] = []
    for is_reply, group in groupby(messages, key=lambda m: isinstance(m, AssistantMessage)):
        parts = list(group)
        if is_reply:
            turns.extend(_response(m) for m in parts if isinstance(m, AssistantMessage))
        else:
            turns.append(wire.ModelRequest(parts=[_request_part(m) for m in parts]))
    return turns


def wire_parameters(request: ModelRequest) -> ModelRequestParameters:
    """Return the system prompt and the tools of a request."""
    instructions = [wire.InstructionPart(content=encodable(request.system))]
    return ModelRequestParameters(
        function_tools=[
            ToolDefinition(
                name=tool.name,
                description=tool.description,
                parameters_json_schema=dict(tool.input_schema),
                # Not strict: a strict schema is rewritten, and the model would see another one
                # than the gate checks.
                strict=False,
            )
            for tool in request.tools
        ],
        instruction_parts=instructions if request.system else [],
    )


def _request_part(message: Message) -> wire.ModelRequestPart:
    match message:
        case UserMessage() | SummaryMessage():
            return wire.UserPromptPart(content=encodable(message.text))
        case ToolMessage():
            return wire.ToolReturnPart(
                tool_name=message.name,
                content=encodable(message.content),
                tool_call_id=message.call_id,
                outcome="failed" if message.is_error else "success",
            )
        case AssistantMessage():
            raise AssertionError("a reply is not part of a request")
        case _:
            assert_never(message)


def _response(message: AssistantMessage) -> wire.ModelResponse:
    return wire.ModelResponse(parts=list(_response_parts(message)))


def _response_parts(message: AssistantMessage) -> Iterator[wire.ModelResponsePart]:
    if message.text:
        yield wire.TextPart(content=encodable(message.text))
    for call in message.tool_calls:
        yield wire.ToolCallPart(tool_name=call.name, args=_arguments(call), tool_call_id=call.id)


def _arguments(call: ToolCall) -> dict[str, object]:
    if call.malformed is not None:
        return {"INVALID_JSON": call.malformed}
    return dict(call.arguments)
