"""Counters, rebuilt from what a journal says: what is not known to be left is used."""

from __future__ import annotations

import pytest

from capbox.authority.limits import COUNT_MAX
from capbox.journal.counting import Used, used_of
from capbox.messages import JsonObject

OPENED: JsonObject = {"kind": "opened"}


def intent(*draws: str) -> JsonObject:
    return {"kind": "intent", "draws": [*draws]} if draws else {"kind": "intent"}


def outcome(of: int, *drawn: list[object]) -> JsonObject:
    return {"kind": "outcome", "intent": of, "drawn": [*drawn]}  # type: ignore[dict-item]


def request(of: int, at: float | None, *draws: str) -> JsonObject:
    return {"kind": "request", "intent": of, "draws": [*draws], "at": at}


@pytest.mark.parametrize(
    ("contents", "used"),
    [
        ([OPENED], {}),
        ([OPENED, intent("a", "b"), outcome(1, ["a", 1, 0])], {"a": Used(1)}),
        # Cut off between the two: both may have been used.
        ([OPENED, intent("a", "b")], {"a": Used(1), "b": Used(1)}),
        ([OPENED, intent(), outcome(1)], {}),
        (
            [OPENED, intent(), request(1, 5.0, "f"), outcome(1, ["f", 1, 900])],
            {"f": Used(1, 900, (5.0,))},
        ),
        ([OPENED, intent(), request(1, 5.0, "f")], {"f": Used(1, COUNT_MAX, (5.0,))}),
        (
            [OPENED, intent(), {"kind": "lookup", "intent": 1, "grant": "f"}],
            {"f": Used(1, COUNT_MAX)},
        ),
        (
            [OPENED, intent("a"), intent("a"), outcome(2, ["a", 1, 0]), outcome(1, ["a", 1, 0])],
            {"a": Used(2)},
        ),
    ],
)
def test_what_a_run_used(contents: list[JsonObject], used: dict[str, Used]) -> None:
    assert used_of(contents) == used


@pytest.mark.parametrize(
    "contents",
    [
        [OPENED, None],
        [OPENED, outcome(1)],
        [OPENED, request(7, None)],
        [OPENED, intent(), outcome(1, ["a", "1", 0])],
        [OPENED, intent(), outcome(1, ["a"])],
        [OPENED, intent(), {"kind": "outcome", "intent": 1, "drawn": "a"}],
    ],
)
def test_a_record_that_cannot_be_read_is_no_record_of_nothing(contents: list) -> None:
    with pytest.raises(ValueError, match=r"entry|outcome"):
        used_of(contents)
