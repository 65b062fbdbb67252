"""What was said in a session, and which part of it a request holds. Pure.

Guarantees: a transcript only grows; a summary leaves nothing out of it, only out of requests. In a
request each tool call has a result right behind it, as providers demand: one whose run was ended
before its result came says so. Does not: keep it; `keep` of the loop and the store do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from capbox.messages import AssistantMessage, Message, SummaryMessage, ToolMessage

NO_RESULT = "There is no result: the run ended before it came. What the call did is not known."


def in_context(transcript: Sequence[Message]) -> tuple[Message, ...]:
    """Return what a request holds: the last summary, what it kept, and all that came after."""
    return tuple(_answered(since_summary(transcript)))


def since_summary(transcript: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages of the transcript that a request holds, and no others."""
    for place in range(len(transcript) - 1, -1, -1):
        message = transcript[place]
        if isinstance(message, SummaryMessage):
            kept = transcript[max(place - message.kept, 0) : place]
            rest = (m for m in kept if not isinstance(m, SummaryMessage))
            return (message, *rest, *transcript[place + 1 :])
    return tuple(transcript)


def _answered(messages: Sequence[Message]) -> Iterator[Message]:
    """Yield the messages, and an error for each call that has no result."""
    missing: dict[str, str] = {}
    for message in messages:
        if not isinstance(message, ToolMessage):
            yield from _without_result(missing)
            missing = {}
        yield message
        if isinstance(message, AssistantMessage):
            missing = {call.id: call.name for call in message.tool_calls}
        elif isinstance(message, ToolMessage):
            missing.pop(message.call_id, None)
    yield from _without_result(missing)


def _without_result(missing: dict[str, str]) -> Iterator[ToolMessage]:
    for call, name in missing.items():
        yield ToolMessage(call, name, NO_RESULT, is_error=True)
