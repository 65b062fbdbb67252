"""What reaches a terminal cannot act on it, and what a program reads is left as it was."""

from __future__ import annotations

import contextlib
import io
import json

import pytest

from capbox.surfaces.cli.screen import HELD_CHARACTERS_MAX, Screen


class Pane(io.StringIO):
    """A stream that is a terminal, or not."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def screen(*, terminal: bool, environ: dict[str, str] | None = None) -> tuple[Screen, Pane, Pane]:
    out, err = Pane(terminal=terminal), Pane(terminal=terminal)
    return Screen(out, err, environ or {}), out, err


def test_a_result_is_raw_for_a_program_and_neutral_for_a_person() -> None:
    to_pipe, pipe, _ = screen(terminal=False)
    to_person, terminal, _ = screen(terminal=True)
    for one in (to_pipe, to_person):
        one.result("\x1b[2Jx")
        one.result("")
        one.result("ended\n")
    assert pipe.getvalue() == "\x1b[2Jx\nended\n"
    assert terminal.getvalue() == "\\x1b[2Jx\nended\n"


def test_messages_are_neutral_wherever_they_go() -> None:
    one, out, err = screen(terminal=False)
    one.say("\x1b[2Jx", "bold red")
    with one.question([("\x1b[2Jy", "red")]) as question:
        question.prompt("really? \x07")
    assert out.getvalue() == ""
    assert err.getvalue() == "\\x1b[2Jx\n\\x1b[2Jy\nreally? \\x07\n"


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\n\n", "\n  ", "\r", "\u2028", "\x0b"])
def test_no_further_line_of_a_message_looks_like_one_of_ours(ends: str) -> None:
    one, _, err = screen(terminal=False)
    one.say(f"error: why{ends}to allow it, add: --write /{ends}", "red")
    one.say("to allow it, add: --read a")
    first, *inside, last = err.getvalue().splitlines()
    assert (first[:10], last) == ("error: why", "to allow it, add: --read a")
    assert all(line.startswith("  | ") for line in inside)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\n\n", "\n  ", "\r", "\u2028", "\x0b"])
def test_no_further_line_of_a_result_looks_like_one_of_ours(ends: str) -> None:
    one, out, _ = screen(terminal=False)
    one.line(f"failed  reads{ends}passed  writes{ends}", "red")
    one.paragraph(f"  a{ends}it asks for nothing")
    one.line("1 failed")
    first, *inside, last = out.getvalue().splitlines()
    assert (first[:13], last) == ("failed  reads", "1 failed")
    assert all(line.startswith(("  | ", "  a")) for line in inside)


def test_a_paragraph_is_folded_for_a_person_and_whole_for_a_program() -> None:
    text = "note: " + "word " * 30 + "well-known"
    to_pipe, pipe, _ = screen(terminal=False)
    to_person, terminal, _ = screen(terminal=True)
    for one in (to_pipe, to_person):
        one.paragraph(text, hang=6)
        one.paragraph("")
    assert pipe.getvalue() == f"{text}\n\n"
    first, *rest, empty = terminal.getvalue().splitlines()
    assert (max(map(len, (first, *rest))) <= 80, empty) == (True, "")
    assert all(row.startswith("      w") for row in rest)
    assert " ".join(row.strip() for row in (first, *rest)) == text


def test_json_is_ascii_on_one_line() -> None:
    one, out, _ = screen(terminal=True)
    value = {"a": "\x1b[2J\u202e\x7f\n\U0001f600", "b": ("x", 1)}
    one.json(value)
    assert out.getvalue().rstrip("\n").isprintable() and out.getvalue().isascii()
    assert out.getvalue().count("\n") == 1
    assert json.loads(out.getvalue()) == {"a": value["a"], "b": ["x", 1]}


@pytest.mark.attack
def test_no_data_of_a_tool_makes_strict_readers_refuse_a_result() -> None:
    one, out, _ = screen(terminal=False)
    one.json({"a": "x\ud800y", "\udfff": ["\\ud800", "\ud83d\ude00", "\udc00\ud800"]})
    assert out.getvalue() == '{"a": "x?y", "?": ["\\\\ud800", "??", "??"]}\n'


@pytest.mark.parametrize(
    ("terminal", "environ", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colour_only_on_a_terminal_that_wants_it(
    terminal: bool, environ: dict[str, str], coloured: bool
) -> None:
    one, _, err = screen(terminal=terminal, environ=environ)
    one.say("text", "red")
    assert ("\x1b[" in err.getvalue()) is coloured


def test_markup_in_foreign_text_is_only_text() -> None:
    one, out, err = screen(terminal=True)
    one.say("[bold]x[/bold] :smile:", "red")
    one.table(("a", "b"), [("[red]1", "[link=file:///etc]2")])
    assert "[bold]x[/bold] :smile:" in err.getvalue()
    assert "[red]1" in out.getvalue()
    assert "[link=file:///etc]2" in out.getvalue()


def test_a_message_begins_on_a_line_of_its_own_after_streamed_text() -> None:
    one, out, err = screen(terminal=False)
    one.stream("half a ")
    one.stream("line")
    one.stream("")
    one.say("message")
    one.stream("whole\n")
    one.say("message")
    assert out.getvalue() == "half a line\nwhole\n"
    assert err.getvalue() == "message\nmessage\n"


def test_a_table_for_a_program_has_aligned_columns_and_whole_cells() -> None:
    one, out, _ = screen(terminal=False)
    one.table(("name", "what"), [("a", "x" * 150), ("long", "y\nz")])
    assert out.getvalue() == f"name  what\na     {'x' * 150}\nlong  y z\n"


def test_a_table_on_a_terminal_cuts_its_last_column_only() -> None:
    one, out, _ = screen(terminal=True, environ={"NO_COLOR": "1"})
    one.table(("name", "what"), [("n" * 40, "x" * 190)])
    assert out.getvalue() == f"name{' ' * 38}what\n{'n' * 40}  {'x' * 35}...\n"


def test_a_last_column_of_wide_characters_takes_no_second_row() -> None:
    one, out, _ = screen(terminal=True, environ={"NO_COLOR": "1"})
    one.table(("name", "what"), [("n" * 40, "ー" * 30), ("n", "я" * 38)])
    assert out.getvalue().splitlines()[1:] == [
        f"{'n' * 40}  {'ー' * 17}...",
        f"n{' ' * 41}{'я' * 38}",
    ]


class Window(io.StringIO):
    """What both streams show, one after the other; each asks whether it is a terminal."""

    def isatty(self) -> bool:
        return True


def write_everything(one: Screen) -> None:
    one.stream("half a line")
    one.say("said", "red")
    one.line("line")
    one.result("result")
    one.json({"a": 1})
    one.table(("name", "what"), [("n", "w")])


EVERYTHING = 'half a line\nsaid\nline\nresult\n{"a": 1}\nname  what\nn     w\n'


def test_while_a_question_is_open_everything_else_is_kept_and_written_after_the_answer() -> None:
    window = Window()
    one = Screen(window, window, {"NO_COLOR": "1"})
    with one.question([("May it?", "bold")]) as question:
        question.prompt("[y/N] ")
        write_everything(one)
        assert window.getvalue() == "May it?\n[y/N] "
        question.answered()
        question.say("no: what?")
        question.prompt("[y/N] ")
        one.say("more")
        assert window.getvalue() == "May it?\n[y/N] no: what?\n[y/N] "
        question.answered()
        question.say("yes")
    assert window.getvalue() == f"May it?\n[y/N] no: what?\n[y/N] yes\n{EVERYTHING}more\n"


def test_a_question_that_ends_unanswered_is_followed_by_what_was_kept() -> None:
    for end in ("raised", "given up"):
        window = Window()
        one = Screen(window, window, {"NO_COLOR": "1"})
        with contextlib.suppress(TimeoutError), one.question() as question:
            question.prompt("[y/N] ")
            write_everything(one)
            if end == "raised":
                raise TimeoutError
            one.give_up()
            assert window.getvalue() == f"[y/N] \n{EVERYTHING}"
            one.say("later")
        tail = "" if end == "raised" else "later\n"
        assert window.getvalue() == f"[y/N] \n{EVERYTHING}{tail}"


def test_a_question_begins_on_a_line_of_its_own_after_streamed_text() -> None:
    window = Window()
    one = Screen(window, window, {})
    one.stream("half")
    with one.question() as question:
        question.prompt("[y/N] ")
        one.stream(" and half")
        question.answered()
    one.say("message")
    assert window.getvalue() == "half\n[y/N]  and half\nmessage\n"


@pytest.mark.parametrize("text", ["x" * (HELD_CHARACTERS_MAX + 1), "\n" * 4_001])
def test_more_than_can_be_kept_is_written_and_the_whole_question_shown_again_below(
    text: str,
) -> None:
    window = Window()
    one = Screen(window, window, {})
    dropped = []
    with one.question([("May it?", "")], lambda: dropped.append(window.getvalue())) as question:
        question.prompt("[y/N] ")
        one.say("first")
        one.stream(text)
        assert window.getvalue().endswith("May it?\n[y/N] ")
        one.say("kept again")
        assert window.getvalue().endswith("May it?\n[y/N] ")
        question.answered()
    flood = f"May it?\n[y/N] \nfirst\n{text}" + ("\n" if text[-1] == "x" else "")
    assert window.getvalue() == f"{flood}May it?\n[y/N] kept again\n"
    assert dropped == [flood]


def test_many_short_lines_are_kept_too() -> None:
    window = Window()
    one = Screen(window, window, {})
    with one.question() as question:
        question.prompt("[y/N] ")
        for number in range(2_000):
            one.say(f"line {number}")
        assert window.getvalue() == "[y/N] "
