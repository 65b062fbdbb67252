"""Conditions on arguments: each allow beside its deny, and what does not apply fits nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.authority.access import ToolAccess
from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.authority.values.arguments import (
    Among,
    Argument,
    Given,
    Prefix,
    misfit,
    narrower,
    refusal,
)
from capbox.authority.values.kinds import Kind, Value, canonical


def grant(conditions: str) -> Grant:
    """Read a grant with these conditions."""
    found = parse_grant(f"tool:send {conditions}")
    assert isinstance(found, Grant), found
    return found


def argument(name: str, kind: Kind, *texts: str, grounded: bool = False) -> Argument:
    """Make an argument of canonical values."""
    for text in texts:
        assert canonical(kind, text) == Value(kind, text) or kind == "amount", text
    return Argument(name, kind, tuple(Given(text, grounded) for text in texts))


SPECIAL = [
    "any",
    "grounded",
    "in(a)",
    "max(5)",
    "prefix(",
    "",
    " ",
    '"',
    "a,b",
    "\\",
    ")",
    "arg.to=x",
]


def is_a_line(text: str) -> bool:
    """Say whether `text` is a canonical value of kind text."""
    return canonical("text", text) == Value("text", text) and text != "another"


A, B, EVIL = "alice@example.com", "bob@example.com", "evil@evil.test"


@pytest.mark.parametrize(
    ("condition", "kind", "fitting", "other"),
    [
        (f"arg.to={A}", "email", [A], [EVIL]),
        (f"arg.to=in({A},{B})", "email", [B], [EVIL]),
        (f"arg.to=in({A},{B})", "email", [A, B], [A, EVIL]),
        (f"arg.to={A}", "email", [A], []),
        ("arg.to=in()", "email", [], [A]),
        ("arg.to=any", "email", [EVIL], None),
        ("arg.to=any", "email", [], None),
        ("arg.to=max(50)", "amount", ["50"], ["50.01"]),
        ("arg.to=max(50)", "amount", ["9"], ["100"]),
        ("arg.to=max(0)", "amount", ["0"], ["0.5"]),
        ("arg.to=max(50)", "amount", ["1", "50"], ["1", "51"]),
        ("arg.to=prefix(/workspace/out)", "path", ["/workspace/out/a"], ["/workspace/out2"]),
        ("arg.to=prefix(/workspace/out)", "path", ["/workspace/out"], ["/workspace"]),
        (
            "arg.to=prefix(https://a.example/)",
            "url",
            ["https://a.example/x?y"],
            ["https://a.example.evil.test/"],
        ),
        (
            "arg.to=prefix(https://a.example/x)",
            "url",
            ["https://a.example/x/y"],
            ["https://a.example/xy"],
        ),
        (
            "arg.to=prefix(https://a.example/x)",
            "url",
            ["https://a.example/x?y=1"],
            ["http://a.example/x"],
        ),
        (
            "arg.to=prefix(https://a.example/x)",
            "url",
            ["https://a.example/x"],
            ["https://a.example:8443/x"],
        ),
        ("arg.to=prefix(order-)", "id", ["order-17"], ["Order-17"]),
        ("arg.to=prefix(Re:)", "text", ["Re: x"], ["Fwd: Re: x"]),
        # What does not apply to the kind fits nothing.
        ("arg.to=max(50)", "text", None, ["5"]),
        ("arg.to=max(50)", "id", None, ["5"]),
        (f"arg.to=prefix({A})", "email", None, [A]),
        ("arg.to=prefix(example.com)", "host", None, ["example.com"]),
        ("arg.to=prefix(5)", "amount", None, ["5"]),
        ("arg.to=prefix(https:/)", "url", None, ["https://evil.test/"]),
        ("arg.to=prefix(https://)", "url", None, ["https://evil.test/"]),
        ("arg.to=prefix(https://a)", "url", None, ["https://a.evil.test/"]),
        # An operand that is not spelt canonically fits nothing, never something near it.
        ("arg.to=ALICE@EXAMPLE.COM", "email", None, [A]),
        ("arg.to=prefix(out)", "path", None, ["/workspace/out/a"]),
    ],
)
def test_a_condition_fits_or_refuses(
    condition: str, kind: Kind, fitting: list[str] | None, other: list[str] | None
) -> None:
    conditions = grant(condition).conditions
    if fitting is not None:
        assert refusal(conditions, [argument("to", kind, *fitting)]) is None
    if other is not None:
        reason = refusal(conditions, [argument("to", kind, *other)])
        assert reason is not None and reason.startswith("arg.to ")


def test_a_grounded_value_is_one_that_the_principal_supplied() -> None:
    conditions = grant("arg.to=grounded").conditions
    assert refusal(conditions, [argument("to", "email", A, grounded=True)]) is None
    assert refusal(conditions, [argument("to", "email", A)]) == f"arg.to {A} is not grounded"
    mixed = Argument("to", "email", (Given(A, grounded=True), Given(EVIL)))
    assert refusal(conditions, [mixed]) == f"arg.to {EVIL} is not grounded"
    assert refusal(conditions, [Argument("to", "email")]) is not None


def test_a_grant_with_one_condition_leaves_out_every_argument_that_it_does_not_name() -> None:
    to, empty, cc = (
        argument("to", "email", A),
        Argument("cc", "email"),
        argument("cc", "email", EVIL),
    )
    assert refusal(grant(f"arg.to={A}").conditions, [to, empty]) is None
    assert refusal(grant(f"arg.to={A}").conditions, [to, cc]) == f"arg.cc {EVIL} is not left out"
    assert refusal(grant(f"arg.to={A} arg.cc=any").conditions, [to, cc]) is None
    assert refusal(grant("").conditions, [to, cc]) is None  # the principal trusts the tool


def test_a_condition_on_an_argument_that_the_tool_does_not_have_denies() -> None:
    to = argument("to", "email", A)
    reason = refusal(grant(f"arg.to={A} arg.too=any").conditions, [to])
    assert reason == "arg.too is no argument that this tool declares"
    assert refusal(grant("arg.to=any").conditions, []) is not None


@pytest.mark.parametrize(
    ("kind", "condition", "reason"),
    [
        ("email", f"arg.to={A}", None),
        ("email", "arg.to=grounded", None),
        ("email", "arg.to=in()", None),
        ("path", "arg.to=prefix(/workspace/out)", None),
        ("url", "arg.to=prefix(https://a.example/)", None),
        ("amount", "arg.to=max(50)", None),
        ("id", "arg.to=prefix(order-)", None),
        ("text", "arg.to=prefix(Why?)", None),
        ("email", "arg.too=any", "arg.too: the tool declares no such argument; it declares: to"),
        (
            "text",
            "arg.to=max(50)",
            "arg.to=max(50): max() does not apply to an argument of kind text",
        ),
        (
            "email",
            "arg.to=prefix(a)",
            "arg.to=prefix(a): prefix() does not apply to an argument of kind email",
        ),
        (
            "email",
            "arg.to=alice@EXAMPLE.com",
            f"arg.to=alice@EXAMPLE.com: 'alice@EXAMPLE.com' is spelt '{A}'",
        ),
        (
            "url",
            "arg.to=prefix(https://a.example)",
            "'https://a.example' is spelt 'https://a.example/'",
        ),
        ("url", "arg.to=prefix(https://a.example/?a)", "a prefix of URLs has no query"),
        ("url", "arg.to=prefix(https:/)", "'https:/' is no url"),
        ("path", "arg.to=prefix(out)", "'out' is spelt '/workspace/out'"),
        ("amount", "arg.to=50.0", "'50.0' is spelt '50'"),
        ("date", "arg.to=in(2030-01-31,soon)", "'soon' is no date"),
    ],
)
def test_a_condition_that_the_tool_cannot_keep_is_told(
    kind: Kind, condition: str, reason: str | None
) -> None:
    told = misfit(grant(condition).conditions, {"to": kind})
    assert told == reason if reason is None else told is not None and reason in told


def test_what_the_tool_declares_is_told() -> None:
    conditions = grant("arg.to=any").conditions
    declared: dict[str, Kind] = {"cc": "email", "bcc": "email"}
    reason = "arg.to: the tool declares no such argument; it declares: "
    assert misfit(conditions, declared) == f"{reason}cc, bcc"
    assert misfit(conditions, {}) == f"{reason}none"


def test_an_empty_prefix_is_not_the_whole_machine() -> None:
    assert Prefix("/").leads_to("path", "/workspace/a")
    assert not Prefix("").leads_to("path", "/workspace/a")


def test_a_value_is_printed_as_it_reads_back_and_in_its_own_letters() -> None:
    assert str(Among.of(["é, a", "b", "c d"])) == 'in(b,"c d","é, a")'
    assert str(argument("to", "text", "é, a", "b")) == 'to="é, a",b'


@pytest.mark.parametrize(
    ("parent", "within", "beyond"),
    [
        (f"arg.to=in({A},{B})", f"arg.to={A}", f"arg.to=in({A},{EVIL})"),
        (f"arg.to={A}", f"arg.to={A}", ""),
        ("", f"arg.to={A}", None),
        (f"arg.to={A}", f"arg.to={A} arg.cc=in()", f"arg.to={A} arg.cc={B}"),
        (f"arg.to={A} arg.cc=any", f"arg.to={A}", "arg.cc=any"),
        (f"arg.to={A} arg.cc={B}", f"arg.to={A} arg.cc={B}", f"arg.to={A}"),
        ("arg.to=in()", "arg.to=in()", "arg.to=any"),
        (f"arg.to=in({A})", f"arg.to=in({A})", "arg.to=in()"),
        ("arg.to=max(50)", "arg.to=max(9)", "arg.to=max(100)"),
        ("arg.to=max(50)", "arg.to=max(50)", "arg.to=max(50.01)"),
        ("arg.to=max(50)", "arg.to=50", "arg.to=51"),
        ("arg.to=max(50)", "arg.to=in(0,50)", "arg.to=in()"),
        ("arg.to=max(50)", "arg.to=in(1,2)", "arg.to=in(1,x)"),
        ("arg.to=prefix(/a)", "arg.to=prefix(/a/b)", "arg.to=prefix(/ab)"),
        ("arg.to=prefix(/a)", "arg.to=/a/b", "arg.to=/ab"),
        ("arg.to=prefix(/a)", "arg.to=in(/a,/a/b)", "arg.to=in()"),
        (
            "arg.to=prefix(https://a/x)",
            "arg.to=prefix(https://a/x/y)",
            "arg.to=prefix(https://a/xy)",
        ),
        ("arg.to=prefix(order-)", "arg.to=order-17", "arg.to=17"),
        ("arg.to=grounded", "arg.to=grounded", f"arg.to={A}"),
        ("arg.to=any", "arg.to=grounded", ""),
    ],
)
def test_what_is_within_a_condition_and_what_is_not(
    parent: str, within: str, beyond: str | None
) -> None:
    held = grant(parent).conditions
    assert narrower(grant(within).conditions, held)
    assert beyond is None or not narrower(grant(beyond).conditions, held)


@given(
    st.lists(
        st.builds(
            lambda name, texts: argument(name, "text", *texts),
            st.sampled_from(["to", "cc", "bcc"]),
            st.lists(st.text(max_size=30).filter(is_a_line) | st.sampled_from(SPECIAL), max_size=3),
        ),
        unique_by=lambda one: one.name,
        min_size=1,
    )
)
def test_the_missing_grant_reads_back_and_fits_the_call(given_: list[Argument]) -> None:
    missing = parse_grant(ToolAccess("send", tuple(given_)).missing)
    assert isinstance(missing, Grant), missing
    assert refusal(missing.conditions, given_) is None
    more = [replace(one, values=(*one.values, Given("another"))) for one in given_]
    assert refusal(missing.conditions, more) is not None


def test_the_missing_grant_binds_exactly_what_the_call_names() -> None:
    to, cc = argument("to", "email", A, B), Argument("cc", "email")
    call = ToolAccess("send", (to, cc))
    assert str(call) == f"tool send(to={A},{B})"
    assert call.missing == f"tool:send arg.to=in({A},{B})"
    missing = parse_grant(call.missing)
    assert isinstance(missing, Grant)
    assert refusal(missing.conditions, call.arguments) is None
    assert refusal(missing.conditions, [to, argument("cc", "email", EVIL)]) is not None
    # A call that leaves everything out must not ask for a grant of everything.
    assert ToolAccess("send", (cc,)).missing == "tool:send arg.cc=in()"
