"""Messages as JSON and back.

Guarantees: what is written is ASCII, also where a model wrote half of a surrogate pair, and reads
back as the same message; what is no message is a ValueError that says why, never a guess. Does not:
believe it. People may edit what is stored, so a result or a label in it is a text like any other.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict
from typing import assert_never

from capbox.messages import (
    AssistantMessage,
    Attachment,
    Message,
    SummaryMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)


def encode(message: Message) -> str:
    """Return a message as one line of JSON."""
    document = {"role": _role(message), **asdict(message)}
    if isinstance(message, UserMessage | ToolMessage):
        document["attachments"] = [
            {"media_type": one.media_type, "content": b64encode(one.content).decode()}
            for one in message.attachments
        ]
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"))


def decode(text: str) -> Message:
    """Read what `encode` wrote. Raises ValueError."""
    try:
        document: object = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    match document:
        case {"role": "user", "text": str(words)}:
            return UserMessage(words, _attachments(document))
        case {"role": "assistant", "text": str(words), "tool_calls": [*calls]}:
            thinking, signed = document.get("thinking", ""), document.get("signature", "")
            return AssistantMessage(words, tuple(map(_call, calls)), _text(thinking), _text(signed))
        case {"role": "tool", "call_id": str(call), "name": str(name), "content": str(content)}:
            failed, sources = document.get("is_error") is True, document.get("sources", [])
            beside = _attachments(document)
            return ToolMessage(call, name, content, failed, _texts(sources), beside)
        case {"role": "summary", "text": str(words), "kept": int(kept)}:
            return SummaryMessage(words, kept, _texts(document.get("sources", [])))
        case _:
            raise ValueError("it is no message of a user, an assistant or a tool, and no summary")


def words_of(message: Message) -> str:
    """Return what a search looks at: the text, and what a model asked its tools for."""
    match message:
        case UserMessage(text) | SummaryMessage(text):
            return text
        case AssistantMessage(text, calls):
            asked = [f"{c.name} {json.dumps(c.arguments, ensure_ascii=False)}" for c in calls]
            return "\n".join(filter(None, (text, *asked)))
        case ToolMessage(content=content):
            return content
        case _:
            assert_never(message)


def _role(message: Message) -> str:
    match message:
        case UserMessage():
            return "user"
        case AssistantMessage():
            return "assistant"
        case ToolMessage():
            return "tool"
        case SummaryMessage():
            return "summary"
        case _:
            assert_never(message)


def _attachments(document: dict[str, object]) -> tuple[Attachment, ...]:
    """Return what is beside a text; messages of older versions have nothing there."""
    found = document.get("attachments", [])
    if isinstance(found, list):
        return tuple(map(_attachment, found))
    raise ValueError("attachments are a list")


def _attachment(value: object) -> Attachment:
    match value:
        case {"media_type": str(kind), "content": str(content)}:
            return Attachment(kind, b64decode(content, validate=True))
        case _:
            raise ValueError("an attachment has a media type and its content, in base64")


def _call(value: object) -> ToolCall:
    found = value if isinstance(value, dict) else {}
    match found:
        case {"id": str(name), "name": str(tool), "arguments": dict(arguments)}:
            malformed = found.get("malformed")
            return ToolCall(name, tool, arguments, None if malformed is None else _text(malformed))
        case _:
            raise ValueError("a tool call has an id, a name and arguments")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("a text is expected")


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(map(_text, value))
    raise ValueError("a list of texts is expected")
