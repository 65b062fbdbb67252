"""The approver at a terminal: a clear yes is a yes, everything else is a no."""

from __future__ import annotations

import io
import json
import os
import pty
import select
from collections.abc import Iterator
from dataclasses import replace

import anyio
import pytest

from capbox.agent.outcome import TurnLimit
from capbox.authority.access import ReadAccess, ToolAccess
from capbox.authority.paths import GrantPath
from capbox.authority.values.arguments import Argument, Given
from capbox.gate.approver import (
    Always,
    Answer,
    AskRequest,
    For,
    ForRun,
    ForUses,
    No,
    Once,
    Stop,
    ask_request,
)
from capbox.surfaces.cli.approver import TerminalApprover, ask_for_more, parse_answer
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.cli.terminal import Terminal

UNCLEAR = No("the answer was not understood", by="nobody")
GIVEN_UP = No("no answer was understood, which counts as no", by="nobody")
EACH = No("this grant asks for each request (ask=each): o, n or s", by="nobody")
QUESTION = ask_request(
    ReadAccess(GrantPath("/workspace/a")),
    run="r",
    tool="read",
    tool_digest="ab" * 32,
    host="/home/x/a",
    arguments='{"path": "a\u202e"}',
)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("o", Once()),
        ("ONCE", Once()),
        ("r", ForRun()),
        ("run", ForRun()),
        ("t", For(600)),
        ("t 30", For(1_800)),
        ("time 1440", For(86_400)),
        ("uses=3", ForUses(3)),
        ("for=30m", For(1_800)),
        ("always=5", Always(5)),
        ("for=30", UNCLEAR),
        ("s", Stop()),
        ("stop", Stop()),
        ("n", No()),
        ("no", No()),
        ("", No()),
        ("y", UNCLEAR),
        ("yes", UNCLEAR),
        ("o o", UNCLEAR),
        ("once more", UNCLEAR),
        ("or", UNCLEAR),
        ("t 0", No("the number was out of range", by="nobody")),
        ("t 1441", No("the number was out of range", by="nobody")),
        ("t -5", UNCLEAR),
        ("t 1e3", UNCLEAR),
        ("t ٣", UNCLEAR),
        ("t 99999999999999999999", UNCLEAR),
        ("\x1b[A", UNCLEAR),
    ],
)
def test_a_typed_line_means_one_answer(line: str, answer: Answer) -> None:
    assert parse_answer(line) == answer


@pytest.fixture
def line() -> Iterator[tuple[int, int]]:
    """A pipe in place of the keyboard: where the terminal reads, and where it is typed."""
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            assert end == ends[1]  # a test ended the input


class Typist(io.StringIO):
    """A screen with a person before it, who types the next of `lines` at each question."""

    def __init__(self, keyboard: int, lines: list[bytes]) -> None:
        super().__init__()
        self._keyboard = keyboard
        self._lines = list(lines)

    def write(self, text: str) -> int:
        """Show, and answer."""
        if "[o]nce" in text:
            os.write(self._keyboard, self._lines.pop(0))
        return super().write(text)


def terminal(descriptor: int) -> tuple[Terminal, io.StringIO]:
    written = io.StringIO()
    return Terminal(Screen(io.StringIO(), written, {}), descriptor), written


async def shown_times(times: int, text: str, written: io.StringIO) -> None:
    """Wait until `text` was shown so often."""
    with anyio.fail_after(60):
        while written.getvalue().count(text) < times:
            await anyio.lowlevel.checkpoint()


async def test_the_canonical_effect_is_shown_and_the_answer_taken(line: tuple[int, int]) -> None:
    asked, written = terminal(line[0])
    os.write(line[1], b"r\n")
    assert await TerminalApprover(asked).ask(QUESTION) == ForRun()
    shown = written.getvalue()
    assert "read (sha256 abababababab) wants to read /workspace/a, which is /home/x/a" in shown
    assert "read:/workspace/a" in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ([b"y\n", b"o\n"], Once()),
        ([b"t 0\n", b"yes\n", b"t 5\n"], For(300)),
        ([b"n\n"], No()),
        ([b"y\n", b"y\n", b"y\n"], GIVEN_UP),
        ([b"y\n", b"y\n", b"t 0\n"], GIVEN_UP),
    ],
)
async def test_what_is_not_understood_is_asked_again_twice(
    typed: list[bytes], answer: Answer, line: tuple[int, int]
) -> None:
    written = Typist(line[1], typed)
    asked = Terminal(Screen(io.StringIO(), written, {}), line[0])
    assert await TerminalApprover(asked).ask(QUESTION) == answer
    assert written.getvalue().count("[o]nce") == len(typed)
    # A slip is told with what there is, and is not called a no before it counts as one.
    again = written.getvalue().count("not understood: o, u 3, t 30, r, always, n or s (")
    assert again == sum(one in (b"y\n", b"yes\n") for one in typed[:2] if len(typed) > 1)
    assert written.getvalue().count("  no: ") == isinstance(answer, No)


@pytest.mark.parametrize(
    ("caveat", "typed", "answer"),
    [
        ("ask=each", [b"r\n", b"always\n", b"o\n"], Once()),
        ("ask=each", [b"t 5\n", b"u 2\n", b"r\n"], EACH),
        ("ask=each", [b"s\n"], Stop()),
        ("ask=first", [b"r\n"], ForRun()),
    ],
)
async def test_a_grant_that_asks_each_time_is_confirmed_for_one_request(
    caveat: str, typed: list[bytes], answer: Answer, line: tuple[int, int]
) -> None:
    written = Typist(line[1], typed)
    asked = Terminal(Screen(io.StringIO(), written, {}), line[0])
    question = replace(QUESTION, grant=f"fetch:https://a.test {caveat}")
    assert await TerminalApprover(asked).ask(question) == answer
    shown = written.getvalue()
    each = "held, and to be confirmed for each call:  fetch:https://a.test ask=each"
    assert (each in shown, "[always]" in shown) == (
        (True, False) if "each" in caveat else (False, True)
    )


async def test_what_happens_meanwhile_is_told_after_the_answer(line: tuple[int, int]) -> None:
    asked, written = terminal(line[0])
    answers: list[Answer] = []

    async def ask() -> None:
        answers.append(await TerminalApprover(asked).ask(QUESTION))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        shown = written.getvalue()
        asked.screen.say("glob   [o]k show it   [n]o thanks   (one letter, Enter):")
        os.write(line[1], b"maybe\n")
        await shown_times(2, "[s]top", written)
        asked.screen.say("glob   once more")
        assert "[o]k show it" not in written.getvalue()
        os.write(line[1], b"n\n")
    assert answers == [No()]
    assert shown.endswith("[s]top: ")
    assert written.getvalue().removeprefix(shown).splitlines()[-3:] == [
        "[o]nce  [u]ses (u 3)  [t]ime (t 30: min)  [r]un  [always]  [n]o  no, [s]top:   no: "
        "refused by the person who was asked",
        "glob   [o]k show it   [n]o thanks   (one letter, Enter):",
        "glob   once more",
    ]


async def test_a_question_comes_up_whole_and_only_after_the_one_before_it(
    line: tuple[int, int],
) -> None:
    asked, written = terminal(line[0])
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(TerminalApprover(asked).ask, QUESTION)
        await anyio.wait_all_tasks_blocked()
        assert written.getvalue().count("wants to read") == 1
        os.write(line[1], b"o\n")
        await shown_times(2, "[s]top", written)
        os.write(line[1], b"o\n")
    assert written.getvalue().count("wants to read") == 2


@pytest.mark.parametrize("given_up", ["end of input", "cancelled"])
async def test_what_was_kept_is_told_when_nobody_answers(
    given_up: str, line: tuple[int, int]
) -> None:
    asked, written = terminal(line[0])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(TerminalApprover(asked).ask, QUESTION)
        await anyio.wait_all_tasks_blocked()
        asked.screen.say("kept")
        assert "kept" not in written.getvalue()
        if given_up == "cancelled":
            tasks.cancel_scope.cancel()
        else:
            os.close(line[1])
    assert written.getvalue().endswith("[s]top: \nkept\n")


async def test_what_was_typed_at_a_question_that_was_pushed_away_does_not_answer_it() -> None:
    keyboard, inside = pty.openpty()
    asked, written = terminal(inside)
    answers: list[Answer] = []

    async def ask() -> None:
        answers.append(await TerminalApprover(asked).ask(QUESTION))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        os.write(keyboard, b"run\n")
        assert select.select([inside], [], [], 60)[0]
        for number in range(5_000):
            asked.screen.say(f"glob   question {number}?")
        assert written.getvalue().count("wants to read") == 2
        os.write(keyboard, b"n\n")
    assert answers == [No()]
    os.close(keyboard)
    os.close(inside)


async def test_a_long_question_fits_a_window_and_shows_both_ends_of_every_path(
    line: tuple[int, int],
) -> None:
    name = "/" + "d" * 3_000 + "/key"
    long = ask_request(
        ReadAccess(GrantPath(f"/workspace{name}")),
        run="r",
        tool="read",
        tool_digest="ab" * 32,
        host=f"/home/x{name}",
        arguments='{"path": "' + "\u202e" * 3_000,
    )
    asked, written = terminal(line[0])
    os.write(line[1], b"n\n")
    await TerminalApprover(asked).ask(long)
    _, effect, arguments, grant, prompt = written.getvalue().splitlines()
    assert effect.startswith("read (sha256 abababababab) wants to read /workspace/ddd")
    assert "ddd/key, which is /home/x/ddd" in effect
    assert effect.endswith("ddd/key")
    assert effect.count(" characters, cut here ...] ") == 2
    assert arguments.startswith('  arguments  {"path": "\\u202e')
    assert arguments.endswith("characters more")
    assert " longer allows  read:/workspace/ddd" in grant
    assert grant.endswith("ddd/key")
    rows = [len(line) // 80 + 1 for line in ("", effect, arguments, grant, prompt)]
    assert sum(rows) <= 22


async def test_what_hides_in_a_question_is_spelt_out_before_it_is_cut(
    line: tuple[int, int],
) -> None:
    hidden = ask_request(
        ReadAccess(GrantPath("/workspace/a")),
        run="r",
        tool="read",
        tool_digest="ab" * 32,
        host="/home/x/pay\u200bpal",
        arguments='{"path": "' + "\U000e0041" * 400,
    )
    asked, written = terminal(line[0])
    os.write(line[1], b"n\n")
    await TerminalApprover(asked).ask(hidden)
    _, effect, arguments, *_ = written.getvalue().splitlines()
    assert effect.endswith("which is /home/x/pay\\u200bpal")
    assert '"path": "\\U000e0041\\U000e0041' in arguments
    assert len(arguments) < 500


async def test_the_end_of_the_input_is_a_no(line: tuple[int, int]) -> None:
    asked, _ = terminal(line[0])
    os.write(line[1], b"o")  # not a whole line
    os.close(line[1])
    approver = TerminalApprover(asked)
    assert await approver.ask(QUESTION) == No("nobody answered", by="nobody")
    assert await approver.ask(QUESTION) == No("nobody answered", by="nobody")


async def test_an_endless_line_is_a_no(line: tuple[int, int]) -> None:
    asked, _ = terminal(line[0])
    os.write(line[1], b"o" * 10_000)
    assert await TerminalApprover(asked).ask(QUESTION) == No("nobody answered", by="nobody")


async def test_what_was_typed_before_the_question_does_not_answer_it(
    line: tuple[int, int],
) -> None:
    asked, _ = terminal(line[0])
    os.write(line[1], b"first\nrun\n")
    assert await asked.ask("anything? ") == "first"
    os.write(line[1], b"n\n")
    assert await TerminalApprover(asked).ask(QUESTION) == No()


async def test_two_questions_at_a_time_are_asked_one_after_the_other(
    line: tuple[int, int],
) -> None:
    asked, written = terminal(line[0])
    answers: list[str | None] = []

    async def ask(prompt: str) -> None:
        answers.append(await asked.ask(prompt))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, "one? ")
        tasks.start_soon(ask, "two? ")
        await anyio.wait_all_tasks_blocked()
        assert written.getvalue() == "one? "
        os.write(line[1], b"1\n2\n")
    assert answers == ["1", "2"]


async def test_waiting_for_an_answer_can_be_cancelled(line: tuple[int, int]) -> None:
    asked, _ = terminal(line[0])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(TerminalApprover(asked).ask, QUESTION)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    os.write(line[1], b"later\n")
    assert await asked.ask("and now? ") == "later"


@pytest.mark.parametrize(
    ("typed", "more"), [(b"y\n", True), (b"YES\n", True), (b"\n", False), (b"o\n", False)]
)
async def test_more_is_given_only_for_a_yes(
    typed: bytes, more: bool, line: tuple[int, int]
) -> None:
    asked, written = terminal(line[0])
    os.write(line[1], typed)
    assert await ask_for_more(asked, TurnLimit(50)) is more
    assert written.getvalue() == "all 50 turns are used. As much again? [y/N] "


def _mail(recipients: list[str]) -> AskRequest:
    to = Argument("to", "email", tuple(Given(one) for one in recipients))
    return ask_request(
        ToolAccess("send_mail", (to,)),
        run="r",
        tool="send_mail",
        tool_digest="ab" * 32,
        host=None,
        arguments=json.dumps({"text": "x" * 900, "to": recipients}),
    )


@pytest.mark.parametrize("yes", [b"o\n", b"u 3\n", b"t 5\n", b"r\n", b"always\n"])
async def test_a_yes_counts_only_where_every_value_of_a_function_was_shown(
    yes: bytes, line: tuple[int, int]
) -> None:
    """The attack: of forty recipients the one in the middle, which is cut out, is a stranger."""
    few = [f"person{n}@example.com" for n in range(20)]
    for recipients, whole in ((few, True), ([*few, "eve@evil.example", *few], False)):
        written = Typist(line[1], [yes, yes, b"n\n"])
        asked = Terminal(Screen(io.StringIO(), written, {}), line[0])
        answer = await TerminalApprover(asked).ask(_mail(recipients))
        shown = written.getvalue()
        assert isinstance(answer, No) != whole
        assert ("only no or stop" in shown) != whole
        if whole:
            assert all(one in shown for one in recipients)
            assert sum(1 + len(row) // 80 for row in shown.splitlines()) <= 22
