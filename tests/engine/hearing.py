"""A scripted model that remembers what it was told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from capbox.engine.session import Session
from capbox.models.model import ModelEvent, ModelRequest
from capbox.models.script import ScriptedReply
from capbox.models.scripted import ScriptedModel


@dataclass
class HearingModel:
    """Plays a script, and keeps each request."""

    script: ScriptedModel
    requests: list[ModelRequest] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The script's."""
        return self.script.name

    def most_usd(self, input_tokens: int, output_tokens: int) -> float | None:
        """Nothing."""
        return 0.0

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Play the next reply."""
        self.requests.append(request)
        async for event in self.script.stream(request):
            yield event

    @property
    def system(self) -> str:
        """The system prompt of the last request."""
        return self.requests[-1].system


def hearing(*replies: ScriptedReply) -> HearingModel:
    """Make one that ends at once, or plays `replies`."""
    script = replies or (ScriptedReply(text="Done."),)
    return HearingModel(ScriptedModel("scripted", script))


async def system_of(session: Session, task: str = "Go.") -> str:
    """Run a task of one reply and return the system prompt that the model got."""
    model = hearing()
    async with session, session.run(task, model) as events:
        async for _ in events:
            pass
    return model.system


Opened = Callable[..., Session]
