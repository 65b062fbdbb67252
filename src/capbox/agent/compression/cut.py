"""Which part of a conversation is summed up, and which is kept word for word. Pure.

Guarantees: what is kept begins with a reply or a message of a person, never with a tool's result,
so a call and its result stay together; the sources of what is summed up are all in the cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from capbox.agent.limits.spending import message_bytes
from capbox.agent.transcript import since_summary
from capbox.messages import Message, SummaryMessage, ToolMessage

KEPT_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Cut:
    """The messages to sum up, and how many at the end of the transcript are kept."""

    older: tuple[Message, ...]
    kept: int
    sources: tuple[str, ...]


def cut_of(transcript: Sequence[Message], *, tightness: int = 0) -> Cut | None:
    """Return where to cut; None: there is too little to sum up.

    At most a fifth of the bytes is kept, half as much for each `tightness`.
    """
    messages = since_summary(transcript)
    begin = _begin_of_kept(messages, KEPT_SHARE / 2**tightness)
    older = messages[:begin]
    # One message alone is the task, or the last summary: what would stand for it is no shorter.
    if len(older) < 2:
        return None
    kept = _span(transcript, len(messages) - begin)
    return Cut(older, kept, sources_of(older))


def sources_of(messages: Sequence[Message]) -> tuple[str, ...]:
    """Return where messages come from, each source once, in the order of their first mention."""
    found = (m.sources for m in messages if isinstance(m, ToolMessage | SummaryMessage))
    return tuple(dict.fromkeys(source for sources in found for source in sources))


def _begin_of_kept(messages: Sequence[Message], share: float) -> int:
    room = share * sum(map(message_bytes, messages))
    begin = len(messages)
    for place in range(len(messages) - 1, -1, -1):
        room -= message_bytes(messages[place])
        if room < 0 or isinstance(messages[place], SummaryMessage):
            break
        if not isinstance(messages[place], ToolMessage):
            begin = place
    return begin


def _span(transcript: Sequence[Message], count: int) -> int:
    """Return how many messages at the end hold `count` that are no summary."""
    span = 0
    while count:
        span += 1
        count -= not isinstance(transcript[-span], SummaryMessage)
    return span
