"""A model that replies from a script: a public fake for tests, demos and reproductions.

Guarantees: the same request gets the same reply, so a run can be resumed (`script.chosen`); it
costs nothing and touches no network. Does not: know faults (those belong to the fake server).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from capbox.messages import (
    AssistantMessage,
    Message,
    SummaryMessage,
    ToolMessage,
    Usage,
    UserMessage,
)
from capbox.models.arguments import tool_call
from capbox.models.model import (
    ModelError,
    ModelEvent,
    ModelRequest,
    Reply,
    TextDelta,
    ThinkingDelta,
)
from capbox.models.script import Heard, Script, chosen


@dataclass(frozen=True, slots=True)
class ScriptedModel:
    """The replies of one script, in order."""

    name: str
    script: Script

    def most_usd(self, input_tokens: int, output_tokens: int) -> float | None:
        """Return what so many tokens cost at most: nothing."""
        return 0.0

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Yield the reply that the script holds for the request.

        Raises:
            ModelError: of kind `script`, when the script has no such reply.
        """
        so_far = request.replies_so_far
        number = chosen(self.script, Heard(request.system, _said(request.messages), so_far))
        if number is None:
            raise ModelError(
                "script", f"{self.name} is exhausted: it holds {len(self.script)} replies"
            )
        scripted = self.script[number]
        own = f"{so_far}" if scripted.numbered else f"{number}_{so_far}"
        if scripted.thinking:
            yield ThinkingDelta(scripted.thinking)
        if scripted.text:
            yield TextDelta(scripted.text)
        calls = tuple(
            tool_call(call.id or f"call_{own}_{place}", call.name, call.arguments)
            for place, call in enumerate(scripted.tool_calls)
        )
        yield Reply(
            AssistantMessage(scripted.text, calls, scripted.thinking),
            scripted.usage or Usage(),
            usd=0.0,
            stop=scripted.stop or ("tool_calls" if calls else "end"),
        )


def _said(messages: tuple[Message, ...]) -> str:
    """Return all that was said to the model."""
    return "\n".join(
        message.content if isinstance(message, ToolMessage) else message.text
        for message in messages
        if isinstance(message, UserMessage | ToolMessage | SummaryMessage)
    )
