"""What happens in a run, told as it happens: a closed union with one JSON-lines schema.

Guarantees: every event has a `type` and the same keys each time. The first event of a run is
`RunStarted`, the last is `RunFinished`.
Does not: carry times or numbers of its own (the store adds both), neutralise what a model or a tool
wrote (whoever writes a line of JSON keeps it ASCII), or decide anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from capbox.agent.incidents import Incident
from capbox.agent.outcome import Limit, Outcome, exit_code, sentence, word
from capbox.messages import AssistantMessage, Json, ToolCall, ToolMessage, ToolResult, Usage
from capbox.models.model import Stop


@dataclass(frozen=True, slots=True)
class RunSpent:
    """What a run used so far; `wall_ms` without waits for a person, `usd` None when not known."""

    turns: int = 0
    tool_calls: int = 0
    wall_ms: int = 0
    usage: Usage = field(default_factory=Usage)
    usd: float | None = 0.0

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {
            "turns": self.turns,
            "tool_calls": self.tool_calls,
            "wall_ms": self.wall_ms,
            "usage": _usage_json(self.usage),
            "usd": self.usd,
        }


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins: who does what with which tools and which grants (canonical text)."""

    run: str
    task: str
    model: str
    tools: tuple[str, ...]
    grants: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {
            "type": "run_started",
            "run": self.run,
            "task": self.task,
            "model": self.model,
            "tools": self.tools,
            "grants": self.grants,
        }


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A further piece of the model's text; `ModelReply` repeats the whole."""

    text: str

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {"type": "text_delta", "text": self.text}


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """A further piece of the thinking that the provider shows."""

    text: str

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {"type": "thinking_delta", "text": self.text}


@dataclass(frozen=True, slots=True)
class ModelReply:
    """One whole reply: enough to rebuild the conversation from stored events."""

    message: AssistantMessage
    usage: Usage
    usd: float | None
    stop: Stop

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {
            "type": "model_reply",
            "text": self.message.text,
            "thinking": self.message.thinking,
            "tool_calls": [_call_json(call) for call in self.message.tool_calls],
            "usage": _usage_json(self.usage),
            "usd": self.usd,
            "stop": self.stop,
        }


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool call is about to be made."""

    call: ToolCall

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {"type": "tool_started", **_call_json(self.call)}


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool call has its result, whole; calls of one reply finish in the order they were made.

    `message` is what the model reads of it, where that joins the transcript next.
    """

    call: ToolCall
    result: ToolResult
    message: ToolMessage | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {
            "type": "tool_finished",
            "id": self.call.id,
            "name": self.call.name,
            "result": self.result.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the person should know that does not end the run."""

    message: str

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {"type": "warning", "message": self.message}


@dataclass(frozen=True, slots=True)
class LimitAsked:
    """A limit was reached and a person was asked for more."""

    limit: Limit
    granted: bool

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {
            "type": "limit_asked",
            "limit": word(self.limit),
            "reason": sentence(self.limit),
            "granted": self.granted,
        }


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over; `text` is the last text of the model, which is an answer if completed."""

    outcome: Outcome
    text: str
    spent: RunSpent

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        return {
            "type": "run_finished",
            "outcome": word(self.outcome),
            "reason": sentence(self.outcome),
            "exit_code": exit_code(self.outcome),
            "text": self.text,
            "spent": self.spent.to_json(),
        }


Event = (
    RunStarted
    | TextDelta
    | ThinkingDelta
    | ModelReply
    | ToolStarted
    | ToolFinished
    | Warned
    | LimitAsked
    | RunFinished
    | Incident
)


def _call_json(call: ToolCall) -> dict[str, Json]:
    return {
        "id": call.id,
        "name": call.name,
        "arguments": call.arguments,
        "malformed": call.malformed,
    }


def _usage_json(usage: Usage) -> dict[str, Json]:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }
