"""What reaches a terminal cannot act on it, and what a program reads is left as it was."""

from __future__ import annotations

import io
import json

import pytest

from capbox.surfaces.cli.screen import Screen, one_line, shown


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


@pytest.mark.parametrize(
    ("text", "neutral"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab\n", "two\nlines\tand a tab\n"),
        ("dos\r\nends", "dos\nends"),
        ("\x1b[31mred\x1b[0m", "\\u001b[31mred\\u001b[0m"),
        ("over\rwritten", "over\\u000dwritten"),
        ("\x9b2J \x07\x08\x00", "\\u009b2J \\u0007\\u0008\\u0000"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("a\u2028b", "a\\u2028b"),
        ("\udcff", "\\udcff"),
        ("é 漢字", "é 漢字"),
    ],
)
def test_controls_are_spelt_out_and_text_stays(text: str, neutral: str) -> None:
    assert shown(text) == neutral


def test_one_line_is_one_line_and_short() -> None:
    assert one_line("a\n\tb  c", 20) == "a b c"
    assert one_line("x" * 50, 10) == "xxxxxxx..."


def test_a_result_is_raw_for_a_program_and_neutral_for_a_person() -> None:
    to_pipe, pipe, _ = screen(terminal=False)
    to_person, terminal, _ = screen(terminal=True)
    for one in (to_pipe, to_person):
        one.result("\x1b[2Jx")
        one.result("")
        one.result("ended\n")
    assert pipe.getvalue() == "\x1b[2Jx\nended\n"
    assert terminal.getvalue() == "\\u001b[2Jx\nended\n"


def test_messages_are_neutral_wherever_they_go() -> None:
    one, out, err = screen(terminal=False)
    one.say("\x1b[2Jx", "bold red")
    one.prompt("really? \x07")
    assert (out.getvalue(), err.getvalue()) == ("", "\\u001b[2Jx\nreally? \\u0007")


def test_json_is_ascii_on_one_line() -> None:
    one, out, _ = screen(terminal=True)
    value = {"a": "\x1b[2J\u202e\n\ud800", "b": ("x", 1)}
    one.json(value)
    assert out.getvalue().isascii()
    assert out.getvalue().count("\n") == 1
    assert json.loads(out.getvalue()) == {"a": value["a"], "b": ["x", 1]}


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
