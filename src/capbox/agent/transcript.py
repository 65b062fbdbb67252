"""What was said in a session, and which part of it a request holds. Pure.

Guarantees: a transcript only grows; a summary leaves nothing out of it, only out of requests.
Does not: keep it; `keep` of the loop and the store do.
"""

from __future__ import annotations

from collections.abc import Sequence

from capbox.messages import Message, SummaryMessage


def in_context(transcript: Sequence[Message]) -> tuple[Message, ...]:
    """Return what a request holds: the last summary, what it kept, and all that came after."""
    for place in range(len(transcript) - 1, -1, -1):
        message = transcript[place]
        if isinstance(message, SummaryMessage):
            kept = transcript[max(place - message.kept, 0) : place]
            rest = (m for m in kept if not isinstance(m, SummaryMessage))
            return (message, *rest, *transcript[place + 1 :])
    return tuple(transcript)
