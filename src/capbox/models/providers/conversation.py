"""Our messages as pydantic-ai's, for the request that is about to be sent.

Guarantees: results of one turn stay together, as Anthropic demands; arguments that were not JSON
are sent back as an object that shows them, since providers refuse anything but an object there.
Thinking goes back if it is signed and its signer reads it (`signed`); images and PDFs go where the
model takes them (`modality`). Does not: send thinking to another provider than its own.
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
    Attachment,
    Message,
    SummaryMessage,
    ToolMessage,
    UserMessage,
)
from capbox.models.facts import Facts
from capbox.models.model import ModelRequest
from capbox.models.providers.modality import Shown, fitting
from capbox.models.providers.signed import Signer, call_part, restored
from capbox.models.unicode import encodable


def wire_messages(
    messages: tuple[Message, ...], facts: Facts, signer: Signer
) -> list[wire.ModelMessage]:
    """Return the conversation as alternating requests and responses.

    `facts` say what the model takes; what `signer` signed goes back to it.
    """
    turns: list[wire.ModelMessage] = []
    shown = fitting(messages, facts)
    for is_reply, group in groupby(messages, key=lambda m: isinstance(m, AssistantMessage)):
        parts = list(group)
        if is_reply:
            turns.extend(_response(m, signer) for m in parts if isinstance(m, AssistantMessage))
        else:
            turns.append(wire.ModelRequest(parts=[_request_part(m, shown) for m in parts]))
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


def _request_part(message: Message, shown: Shown) -> wire.ModelRequestPart:
    match message:
        case UserMessage() if message.attachments:
            return wire.UserPromptPart(content=_with(message.text, message.attachments, shown))
        case UserMessage() | SummaryMessage():
            return wire.UserPromptPart(content=encodable(message.text))
        case ToolMessage() if message.attachments and not message.is_error:
            return wire.ToolReturnPart(
                tool_name=message.name,
                content=_with(message.content, message.attachments, shown),
                tool_call_id=message.call_id,
            )
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


def _with(
    text: str, attachments: tuple[Attachment, ...], shown: Shown
) -> str | list[wire.UserContent]:
    """Return a text and what is attached to it, a sentence where something is left out."""
    left_out = [shown[id(one)] for one in attachments]
    if None not in left_out:
        return "\n".join(filter(None, (encodable(text), *left_out)))
    content: list[wire.UserContent] = [encodable(text)] if text else []
    for attachment in attachments:
        instead = shown[id(attachment)]
        if instead is None:
            content.append(
                wire.BinaryContent(data=attachment.content, media_type=attachment.media_type)
            )
        else:
            content.append(instead)
    return content


def _response(message: AssistantMessage, signer: Signer) -> wire.ModelResponse:
    parts = restored(message, signer) if message.signature else None
    if parts is None:
        return wire.ModelResponse(parts=list(_response_parts(message)))
    return wire.ModelResponse(parts=parts, provider_name=signer.system)


def _response_parts(message: AssistantMessage) -> Iterator[wire.ModelResponsePart]:
    if message.text:
        yield wire.TextPart(content=encodable(message.text))
    for call in message.tool_calls:
        yield call_part(call)
