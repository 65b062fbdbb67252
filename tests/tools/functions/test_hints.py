"""Type hints become a closed schema; what has no such reading is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest

from capbox.tools.functions.hints import (
    HintError,
    Sink,
    description_of,
    parameters_of,
    schema_of,
)


def send(
    to: Annotated[list[str], Sink("email")],
    amount: Annotated[Decimal, Sink("amount")],
    text: str,
    urgent: bool = False,
    tone: Literal["warm", "short"] = "warm",
    times: int = 1,
    on: Annotated[date | None, Sink("date")] = None,
) -> str:
    """Send a mail.

    At once, and to everybody.

    Args:
        to: whom it goes to,
            each once
        text (str): what it says
    Returns:
        nothing: of use
    """
    return ""


def test_hints_and_docstring_become_a_closed_schema() -> None:
    parameters = parameters_of(send, {})
    assert isinstance(parameters, tuple)
    assert schema_of(parameters) == {
        "type": "object",
        "properties": {
            "to": {
                "type": "array",
                "items": {"type": "string", "description": "one email"},
                "maxItems": 100,
                "description": "whom it goes to, each once",
            },
            "amount": {"type": ["number", "string"], "description": "one amount"},
            "text": {"type": "string", "description": "what it says"},
            "urgent": {"type": "boolean"},
            "tone": {"enum": ["warm", "short"]},
            "times": {"type": "integer"},
            "on": {"type": "string", "description": "one date"},
        },
        "required": ["to", "amount", "text"],
        "additionalProperties": False,
    }
    assert description_of(send) == "Send a mail.\n\nAt once, and to everybody."
    assert {p.name: p.kind for p in parameters if p.kind} == {
        "to": "email",
        "amount": "amount",
        "on": "date",
    }


@pytest.mark.parametrize(
    ("hint", "kind", "given", "taken"),
    [
        (Decimal, "amount", "12.5", Decimal("12.5")),
        (float, "amount", "12.5", 12.5),
        (int, "amount", "12", 12),
        (str, "amount", "12.5", "12.5"),
        (int, "id", "42", 42),
        (date, "date", "2030-01-31", date(2030, 1, 31)),
        (list[Decimal], "amount", ["1", "2.5"], [Decimal(1), Decimal("2.5")]),
        (list[str], "email", ["a@b.example"], ["a@b.example"]),
        (int, None, 3.0, 3),
        (float, None, 3, 3.0),
        (bool, None, True, True),
    ],
)
def test_a_function_takes_what_its_hint_says(
    hint: object, kind: Any, given: Any, taken: object
) -> None:
    def act(argument: Any) -> None: ...

    act.__annotations__["argument"] = hint
    found = parameters_of(act, {} if kind is None else {"argument": kind})
    assert isinstance(found, tuple), found
    read = found[0].read(given)
    assert read == taken and type(read) is type(taken)


def no_hint(argument) -> None: ...  # type: ignore[no-untyped-def]
def an_object(argument: dict[str, str]) -> None: ...
def anything(argument: Any) -> None: ...
def two_types(argument: int | str) -> None: ...
def null_without_default(argument: str | None) -> None: ...
def list_of_lists(argument: list[list[str]]) -> None: ...
def bare_list(argument: list) -> None: ...  # type: ignore[type-arg]
def numbers_to_choose(argument: Literal[1, 2]) -> None: ...
def many(*argument: str) -> None: ...
def named(**argument: str) -> None: ...
def positional(argument: str, /) -> None: ...
def plain_decimal(argument: Decimal) -> None: ...
def plain_date(argument: date) -> None: ...
def sink_of_wrong_type(argument: Annotated[int, Sink("email")]) -> None: ...
def sink_to_choose(argument: Annotated[Literal["a"], Sink("id")]) -> None: ...
def unknown_kind(argument: Annotated[str, Sink("phone")]) -> None: ...  # type: ignore[arg-type]
def two_kinds(argument: Annotated[str, Sink("email")]) -> None: ...
def unreadable(argument: NotThere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (no_hint, "has no type hint"),
        (an_object, "an argument is one of"),
        (anything, "an argument is one of"),
        (two_types, "takes one type"),
        (null_without_default, "takes one type"),
        (list_of_lists, "a list holds one simple type"),
        (bare_list, "an argument is one of"),
        (numbers_to_choose, "a Literal holds texts only"),
        (many, "no *args"),
        (named, "no *args"),
        (positional, "no *args"),
        (plain_decimal, 'Sink("amount")'),
        (plain_date, 'Sink("date")'),
        (sink_of_wrong_type, "a sink of kind email is one of: str"),
        (sink_to_choose, "a sink of kind id is one of: str, int"),
        (unknown_kind, "there is no kind 'phone' of sink"),
        (two_kinds, "is a sink of kind host and of kind email"),
        (unreadable, "its type hints cannot be read"),
    ],
)
def test_what_is_no_argument_of_a_tool_is_refused(
    function: Callable[..., object], words: str
) -> None:
    found = parameters_of(function, {"argument": "host"} if function is two_kinds else {})
    assert isinstance(found, HintError) and words in found.message


def test_a_sink_that_is_no_argument_is_refused() -> None:
    found = parameters_of(send, {"cc": "email"})
    assert found == HintError("cc", "is named as a sink, and is no argument")
