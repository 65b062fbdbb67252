"""One run as spans, by OpenTelemetry's conventions for generative AI, made from its events.

    invoke_agent capbox
      chat anthropic/NAME
      execute_tool read

See https://opentelemetry.io/docs/specs/semconv/gen-ai/. Guarantees: texts of model, tools and
person are in no attribute unless the operator said so (`content`), and then without the secrets
that the run has sent. A turn lasts from the event before it to its reply. Does not: measure
anything itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from capbox.agent import events
from capbox.agent.outcome import Completed, word
from capbox.engine.telemetry.tracing import Traced
from capbox.gate.seat import Seat
from capbox.messages import Json, Usage

if TYPE_CHECKING:
    from opentelemetry.trace import Span

# Where the convention has another name than we.
_PROVIDERS = {
    "google": "gcp.gemini",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "mistral": "mistral_ai",
    "xai": "x_ai",
}


class Spans:
    """Makes the spans of the run at `seat`; `now_ns` returns nanoseconds since 1970."""

    def __init__(self, traced: Traced, seat: Seat, now_ns: Callable[[], int]) -> None:
        """Begin with none; the run's own starts with its first event."""
        self._traced, self._seat, self._now_ns = traced, seat, now_ns
        self._run: Span | None = None
        self._calls: dict[str, Span] = {}
        self._model: dict[str, str] = {}
        self._since = now_ns()

    def tell(self, event: events.Event) -> None:
        """Take one event into account."""
        match event:
            case events.RunStarted():
                self._started(event)
            case events.ModelReply():
                self._replied(event)
            case events.ToolStarted(call):
                self._calls[call.id] = self._span(
                    f"execute_tool {call.name}",
                    {
                        "gen_ai.operation.name": "execute_tool",
                        "gen_ai.tool.name": call.name,
                        "gen_ai.tool.call.id": call.id,
                        "gen_ai.tool.type": "function",
                        **self._texts("gen_ai.tool.call.arguments", call.arguments),
                    },
                )
            case events.ToolFinished():
                self._finished_call(event)
            case events.RunFinished():
                self._finished(event)
            case events.TextDelta() | events.ThinkingDelta():
                return  # its turn goes on
            case _:
                pass
        self._since = self._now_ns()

    def _started(self, event: events.RunStarted) -> None:
        provider, slash, name = event.model.partition("/")
        if not slash:
            provider, name = "", event.model
        known = {"gen_ai.provider.name": _PROVIDERS.get(provider, provider)} if provider else {}
        self._model = {**known, "gen_ai.request.model": name}
        self._run = self._span(
            "invoke_agent capbox",
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.agent.name": "capbox",
                "gen_ai.conversation.id": event.run,
                **self._model,
                **self._texts("gen_ai.input.messages", _message("user", event.task)),
            },
        )

    def _replied(self, event: events.ModelReply) -> None:
        attributes = {
            "gen_ai.operation.name": "chat",
            **self._model,
            "gen_ai.response.finish_reasons": (event.stop,),
            **_usage(event.usage),
            **self._texts("gen_ai.output.messages", _message("assistant", event.message.text)),
        }
        name = f"chat {self._model.get('gen_ai.request.model', '')}".rstrip()
        self._span(name, attributes, client=True, start=self._since).end(self._now_ns())

    def _finished_call(self, event: events.ToolFinished) -> None:
        span, result = self._calls.pop(event.call.id, None), event.result
        if span is None:
            return
        for key, text in self._texts("gen_ai.tool.call.result", result.content).items():
            span.set_attribute(key, text)
        if result.error is not None:
            self._failed(span, result.error.code)
        span.end(self._now_ns())

    def _finished(self, event: events.RunFinished) -> None:
        for span in self._calls.values():  # what an interruption has cut off
            self._failed(span, "interrupted")
            span.end(self._now_ns())
        self._calls.clear()
        if self._run is None:
            return
        self._run.set_attributes(_usage(event.spent.usage))
        for key, text in self._texts(
            "gen_ai.output.messages", _message("assistant", event.text)
        ).items():
            self._run.set_attribute(key, text)
        if not isinstance(event.outcome, Completed):
            self._failed(self._run, word(event.outcome))
        self._run.end(self._now_ns())

    def _span(
        self,
        name: str,
        attributes: dict[str, str | int | tuple[str, ...]],
        *,
        client: bool = False,
        start: int | None = None,
    ) -> Span:
        from opentelemetry.trace import SpanKind, set_span_in_context

        return self._traced.tracer.start_span(
            name,
            context=None if self._run is None else set_span_in_context(self._run),
            kind=SpanKind.CLIENT if client else SpanKind.INTERNAL,
            attributes=attributes,
            start_time=self._now_ns() if start is None else start,
        )

    def _failed(self, span: Span, code: str) -> None:
        from opentelemetry.trace import StatusCode

        span.set_attribute("error.type", code)
        span.set_status(StatusCode.ERROR)

    def _texts(self, key: str, value: Json) -> dict[str, str]:
        """Return the attribute, if texts are to go along."""
        if not self._traced.content:
            return {}
        clean = self._seat.redactor.json(value)
        return {key: clean if isinstance(clean, str) else json.dumps(clean, default=list)}


def _usage(usage: Usage) -> dict[str, str | int | tuple[str, ...]]:
    return {
        # The convention counts what came from a cache among the input.
        "gen_ai.usage.input_tokens": usage.total - usage.output_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens,
    }


def _message(role: str, text: str) -> list[Json]:
    return [{"role": role, "parts": [{"type": "text", "content": text}]}]
