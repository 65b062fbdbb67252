"""The words of a foreign command: what a manifest may say, and that a value is never an option."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.gate.command.template import Command, Word, parse_command
from capbox.messages import Json

PROPERTIES: dict[str, Json] = {
    "query": {"type": "string"},
    "limit": {"type": "integer"},
    "files": {"type": "array", "items": {"type": "string"}},
    "deep": {"type": "array", "items": {"type": "array"}},
    "flag": {"type": "boolean"},
    "odd": True,
}
WORDS = ["-q", "--limit={limit}", "--", "{query}", "{files}"]
COMMAND = Command(
    (
        Word("-q"),
        Word("--limit=", "limit"),
        Word("--"),
        Word("", "query"),
        Word("", "files"),
    ),
    "query",
)


def test_a_template_is_static_words_and_whole_values() -> None:
    assert parse_command(WORDS, "query", PROPERTIES) == COMMAND
    assert parse_command([], None, {}) == Command(())


@pytest.mark.parametrize(
    ("arguments", "argv", "stdin"),
    [
        ({}, ("-q", "--"), b""),
        ({"query": "x"}, ("-q", "--", "x"), b"x"),
        ({"query": "", "limit": 3}, ("-q", "--limit=3", "--", ""), b""),
        ({"limit": -1.5}, ("-q", "--limit=-1.5", "--"), b""),
        ({"query": "--x y\n;é", "files": []}, ("-q", "--", "--x y\n;é"), "--x y\n;é".encode()),
        ({"files": ["-a", "b c"]}, ("-q", "--", "-a", "b c"), b""),
        ({"query": None, "files": None}, ("-q", "--"), b""),
    ],
)
def test_it_is_filled_with_one_word_a_value(
    arguments: dict[str, Json], argv: tuple[str, ...], stdin: bytes
) -> None:
    assert COMMAND.unfit(arguments) is None
    assert COMMAND.argv(arguments) == argv
    assert COMMAND.input(arguments) == stdin


@pytest.mark.parametrize(
    ("words", "stdin", "message"),
    [
        (None, None, "argv: a list of words is expected"),
        ("--json", None, "argv: a list of words is expected"),
        ([3], None, "argv: 3 is no word"),
        (["a\0b"], None, "is no word"),
        (["{query}"], None, "could be an option: put '--' before it, or --flag="),
        (["{query}", "--"], None, "could be an option"),
        (["x{query}", "--"], None, "a value is a whole word"),
        (["--", "{query}{query}"], None, "a value is a whole word"),
        (["-q={query}"], None, "a value is a whole word"),
        (["{flag}={query}"], None, "a value is a whole word"),
        (["--{query}"], None, "a value is a whole word"),
        (["--", "{query"], None, "a value is a whole word"),
        (["--", "{other}"], None, "input_schema has no such text, number, or list of them"),
        (["--", "{flag}"], None, "input_schema has no such text, number, or list of them"),
        (["--", "{deep}"], None, "input_schema has no such text, number, or list of them"),
        (["--", "{odd}"], None, "input_schema has no such text, number, or list of them"),
        ([], "limit", "stdin: the name of an argument of type string is expected"),
        ([], "other", "stdin: the name of an argument of type string is expected"),
        ([], 3, "stdin: the name of an argument of type string is expected"),
    ],
)
def test_what_could_become_an_option_or_has_no_value_is_refused(
    words: Json, stdin: Json, message: str
) -> None:
    with pytest.raises(ValueError, match=r"^(argv|stdin): ") as refused:
        parse_command(words, stdin, PROPERTIES)
    assert message in str(refused.value)


@pytest.mark.parametrize("text", ["a\0b", "\0", "\ud800"])
@pytest.mark.parametrize("arguments", [lambda t: {"query": t}, lambda t: {"files": ["x", t]}])
def test_what_a_command_would_read_otherwise_is_unfit(text: str, arguments) -> None:
    assert "no command can read it" in (COMMAND.unfit(arguments(text)) or "")
    assert COMMAND.unfit(arguments("plain")) is None


VALUES = st.text() | st.integers() | st.none() | st.lists(st.text())
GIVEN = st.fixed_dictionaries({}, optional={name: VALUES for name in ("query", "limit", "files")})


@given(GIVEN)
def test_no_value_stands_where_an_option_may(arguments: dict[str, Json]) -> None:
    argv = COMMAND.argv(arguments)
    before = argv[: argv.index("--")]
    assert all(word == "-q" or word.startswith("--limit=") for word in before)
