"""A function as a tool: what it declares, and which change makes it another tool."""

from __future__ import annotations

from typing import Any

import pytest

from capbox.authority.limits import Limits
from capbox.tools.functions.function import Function, FunctionError, function_of


def made(call: Any, **changed: Any) -> Function | FunctionError:
    """Make a function with a sink `to`."""
    given = {"effect": "send", "sinks": {"to": "email"}, "timeout": 5.0, **changed}
    return function_of(call, **given)


def send(to: str) -> str:
    """Send a mail."""
    return f"sent to {to}"


def test_what_a_function_declares() -> None:
    found = made(send)
    assert isinstance(found, Function)
    manifest = found.manifest
    assert (manifest.name, manifest.description, manifest.access) == (
        "send",
        "Send a mail.",
        "execute",
    )
    assert manifest.kinds == {"to": "email"}
    assert Limits().narrowed(manifest.limits) == Limits(wall_seconds=5.0)
    assert found.effect({"to": "a@b.example"}) == "send(to=a@b.example)"
    assert len(found.effect({"to": "a" * 9_000})) < 4_100


def test_another_body_hint_or_effect_is_another_tool() -> None:
    def again(to: str) -> str:
        """Send a mail."""
        return f"sent to {to}"

    def other(to: str) -> str:
        """Send a mail."""
        return f"not sent to {to}"

    functions = [
        made(send),
        made(again, name="send"),
        made(other, name="send"),
        made(send, effect="write"),
        made(send, sinks={"to": "text"}),
        made(send, name="post"),
    ]
    same, copy, *others = [f.digest for f in functions if isinstance(f, Function)]
    assert same == copy
    assert len({same, *others}) == 1 + len(others) == 5


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": "Send"}, "is no name of a tool"),
        ({"name": "../x"}, "is no name of a tool"),
        ({"effect": "execute"}, "effect is one of none, read, write, send"),
        ({"timeout": 0}, "timeout is a number of seconds"),
        ({"timeout": float("nan")}, "timeout is a number of seconds"),
        ({"timeout": float("inf")}, "timeout is a number of seconds"),
        ({"sinks": {"to": "phone"}}, "there is no kind 'phone'"),
        ({"sinks": {"bcc": "email"}}, "is named as a sink"),
    ],
)
def test_what_is_no_tool_is_refused(changed: dict[str, object], words: str) -> None:
    found = made(send, **changed)
    assert isinstance(found, FunctionError) and words in found.message


def test_a_function_without_a_docstring_or_a_name_is_refused() -> None:
    def silent(to: str) -> None: ...

    assert "has no docstring" in str(made(silent))
    assert "is no name of a tool" in str(made(lambda to: to))
