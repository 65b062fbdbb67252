"""Everything a run needs to know before it starts: frozen values, made by the composition root.

Does not: hold authority. `grants` is text for the prompt and the record; what a call may do is
decided behind `CallTool`, which leads to the gate: it answers for every call, the ones that name no
offered tool included, so that the attempt is on record.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from capbox.agent.context import RESULT_CHARACTERS_MAX
from capbox.agent.instructions.prompt import system_prompt
from capbox.agent.instructions.words import Words
from capbox.authority.budget import Budget
from capbox.messages import Attachment, JsonObject, Message, ToolCall, ToolResult
from capbox.models.model import Effort, Model, ToolSpec

CallTool = Callable[[ToolCall], Awaitable[ToolResult]]
OpenCall = tuple[ToolCall, ToolResult | None]
"""A call without a result in the history; None: it is to be made now."""


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """One tool that the run holds; only those that `reads_only` may run beside others."""

    name: str
    description: str
    input_schema: JsonObject
    reads_only: bool = False

    @property
    def spec(self) -> ToolSpec:
        """Return what the model is told."""
        return ToolSpec(self.name, self.description, self.input_schema)


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One task, who works on it, with what, and within which limits.

    `history` is what was said before: the transcript that the task goes on from; `attachments` are
    beside the task. `left` are the calls of `history` without a result, in order, which come before
    the task; `notes` are told first. `fallbacks` take over, in order and for good, when the model
    before them cannot be reached any more. `effort` is how hard to think, where a model can be told
    (None: as its provider chooses). `words` are what people and files add to the system prompt.
    `shown` returns the names of the tools that the model is told of in its next turn (None: all,
    always).
    """

    run: str
    task: str
    model: Model
    tools: tuple[OfferedTool, ...] = ()
    grants: tuple[str, ...] = ()
    history: tuple[Message, ...] = ()
    left: tuple[OpenCall, ...] = ()
    notes: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    budget: Budget = field(default_factory=Budget)
    output_tokens_max: int = 8_192
    result_characters_max: int = RESULT_CHARACTERS_MAX
    fallbacks: tuple[Model, ...] = ()
    effort: Effort | None = None
    words: Words = field(default_factory=Words)
    shown: Callable[[], Sequence[str]] | None = None

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """Return what the model is told of its tools now."""
        known = {tool.name: tool for tool in self.tools}
        names = tuple(known) if self.shown is None else self.shown()
        return tuple(known[name].spec for name in names if name in known)

    @property
    def models(self) -> tuple[Model, ...]:
        """Return the model and its fallbacks."""
        return (self.model, *self.fallbacks)

    @property
    def system(self) -> str:
        """Return the system prompt."""
        names = [tool.name for tool in self.tools]
        return system_prompt(self.grants, self.budget, self.words, names)
