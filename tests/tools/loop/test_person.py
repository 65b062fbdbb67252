"""What a model gets of a person: an answer, the end of a wait, or that nobody is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import pytest

from capbox.authority.values.kinds import Value
from capbox.tools.loop.asking import Asking
from capbox.tools.loop.person import ANSWER_CHARACTERS_MAX, AskPerson, Person, Question
from capbox.tools.loop.told import Told, Unable

pytestmark = pytest.mark.anyio
ALICE = Value("email", "alice@example.com")
ANN = Value("email", "ann@example.com")


def saying(answer: str | None) -> AskPerson:
    """A person who always says this."""

    async def ask(question: Question) -> str | None:
        return answer

    return ask


async def never(question: Question) -> str | None:
    """A person who thinks for ever."""
    await anyio.sleep_forever()
    return None


def asking(asked: AskPerson | None) -> Asking:
    """The tool, where words name Alice or Ann."""
    return Asking(
        Person(asked), lambda text: frozenset(one for one in (ALICE, ANN) if one.text in text)
    )


async def test_without_a_person_the_model_is_told_so_at_once() -> None:
    told = await asking(None).ask_user("which one?")
    assert isinstance(told, Unable) and told.code == "nobody"
    assert told.text.startswith("nobody is there to answer. Go on by your own judgement")


@pytest.mark.parametrize(
    ("answer", "grounds"),
    [
        ("write to ann@example.com", [["email", "ann@example.com"]]),
        ("write to alice@example.com", []),  # an option names it: the model's word
        ("alice@example.com", []),
        (" alice@example.com ", []),
    ],
)
async def test_only_what_a_person_typed_grounds_its_values(answer: str, grounds: object) -> None:
    told = await asking(saying(answer)).ask_user("to whom?", ["alice@example.com"])
    assert isinstance(told, Told)
    assert (told.text, told.data) == (answer.strip(), {"grounds": grounds})


@pytest.mark.parametrize("answer", [None, "", "  \n"])
async def test_an_empty_answer_is_none(answer: str | None) -> None:
    told = await asking(saying(answer)).ask_user("which one?")
    assert isinstance(told, Unable) and told.code == "nobody"


async def test_a_wait_that_has_an_end_ends() -> None:
    told = await asking(never).ask_user("which one?", timeout=0.01)
    assert isinstance(told, Unable) and "nobody answered within 0.01 s" in told.text


async def test_no_clock_runs_while_a_person_thinks() -> None:
    paused: list[str] = []

    @contextmanager
    def pause() -> Iterator[None]:
        paused.append("begin")
        yield
        paused.append("end")

    await Person(saying("yes"), pause).answer(Question("sure?"))
    assert paused == ["begin", "end"]


async def test_a_long_answer_is_cut() -> None:
    told = await asking(saying("x" * 50_000)).ask_user("which one?")
    assert isinstance(told, Told) and len(told.text) == ANSWER_CHARACTERS_MAX


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"question": " "}, "question: is empty"),
        ({"question": "x" * 5_000}, "question: longer"),
        ({"question": "q", "options": ["o"] * 11}, "options: at most 10"),
        ({"question": "q", "options": ["o" * 300]}, "options: at most 10"),
        ({"question": "q", "timeout": -1.0}, "timeout: a number"),
        ({"question": "q", "timeout": float("inf")}, "timeout: a number"),
    ],
)
async def test_a_question_is_bounded(given: dict[str, object], said: str) -> None:
    told = await asking(saying("yes")).ask_user(**given)  # type: ignore[arg-type]
    assert isinstance(told, Unable) and told.text.startswith(said)
