"""Hooks in config.toml: what is read, and what stops everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox.engine.hooks.hook import Happening, Hook, ToolHook
from capbox.engine.operator import read_operator
from capbox.engine.settings import SettingsError

WHOLE = """
[[hooks]]
event = "PreToolUse"
matcher = "bash|write*"
tool = "bash"
arguments = { script = "cat" }
grants = ["read:/workspace"]
timeout = 5

[[hooks]]
event = "RunEnd"
tool = "write"
input = "content"
arguments = { path = "log" }
"""


def read(tmp_path: Path, text: str) -> tuple[Hook, ...]:
    """Read hooks from a file."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    return read_operator(file).hooks


def test_what_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "") == ()
    assert read(tmp_path, WHOLE) == (
        Hook(
            "hook 1 (bash)",
            "PreToolUse",
            ToolHook("bash", {"script": "cat"}, "stdin", ("read:/workspace",)),
            "bash|write*",
            5.0,
        ),
        Hook("hook 2 (write)", "RunEnd", ToolHook("write", {"path": "log"}, "content", ())),
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('event = "Never"', "hook 1: event is one of PreToolUse, PostToolUse"),
        ("", "hook 1: event is one of"),
        ('event = "Stop"\ntool = ""', "hook 1: tool is the name"),
        ('event = "Stop"', "hook 1: tool is the name"),
        ('event = "Stop"\ntool = "bash"\nmatcher = "bash"', "a Stop hook has no matcher"),
        ('event = "PreToolUse"\ntool = "bash"\nmatcher = "a||b"', "matcher are names of tools"),
        ('event = "PreToolUse"\ntool = "bash"\nmatcher = 3', "matcher is a text"),
        ('event = "Stop"\ntool = "bash"\ntimeout = 0', "timeout is above 0"),
        ('event = "Stop"\ntool = "bash"\ntimeout = true', "timeout is a number"),
        ('event = "Stop"\ntool = "bash"\ntimeout = 1e9', "timeout is above 0"),
        ('event = "Stop"\ntool = "bash"\ncommand = "rm"', "unknown key 'command'"),
        ('event = "Stop"\ntool = "bash"\ngrants = "read:/"', "grants is a list of texts"),
        ('event = "Stop"\ntool = "bash"\narguments = { stdin = "x" }', "arguments is a table"),
        ('event = "Stop"\ntool = "bash"\narguments = { at = 2020-01-01 }', "is not JSON"),
    ],
)
def test_what_is_no_hook_stops_everything(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason.replace("(", "\\(")):
        read(tmp_path, f"[[hooks]]\n{line}\n")


def test_hooks_are_tables(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="hooks are tables"):
        read(tmp_path, 'hooks = ["rm"]')


@pytest.mark.parametrize(
    ("matcher", "tool", "asked"),
    [
        ("*", "bash", True),
        ("bash", "bash", True),
        ("bash", "bash2", False),
        ("write|b*", "bash", True),
        ("Bash", "bash", False),
    ],
)
def test_a_hook_is_about_the_tools_that_it_names(matcher: str, tool: str, asked: bool) -> None:
    hook = Hook("h", "PreToolUse", ToolHook("bash"), matcher)
    assert hook.about(Happening("PreToolUse", "r", "/w", tool=tool)) == asked
    assert not hook.about(Happening("PostToolUse", "r", "/w", tool=tool))
