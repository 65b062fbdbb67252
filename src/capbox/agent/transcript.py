"""What was said in a session, and which part of it a request holds. Pure.

Guarantees: a transcript only grows; a summary leaves nothing out of it, only out of requests. In a
request each tool call has a result right behind it, as providers demand: one whose run was ended
before its result came says so. Does not: keep it; `keep` of the loop and the store do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from capbox.messages import AssistantMessage, Message, SummaryMessage, ToolMessage

NO_RESULT = "There is no result: the run ended before it came. What the call did is not known."


class Context:
    """What a request holds of messages that only become more; adding one looks at no other."""

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        """Begin with these, of which a summary is at most the first."""
        self._messages: list[Message] = []
        self._missing: dict[str, str] = {}
        self._whole: tuple[Message, ...] | None = None
        for message in messages:
            self.add(message)

    def add(self, message: Message) -> None:
        """Add what was said next, which is no summary."""
        self._whole = None
        if not isinstance(message, ToolMessage):
            self._messages += _without_result(self._missing)
            self._missing = {}
        self._messages.append(message)
        if isinstance(message, AssistantMessage):
            self._missing = {call.id: call.name for call in message.tool_calls}
        elif isinstance(message, ToolMessage):
            self._missing.pop(message.call_id, None)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Return them, and an error for each call that has no result."""
        if self._whole is None:
            self._whole = (*self._messages, *_without_result(self._missing))
        return self._whole


def in_context(transcript: Sequence[Message]) -> tuple[Message, ...]:
    """Return what a request holds: the last summary, what it kept, and all that came after."""
    return Context(since_summary(transcript)).messages


def since_summary(transcript: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages of the transcript that a request holds, and no others."""
    for place in range(len(transcript) - 1, -1, -1):
        message = transcript[place]
        if isinstance(message, SummaryMessage):
            kept = transcript[max(place - message.kept, 0) : place]
            rest = (m for m in kept if not isinstance(m, SummaryMessage))
            return (message, *rest, *transcript[place + 1 :])
    return tuple(transcript)


def _without_result(missing: dict[str, str]) -> Iterator[ToolMessage]:
    for call, name in missing.items():
        yield ToolMessage(call, name, NO_RESULT, is_error=True)
