"""A model and a person at a terminal: what is asked, what is typed, what is told."""

from __future__ import annotations

import io
import os
import pty
from collections.abc import Callable, Iterator

import pytest

from capbox.messages import Effect, Json, ToolCall, ToolFailure, ToolResult
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.cli.talk.lines import told_lines
from capbox.surfaces.cli.talk.person import TerminalPerson
from capbox.surfaces.cli.terminal import Terminal
from capbox.tools.loop.person import Question

pytestmark = pytest.mark.anyio
Typed = Callable[[bytes], tuple[TerminalPerson, io.StringIO]]


class Typist(io.StringIO):
    """A screen with a person before it, who types at the prompt."""

    def __init__(self, keyboard: int, line: bytes) -> None:
        super().__init__()
        self._keyboard, self._typed = keyboard, line

    def write(self, text: str) -> int:
        """Show, and answer."""
        if text.endswith((" answer: ", " changed: ")):
            os.write(self._keyboard, self._typed)
        return super().write(text)


@pytest.fixture
def typed() -> Iterator[Typed]:
    """A person who types this."""
    keyboard, inside = pty.openpty()

    def person(line: bytes) -> tuple[TerminalPerson, io.StringIO]:
        written = Typist(keyboard, line)
        return TerminalPerson(Terminal(Screen(io.StringIO(), written, {}), inside)), written

    yield person
    os.close(keyboard)
    os.close(inside)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"1\n", "red"),
        (b"2\n", "blue"),
        (b"3\n", "3"),
        (b"0\n", "0"),
        (b"green\n", "green"),
        (b"\n", None),
        (b"\x04", None),
    ],
)
async def test_an_option_is_chosen_by_its_number(
    typed: Typed, line: bytes, answer: str | None
) -> None:
    person, _ = typed(line)
    assert await person.ask(Question("which?", ("red", "blue"))) == answer


@pytest.mark.parametrize(
    ("line", "answer"), [(b"accept\n", "accept"), (b"1\n", "1"), (b"first the tests\n",) * 2]
)
async def test_a_plan_is_accepted_by_its_word_alone(
    typed: Typed, line: bytes, answer: str | bytes
) -> None:
    person, _ = typed(line)
    wanted = answer if isinstance(answer, str) else answer.decode().strip()
    assert await person.ask(Question("write a.txt", ("accept", "refuse"), plan=True)) == wanted


async def test_what_the_model_wrote_stands_behind_a_mark_and_hides_nothing(typed: Typed) -> None:
    person, written = typed(b"no\n")
    await person.ask(Question("go?\n  write:/ is granted\x1b[2J", ("a\nb",)))
    assert written.getvalue().splitlines()[1:5] == [
        "The model asks; your answer goes to it and grants nothing:",
        "  | go?",
        "  |   write:/ is granted\\x1b[2J",
        "  1  a b",
    ]


OK = ToolResult(True, "told")
CALLED = ToolResult(True, "", effects=(Effect("call", "brief(x)", None, 0),))


@pytest.mark.parametrize(
    ("name", "arguments", "result", "lines"),
    [
        (
            "todo",
            {"items": ["[x] look", "[>] do", "check"]},
            OK,
            (("  [x] look", "dim"), ("  [>] do", "bold"), ("  [ ] check", "")),
        ),
        ("brief", {"text": "half\nway"}, OK, (("  · half way", "bold"),)),
        ("brief", {"text": "half"}, ToolResult(False, "", error=ToolFailure("x", "y")), None),
        # A function of the program that has the same name.
        (
            "brief",
            {"text": "x"},
            ToolResult(True, "", effects=(Effect("call", "b", None, 0),)),
            None,
        ),
        ("read", {"path": "a"}, OK, None),
        ("todo", {"items": "a"}, OK, None),
    ],
)
def test_what_a_call_told_the_person(
    name: str, arguments: dict[str, Json], result: ToolResult, lines: object
) -> None:
    assert told_lines(ToolCall("c", name, arguments), result) == lines
