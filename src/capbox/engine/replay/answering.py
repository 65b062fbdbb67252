"""Whoever was asked, in a replay: gives the answers that are on record, at their recorded time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from capbox.gate.approver import (
    Always,
    Answer,
    AskRequest,
    ByRule,
    For,
    ForRun,
    ForUses,
    No,
    Once,
    Stop,
)
from capbox.messages import JsonObject


class RecordedApprover:
    """Answers each question as the same one was answered then; `at` is told the time of that."""

    def __init__(self, answers: Iterable[JsonObject], at: Callable[[int], None]) -> None:
        """Take the records of answers, in order."""
        self._answers = list(answers)
        self._at = at

    async def ask(self, request: AskRequest) -> Answer:
        """Return the first answer that was given for this access and is not used yet."""
        for record in self._answers:
            if record.get("access") == str(request.access):
                self._answers.remove(record)
                at = record.get("at")
                self._at(at if isinstance(at, int) else 0)
                return _answer(record)
        return No("the record has no such question", by="nobody")


def _answer(record: JsonObject) -> Answer:
    match record.get("word"), record.get("said"):
        case "Once", _:
            return Once()
        case "ForUses", {"count": int(count)}:
            return ForUses(count)
        case "ForRun", _:
            return ForRun()
        case "For", {"seconds": int(seconds)}:
            return For(seconds)
        case "Always", _:
            return Always()
        case "ByRule", {"grant": str(grant)}:
            return ByRule(grant)
        case "Stop", _:
            return Stop()
        case "No", {"reason": str(reason), "by": "person" | "nobody" | "rule" as by}:
            return No(reason, by)
        case _:
            return No("the record has no such answer", by="nobody")
