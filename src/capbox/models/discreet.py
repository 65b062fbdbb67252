"""A model whose provider key is taken out of whatever comes back: answers, errors, tool calls.

Guarantees: a server that repeats the key it was sent (any `--base-url` may) does not put it into
events, transcript or journal, across the pieces of a stream too. Does not: see what was encoded in
other ways than `broker.redact` knows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from capbox.broker.redact import Redactor
from capbox.messages import AssistantMessage, ToolCall
from capbox.models.facts import Facts, facts_of
from capbox.models.model import (
    Model,
    ModelError,
    ModelEvent,
    ModelRequest,
    Reply,
    TextDelta,
    ThinkingDelta,
)
from capbox.models.pricing import quoted


@dataclass(frozen=True, slots=True)
class DiscreetModel:
    """`model`, without the secrets that `redactor` knows."""

    model: Model
    redactor: Redactor

    @property
    def name(self) -> str:
        """Return the name of the model behind it."""
        return self.model.name

    @property
    def facts(self) -> Facts:
        """Return what is known of the model behind it."""
        return facts_of(self.model)

    def most_usd(self, input_tokens: int, output_tokens: int) -> float | None:
        """Return what so many tokens cost at most; None when no price is known."""
        return quoted(self.model, input_tokens, output_tokens)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Yield the reply of the model behind it. Raises ModelError."""
        text, thinking = self.redactor.stream(), self.redactor.stream()
        try:
            async for event in self.model.stream(request):
                match event:
                    case TextDelta(piece):
                        clean = _decoded(text.feed(_encoded(piece)))
                        if clean:
                            yield TextDelta(clean)
                    case ThinkingDelta(piece):
                        clean = _decoded(thinking.feed(_encoded(piece)))
                        if clean:
                            yield ThinkingDelta(clean)
                    case Reply():
                        for stream, kind in ((thinking, ThinkingDelta), (text, TextDelta)):
                            rest = _decoded(stream.finish())
                            if rest:
                                yield kind(rest)
                        yield replace(event, message=self._clean(event.message))
        except ModelError as error:
            raise ModelError(
                error.kind, self.redactor.text(error.message), retry_after=error.retry_after
            ) from None

    def _clean(self, message: AssistantMessage) -> AssistantMessage:
        signature = message.signature
        return AssistantMessage(
            self.redactor.text(message.text),
            tuple(map(self._call, message.tool_calls)),
            self.redactor.text(message.thinking),
            # What is signed cannot be redacted in part: with the key in it, it is not kept.
            signature if self.redactor.text(signature) == signature else "",
        )

    def _call(self, call: ToolCall) -> ToolCall:
        malformed = None if call.malformed is None else self.redactor.text(call.malformed)
        return ToolCall(
            self.redactor.text(call.id),
            self.redactor.text(call.name),
            {self.redactor.text(k): self.redactor.json(v) for k, v in call.arguments.items()},
            malformed,
        )


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", "surrogatepass")
