"""What a provider wants back with a reply: thinking with its signature, signed calls.

Anthropic takes a turn with tools back only with the thinking that led to it, Google wants the
signature of a call, OpenAI's responses read their own encrypted reasoning. `kept` writes all of it,
in the order of the reply, as one text for `AssistantMessage.signature`; `restored` reads it.
Guarantees: nothing is kept of a reply without a signature, and nothing goes to another model than
the one that signed, as that could not read it; a text that does not fit its message restores
nothing.
Does not: check a signature. Imports pydantic-ai, which takes seconds: import this module lazily.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic_ai import messages as wire

from capbox.messages import AssistantMessage, ToolCall
from capbox.models.unicode import encodable, is_encodable

_CHARACTERS_MAX = 1_000_000


def call_part(call: ToolCall) -> wire.ToolCallPart:
    """Return a call; arguments that were not JSON as an object that shows them."""
    malformed = {"INVALID_JSON": call.malformed}
    arguments = dict(call.arguments) if call.malformed is None else malformed
    return wire.ToolCallPart(tool_name=call.name, args=arguments, tool_call_id=call.id)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs and reads what is signed: one model, `system` in the words of the library."""

    system: str
    model: str

    @property
    def name(self) -> str:
        """Return what a signature is kept under."""
        return f"{self.system} {self.model}"


def kept(response: wire.ModelResponse, signer: Signer) -> str:
    """Return what is to be sent back with a reply; an empty text: nothing is."""
    if not any(_is_signed(part) for part in response.parts):
        return ""
    parts = [row for part in response.parts if (row := _row(part)) is not None]
    try:
        text = json.dumps([signer.name, *parts])
    except (TypeError, ValueError):
        return ""
    return text if len(text) <= _CHARACTERS_MAX and is_encodable(text) else ""


def restored(message: AssistantMessage, signer: Signer) -> list[wire.ModelResponsePart] | None:
    """Return the parts of a reply as they came; None: it was signed by others, or has changed."""
    try:
        name, *rows = json.loads(message.signature)
        parts = list(_parts(rows, message, signer.system))
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    text = "".join(part.content for part in parts if isinstance(part, wire.TextPart))
    calls = sum(isinstance(part, wire.ToolCallPart) for part in parts)
    whole = text == encodable(message.text) and calls == len(message.tool_calls)
    return parts if whole and name == signer.name else None


def _is_signed(part: wire.ModelResponsePart) -> bool:
    if isinstance(part, wire.ThinkingPart) and part.signature:
        return True
    return "thought_signature" in (getattr(part, "provider_details", None) or {})


def _row(part: wire.ModelResponsePart) -> list[object] | None:
    match part:
        case wire.ThinkingPart():
            return ["thinking", part.content, part.signature, part.id, part.provider_details]
        case wire.TextPart():
            return ["text", part.content, part.id, part.provider_details]
        case wire.ToolCallPart():
            return ["call", part.id, part.provider_details]
        case _:
            return None


def _parts(
    rows: list[list[object]], message: AssistantMessage, system: str
) -> Iterator[wire.ModelResponsePart]:
    calls = iter(message.tool_calls)
    for row in rows:
        match row:
            case [
                "thinking",
                str(content),
                str() | None as signature,
                str() | None as key,
                details,
            ]:
                yield wire.ThinkingPart(
                    content=content,
                    signature=signature,
                    id=key,
                    provider_name=system,
                    provider_details=_details(details),
                )
            case ["text", str(content), str() | None as key, details]:
                yield wire.TextPart(
                    content=encodable(content),
                    id=key,
                    provider_name=system,
                    provider_details=_details(details),
                )
            case ["call", str() | None as key, details]:
                part = call_part(next(calls, ToolCall("", "", {})))
                part.id, part.provider_name = key, system
                part.provider_details = _details(details)
                yield part
            case _:
                raise ValueError("not a row of ours")


def _details(value: object) -> dict[str, object] | None:
    return value if isinstance(value, dict) else None
