"""An approver for programs: questions wait in a queue, and whoever answers first decides.

    approver = QueueApprover()
    async for question in approver:
        print(question.request.effect)
        approver.answer(question.id, question.fingerprint, Once())

Guarantees: an answer names the question and the exact effect that it was given for, else it is
refused; the first clear one wins, and where nobody answers in time it is no. Does not: grant; the
gate lends within the ceiling.
"""

from __future__ import annotations

import json
import math
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256

import anyio

from capbox.gate.approver import Answer, Approver, AskRequest, No

ANSWER_SECONDS = 600.0
QUESTIONS_MAX = 100


@dataclass(frozen=True, slots=True)
class Question:
    """One that waits. `fingerprint` is the hash of the effect as it was shown, `asked` a time."""

    id: str
    request: AskRequest
    fingerprint: str
    asked: float


@dataclass(slots=True, eq=False)
class _Open:
    question: Question
    answered: anyio.Event = field(default_factory=anyio.Event)
    answer: Answer | None = None

    def take(self, answer: Answer) -> None:
        self.answer = self.answer or answer
        self.answered.set()


class QueueApprover:
    """Asks `beside`, if given, and at the same time whoever reads the queue."""

    def __init__(
        self, seconds: float | None = ANSWER_SECONDS, *, beside: Approver | None = None
    ) -> None:
        """Wait so long for an answer; None: as long as `beside` takes, whose word then counts."""
        self._seconds = math.inf if seconds is None else seconds
        self._waits = seconds is not None
        self._beside = beside
        self._open: dict[str, _Open] = {}
        self._news = anyio.Event()

    async def ask(self, request: AskRequest) -> Answer:
        """Queue the question, and return the first clear answer; `No` if there is none in time."""
        if len(self._open) >= QUESTIONS_MAX:
            return No(f"{QUESTIONS_MAX} questions wait already", by="nobody")
        mark = fingerprint(request)
        waiting = _Open(Question(secrets.token_hex(4), request, mark, time.time()))
        self._open[waiting.question.id] = waiting
        self._news.set()
        self._news = anyio.Event()
        try:
            async with anyio.create_task_group() as tasks:
                if self._beside is not None:
                    tasks.start_soon(self._ask_beside, self._beside, waiting)
                with anyio.move_on_after(self._seconds):
                    await waiting.answered.wait()
                tasks.cancel_scope.cancel()
        finally:
            del self._open[waiting.question.id]
        return waiting.answer or No(f"nobody answered within {self._seconds:g} s", by="nobody")

    def __aiter__(self) -> AsyncIterator[Question]:
        """Yield each question once, as it comes; for ever."""
        return self._questions()

    def pending(self) -> tuple[Question, ...]:
        """Return the questions that wait now, the oldest first."""
        return tuple(waiting.question for waiting in self._open.values())

    def answer(self, question: str, mark: str, answer: Answer) -> str | None:
        """Answer the question of this id and fingerprint; returns why that is not possible."""
        waiting = self._open.get(question)
        if waiting is None or waiting.answer is not None:
            return "the question does not wait for an answer any more"
        if waiting.question.fingerprint != mark:
            # An approval endorses an effect, not whatever bears its number now.
            return "the answer was given for another effect than the question is about"
        waiting.take(answer)
        return None

    def withdraw(self, run: str) -> None:
        """End the questions of a run that was revoked."""
        for waiting in tuple(self._open.values()):
            if waiting.question.request.run == run:
                waiting.take(No("the run was revoked", by="nobody"))

    async def _ask_beside(self, beside: Approver, waiting: _Open) -> None:
        answer = await beside.ask(waiting.question.request)
        silent = isinstance(answer, No) and answer.by == "nobody"
        # Silence there is no answer while others may still give one.
        if not (silent and self._waits):
            waiting.take(answer)

    async def _questions(self) -> AsyncIterator[Question]:
        seen: set[str] = set()
        while True:
            news = self._news
            for question in self.pending():
                if question.id not in seen:
                    seen.add(question.id)
                    yield question
            await news.wait()


def fingerprint(request: AskRequest) -> str:
    """Return the hash of all that a question shows."""
    shown = asdict(request) | {"access": str(request.access)}
    return sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()
