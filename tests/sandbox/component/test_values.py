"""Typed values as JSON: what is taken for each type, and what is said of what does not fit."""

from __future__ import annotations

import pytest

from capbox.messages import Json
from capbox.sandbox.component.side import Misuse, Resource
from capbox.sandbox.component.types import (
    Flags,
    Handle,
    ListOf,
    Record,
    Scalar,
    Text,
    Type,
    Variant,
)
from capbox.sandbox.component.values import Unfit, from_json, to_json


def option(kind: Type) -> Variant:
    """An option."""
    return Variant("option", [("none", None), ("some", kind)])


POINT = Record([("x", Scalar("s32")), ("name", option(Text()))])
SHAPE = Variant("variant", [("empty", None), ("circle", Scalar("f64"))])
RESULT = Variant("result", [("ok", Text()), ("err", None)])
TAKEN: list[tuple[Type, Json, object]] = [
    (Scalar("bool"), True, True),
    (Scalar("u64"), (1 << 64) - 1, (1 << 64) - 1),
    (Scalar("s8"), -128, -128),
    (Scalar("f64"), 3, 3.0),
    (Scalar("char"), "é", "é"),
    (Text(), "a", "a"),
    (ListOf(Scalar("u8")), "AP8=", b"\0\xff"),
    (ListOf(Text()), ["a", "b"], ["a", "b"]),
    (POINT, {"x": 1, "name": "n"}, (1, ("some", "n"))),
    (POINT, {"x": 1, "name": None}, (1, ("none", None))),
    (Record([("0", Text()), ("1", Scalar("u8"))], named=False), ["a", 1], ("a", 1)),
    (SHAPE, "empty", ("empty", None)),
    (SHAPE, {"circle": 1.5}, ("circle", 1.5)),
    (Variant("enum", [("red", None), ("blue", None)]), "blue", ("blue", None)),
    (option(option(Text())), None, ("none", None)),
    (option(option(Text())), {"some": None}, ("some", ("none", None))),
    (option(option(Text())), {"some": "a"}, ("some", ("some", "a"))),
    (RESULT, {"ok": "a"}, ("ok", "a")),
    (RESULT, "err", ("err", None)),
    (Flags(["a", "b"]), ["b"], frozenset({"b"})),
]
REFUSED: list[tuple[Type, Json, str]] = [
    (Scalar("bool"), 1, "v: true or false is expected"),
    (Scalar("u8"), 256, "v: a whole number from 0 to 255 is expected"),
    (Scalar("u8"), True, "v: a whole number from 0 to 255 is expected"),
    (Scalar("s8"), -129, "v: a whole number from -128 to 127 is expected"),
    (Scalar("u8"), 1.0, "v: a whole number"),
    (Scalar("f32"), 1e39, "v: a number of its range is expected"),
    (Scalar("f64"), 10**400, "v: a number of its range is expected"),
    (Scalar("f64"), "1", "v: a number of its range is expected"),
    (Scalar("char"), "ab", "v: one character is expected"),
    (Scalar("char"), "\ud800", "v: one character is expected"),
    (Text(), "\ud800", "v: a text is expected"),
    (ListOf(Scalar("u8")), "not base64!", "v: bytes in base64 are expected"),
    (ListOf(Scalar("u8")), [1], "v: bytes in base64 are expected"),
    (ListOf(Text()), ["a", 1], r"v\[1\]: a text is expected"),
    (POINT, {"name": None}, r"v\.x: is missing"),
    (POINT, {"x": 1, "y": 2}, "v: there is no 'y'"),
    (POINT, [1], "v: an object is expected"),
    (Record([("0", Text())], named=False), [], "v: an array of 1 values is expected"),
    (SHAPE, {"circle": "big"}, r"v\.circle: a number of its range is expected"),
    (SHAPE, {"empty": None}, 'v: one of empty, {"circle": ...} is expected'),
    (SHAPE, "square", "v: one of empty"),
    (Flags(["a", "b"]), ["c"], "v: an array of some of a, b is expected"),
]


@pytest.mark.parametrize(("kind", "given", "value"), TAKEN)
def test_a_value_is_taken_and_shown_as_it_was(kind: Type, given: Json, value: object) -> None:
    assert from_json(kind, given, "v") == value
    assert to_json(kind, value) == given


@pytest.mark.parametrize(("kind", "given", "message"), REFUSED)
def test_what_does_not_fit_is_named_with_its_place(kind: Type, given: Json, message: str) -> None:
    with pytest.raises(Unfit, match=message):
        from_json(kind, given, "v")


def test_an_option_may_be_left_out() -> None:
    assert from_json(POINT, {"x": 1}, "v") == (1, ("none", None))


def test_what_json_has_no_number_for_is_a_text() -> None:
    assert [to_json(Scalar("f64"), v) for v in (float("inf"), float("nan"))] == ["inf", "nan"]


def test_resources_have_no_json() -> None:
    handle = Handle(Resource(), own=True)
    with pytest.raises(Misuse, match="cannot be given"):
        from_json(handle, 1, "v")
    with pytest.raises(Misuse, match="cannot be shown"):
        to_json(handle, object())
