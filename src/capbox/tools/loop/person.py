"""The person that a run works for, as its tools ask: a question, and the words of the answer.

Guarantees: without a person the answer is there at once; a wait takes no time of the run's, and is
told apart from work. Does not: grant anything (approvals have their own way), or show a question:
whoever asks neutralises what the model wrote.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from anyio import current_time, move_on_after

ANSWER_CHARACTERS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Question:
    """What a model asks a person, in its own words. `plan`: the text is a plan to be accepted."""

    text: str
    options: tuple[str, ...] = ()
    plan: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What the person said. `typed` words are the person's own, others one of the options."""

    text: str
    typed: bool
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class Silent:
    """There is no answer, and why."""

    reason: str
    waited: float = 0.0


AskPerson = Callable[[Question], Awaitable[str | None]]
"""Asks; returns the option that was chosen, or what was typed; None: nobody answered."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever is `asked`; None: nobody is there. No clock of the run runs while `paused`."""

    asked: AskPerson | None = None
    paused: Callable[[], AbstractContextManager[None]] = nullcontext

    async def answer(self, question: Question, seconds: float | None = None) -> Said | Silent:
        """Return the answer to `question`; `seconds` is how long it is waited for at most."""
        if self.asked is None:
            return Silent("nobody is there to answer")
        began, found = current_time(), None
        with self.paused(), move_on_after(seconds) as scope:
            found = await self.asked(question)
        waited = current_time() - began
        if found is None or not found.strip():
            late = f"nobody answered within {seconds:g} s" if seconds is not None else ""
            return Silent((scope.cancelled_caught and late) or "nobody answered", waited)
        text = found.strip()[:ANSWER_CHARACTERS_MAX]
        # Attack: the model offers a stranger's address as an option. What was only chosen, or
        # copied whole from the options, is the model's word, not the person's.
        return Said(text, _plain(text) not in map(_plain, question.options), waited)


def _plain(text: str) -> str:
    """Return `text` as it looks: one with a blank behind it looks like one without."""
    return " ".join(text.split()).casefold()
