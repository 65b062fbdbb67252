"""Reading conditions: every form, beside what looks like it and is none."""

from __future__ import annotations

import pytest

from capbox.authority.values.arguments import Among, Anything, AtMost, Grounded, Prefix, Test
from capbox.authority.values.parse import parse_test

LONG = "a" * 2_000
MANY = [f"n{n:03}" for n in range(256)]
JSON = "is a JSON string in there"


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("grounded", Grounded()),
        ("any", Anything()),
        ("Any", Among(("Any",))),
        ("a,b", Among(("a,b",))),
        ("say max(5)", Among(("say max(5)",))),
        ("a)", Among(("a)",))),
        ('"a"', Among(('"a"',))),
        ("", Among(("",))),
        (LONG, Among((LONG,))),
        ("in()", Among(())),
        ("in(b,a,b)", Among(("a", "b"))),
        ("in(any)", Among(("any",))),
        ('in("a b",c,"")', Among(("", "a b", "c"))),
        (r'in("say \"(a,b)\"")', Among(('say "(a,b)"',))),
        (f"in({LONG})", Among((LONG,))),
        (f'in("{LONG}")', Among((LONG,))),
        (f"in({','.join(MANY)})", Among(tuple(MANY))),
        ("prefix(/a/b)", Prefix("/a/b")),
        ('prefix("Re: ")', Prefix("Re: ")),
        ("max(12.5)", AtMost("12.5")),
        ("max(0)", AtMost("0")),
    ],
)
def test_a_condition_is_read(text: str, test: Test) -> None:
    assert parse_test(text) == test


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LONG + "a", "takes VALUE"),
        ("a\u202eb", "takes VALUE"),
        ("a\nb", "takes VALUE"),
        *((f"in({operands}", JSON) for operands in ("", "a", "a,b", '"a")b')),
        *(
            (f"in({operands})", JSON)
            for operands in (",", "a,", ",a", "a,,b", "a b", "a(b", "max(5)")
        ),
        *(
            (f"in({operands})", JSON)
            for operands in ('"a', '"a"b', '"a" ,b', '"a";b', 'a"b"', '"a",', "'a b'")
        ),
        *((f"in({operands})", JSON) for operands in (LONG + "a", f'"{LONG}a"', "a\u202eb")),
        *((f"in({operands})", JSON) for operands in (r'"a\u202eb"', r'"a\nb"', r'"\ud800"')),
        (f"in({','.join([*MANY, 'one'])})", JSON),
        *((f"{name}()", "takes one operand") for name in ("prefix", "max")),
        *((f'{name}("")', "takes one operand") for name in ("prefix", "max")),
        *((f"{name}(1,2)", "takes one operand") for name in ("prefix", "max")),
        *((f"max({amount})", "takes max(AMOUNT)") for amount in ("x", "-1", "1e3", "1.000")),
        ("max(50.0)", "'50.0' is spelt '50'"),
    ],
)
def test_what_falls_short_of_a_form_is_no_condition(text: str, reason: str) -> None:
    found = parse_test(text)
    assert isinstance(found, str), found
    assert reason in found
