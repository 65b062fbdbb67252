"""A run in one object, folded from its events: what `capbox run --json` prints at the end.

Guarantees: the same events give the same report; a refusal that was met several times is listed
once, effects all and in order. Does not: run or store anything.
"""

from __future__ import annotations

from capbox.agent.events import Event, RunFinished, RunStarted, ToolFinished
from capbox.agent.outcome import exit_code, sentence, word
from capbox.messages import Denial, Effect, Json, ToolResult


class Report:
    """Grows with `add`; whole when `finished` is there."""

    def __init__(self) -> None:
        """Start empty."""
        self.run = ""
        self.denied: list[Denial] = []
        self.effects: list[Effect] = []
        self.finished: RunFinished | None = None

    def add(self, event: Event) -> None:
        """Take one event into account."""
        match event:
            case RunStarted():
                self.run = event.run
            case ToolFinished():
                self.effects.extend(event.result.effects)
                self.denied.extend(d for d in event.result.denied if d not in self.denied)
            case RunFinished():
                self.finished = event
            case _:
                pass

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object; `outcome` is null for a run that has not ended.

        A run that did not end well has an `error` besides.
        """
        finished = self.finished
        # One place (`ToolResult`) knows how denials and effects look in JSON.
        lists = ToolResult(
            True, "", denied=tuple(self.denied), effects=tuple(self.effects)
        ).to_json()
        report: dict[str, Json] = {
            "outcome": word(finished.outcome) if finished else None,
            "text": finished.text if finished else "",
            "run": self.run,
            "denied": lists["denied"],
            "effects": lists["effects"],
            "spent": finished.spent.to_json() if finished else None,
        }
        if finished is not None and exit_code(finished.outcome) != 0:
            why = {"code": word(finished.outcome), "message": sentence(finished.outcome)}
            report["error"] = why
        return report
