"""Where spans go: to a collector that speaks OTLP, or to the tracer that the program has set up.

Guarantees: without `[otel]` in config.toml nothing of it is imported; a collector that is away
delays the end of a session by seconds, and nothing else. Does not: set a global tracer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capbox.engine.settings import SettingsError

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_EXPORT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Tracing:
    """The operator's `[otel]`. `endpoint` None: the program's tracer; `content`: with texts."""

    endpoint: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bool = False


@dataclass(frozen=True, slots=True)
class Traced:
    """What makes spans, and what sends those that are left. `content`: texts go along."""

    tracer: Tracer
    close: Callable[[], None]
    content: bool = False


def traced(tracing: Tracing) -> Traced:
    """Open what makes spans. Raises SettingsError where the libraries for it are not there."""
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        reason = f"needs more than is installed ({error.name}): pip install 'capbox[otel]'"
        raise SettingsError("config.toml: [otel]", reason) from error
    if tracing.endpoint is None:
        return Traced(trace.get_tracer("capbox"), _nothing, tracing.content)
    exporter = OTLPSpanExporter(
        endpoint=tracing.endpoint, headers=dict(tracing.headers), timeout=_EXPORT_SECONDS
    )
    provider = TracerProvider(
        resource=Resource.create({"service.name": "capbox"}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Traced(provider.get_tracer("capbox"), provider.shutdown, tracing.content)


def _nothing() -> None:
    """Send nothing: the program that set the tracer up does."""
