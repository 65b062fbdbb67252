"""`ask_user`: a question of the model to the person.

Guarantees: an answer that was typed grounds its values, as words of the task do; one that was
chosen from the model's options, or equals one, grounds nothing, nor does a value that one of them
names. The answer is a principal's, so it labels nothing. Does not: grant what the answer talks
about; a missing grant is asked for apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from capbox.authority.values.kinds import Value
from capbox.tools.loop.person import Person, Question, Silent
from capbox.tools.loop.told import Told, Unable

QUESTION_CHARACTERS_MAX = 4_000
OPTIONS_MAX = 10
OPTION_CHARACTERS_MAX = 200
NOBODY = "Go on by your own judgement with what is certain, or end with the question as your answer"


def _nothing(text: str) -> frozenset[Value]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Asking:
    """The tool. `values` returns what the words of a principal name."""

    person: Person
    values: Callable[[str], frozenset[Value]] = _nothing

    async def ask_user(
        self,
        question: str,
        options: list[str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the name that the model is told
    ) -> Told | Unable:
        """Ask the person you work for, and wait for the answer.

        For what only they can know or decide. Nobody may be there: then you are told so at once.
        An answer gives you no rights.

        Args:
            question: What you want to know, in one or two sentences.
            options: Answers to choose from, at most 10; another answer is always possible.
            timeout: How many seconds to wait at most; left out, as long as it takes.
        """
        given = tuple(options or ())
        wrong = _wrong(question, given, timeout)
        if wrong is not None:
            return Unable("invalid_arguments", wrong)
        answer = await self.person.answer(Question(question, given), timeout)
        if isinstance(answer, Silent):
            return Unable("nobody", f"{answer.reason}. {NOBODY}.", answer.waited)
        found = self.values(answer.text) if answer.typed else frozenset()
        # Attack: an option that is shown otherwise than it is, so that its choice looks typed.
        found = found.difference(*map(self.values, given))
        grounds = sorted([value.kind, value.text] for value in found)
        return Told(answer.text, {"grounds": grounds}, waited=answer.waited)


def _wrong(question: str, options: tuple[str, ...], timeout: float | None) -> str | None:
    if not question.strip():
        return "question: is empty"
    if len(question) > QUESTION_CHARACTERS_MAX:
        return f"question: longer than {QUESTION_CHARACTERS_MAX} characters; ask in short"
    if len(options) > OPTIONS_MAX or any(len(one) > OPTION_CHARACTERS_MAX for one in options):
        return f"options: at most {OPTIONS_MAX}, of {OPTION_CHARACTERS_MAX} characters each"
    if timeout is not None and not 0 < timeout < 1e6:
        return "timeout: a number of seconds above 0, or left out"
    return None
