"""What a line of a chat is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.surfaces.cli.talk.slash import COMMANDS, Do, Say, Unclear, help_lines, read_line


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("", None),
        ("  \n", None),
        ("hello", Say("hello")),
        (" a\nb ", Say("a\nb")),
        ("//grant me", Say("/grant me")),
        ("look at /etc", Say("look at /etc")),
        ("/help", Do("help", (), "")),
        ("/grant read:/a uses=1", Do("grant", ("read:/a", "uses=1"), "read:/a uses=1")),
        ("/export 'my file.md'", Do("export", ("my file.md",), "'my file.md'")),
        ("/undo --force", Do("undo", ("--force",), "--force")),
    ],
)  # fmt: skip
def test_a_line_is_a_message_or_a_command(line: str, read: object) -> None:
    assert read_line(line) == read


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("/", "there is no command /. /help lists them, and // is sent as a message"),
        ("/nope", "there is no command /nope. /help lists them, and //nope is sent as a message"),
        ("/exprt x", "there is no command /exprt. Did you mean /export? /help lists them, and "
         "//exprt is sent as a message"),
        ("/HELP", "there is no command /HELP. /help lists them, and //HELP is sent as a message"),
        ("/export 'x", "/export: No closing quotation"),
        ("/help\nnow do it", "there is no command /help. Did you mean /help? /help lists them, and "
         "//help is sent as a message"),
    ],
)  # fmt: skip
def test_what_is_no_command_says_so(line: str, reason: str) -> None:
    assert read_line(line) == Unclear(reason)


@given(st.text())
def test_a_line_with_one_slash_is_never_a_message(text: str) -> None:
    """Attack: none; a person's command with a typo must not be read by the model."""
    line = "/" + text.lstrip("/")
    assert not isinstance(read_line(line), Say)


def test_help_names_every_command() -> None:
    assert [typed.split()[0] for typed, _ in help_lines()] == [f"/{name}" for name in COMMANDS]
