"""A function as a tool: what it declares, and which change makes it another tool."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import wraps
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


def _decorated(call: Callable[..., str]) -> Callable[..., str]:
    @wraps(call)
    def inner(**given: str) -> str:
        return call(**given)

    return inner


def _closed(target: str, helper: Callable[..., str] | None = None) -> Callable[..., str]:
    def send(text: str) -> str:
        """Send."""
        return target + text + (helper(text) if helper else "")

    return send


def _again(text: str) -> str:
    return _again(text)


def _defaulted(to: str) -> Callable[..., str]:
    def send(text: str, *, to: str = to) -> str:
        """Send."""
        return to + text

    return send


def _swapped(first: bool) -> Callable[..., str]:
    def one(text: str, to: str) -> str:
        """Send."""
        subject, body = text, to
        return subject[:1] + body

    def other(text: str, to: str) -> str:
        """Send."""
        body, subject = text, to
        return subject[:1] + body

    return one if first else other


class _Sender:
    def __init__(self, to: str) -> None:
        self.to = to

    def send(self, text: str) -> str:
        """Send."""
        return self.to + text


class _Louder(_Sender):
    def send(self, text: str) -> str:
        """Send."""
        return self.to + text.upper()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_decorated(_closed("a")), _decorated(_closed("b"))),
        (_closed("a"), _closed("b")),
        (_closed("a", _closed("x")), _closed("a", _closed("y"))),
        (_closed("a"), _closed("a", _again)),
        (_defaulted("alice@example.com"), _defaulted("mallory@evil.example")),
        (_swapped(True), _swapped(False)),
        (_Sender("a").send, _Louder("a").send),
    ],
)
def test_what_does_something_else_has_another_digest(
    one: Callable[..., str], other: Callable[..., str]
) -> None:
    """An approval for always names a digest: whatever changes what it does has to change that."""
    first, second = (
        function_of(call, effect="send", sinks={}, timeout=1, name="send") for call in (one, other)
    )
    assert isinstance(first, Function), first
    assert isinstance(second, Function), second
    assert first.digest != second.digest


def test_a_digest_is_the_same_in_every_process_and_for_every_object() -> None:
    program = (
        "from functools import wraps\n"
        "from capbox.tools.functions.function import function_of\n"
        "class Plain: pass\n"
        "def made(of, names={'b', 'a', 'c'}, one=Plain()):\n"
        "    def send(text: str, to: str = 'x') -> str:\n"
        "        'Send.'\n"
        "        return f'{of}{names}{one}' if text in {'p', 'q', 'r'} else send(text)\n"
        "    return send\n"
        "print(function_of(made(1), effect='send', sinks={}, timeout=1).digest)\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
