"""The operator's hooks, `[[hooks]]` in config.toml.

    [[hooks]]
    event = "PreToolUse"
    matcher = "bash|write"
    tool = "bash"
    arguments = { script = "grep -q force-push && echo '{\\"deny\\": \\"no\\"}' || true" }
    grants = ["read:/workspace"]
    timeout = 5

Guarantees: anything unknown stops everything: going on without a hook would widen what runs may do.
Does not: look for hooks anywhere else; a workspace has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from capbox.engine.hooks.hook import EVENTS, TIMEOUT_SECONDS, Hook, ToolHook, checked
from capbox.engine.settings import SettingsError
from capbox.messages import Json

_KEYS = ("event", "matcher", "tool", "arguments", "input", "grants", "timeout")


def hooks_of(listed: object, file: Path) -> tuple[Hook, ...]:
    """Read the hooks. Raises SettingsError, naming the one at fault."""
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise SettingsError(str(file), "hooks are tables: [[hooks]]")
    return tuple(_hook(one, number, file) for number, one in enumerate(listed, 1))


def _hook(table: Mapping[str, object], number: int, file: Path) -> Hook:
    name = f"hook {number}"

    def wrong(reason: str) -> SettingsError:
        return SettingsError(str(file), f"{name}: {reason}")

    unknown = sorted(set(table).difference(_KEYS))
    if unknown:
        raise wrong(f"unknown key {unknown[0]!r}; known keys: {', '.join(_KEYS)}")
    event = next((known for known in EVENTS if known == table.get("event")), None)
    if event is None:
        raise wrong(f"event is one of {', '.join(EVENTS)}")
    tool, matcher = table.get("tool"), table.get("matcher", "*")
    if not isinstance(tool, str) or not tool:
        raise wrong("tool is the name of an installed tool: bash")
    if not isinstance(matcher, str):
        raise wrong('matcher is a text: "bash|write*"')
    timeout = table.get("timeout", TIMEOUT_SECONDS)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise wrong("timeout is a number of seconds")
    text, grants = table.get("input", "stdin"), table.get("grants", [])
    if not isinstance(text, str) or not text:
        raise wrong('input is the argument that gets the event: "stdin"')
    if not isinstance(grants, list) or not all(isinstance(one, str) for one in grants):
        raise wrong('grants is a list of texts: ["read:/workspace"]')
    try:
        arguments = _json(table.get("arguments", {}))
    except ValueError as error:
        raise wrong(f"arguments: {error}") from error
    if not isinstance(arguments, dict) or text in arguments:
        raise wrong(f"arguments is a table of the tool's arguments, without {text!r}")
    asked = ToolHook(tool, arguments, text, tuple(grants))
    try:
        return checked(Hook(f"{name} ({tool})", event, asked, matcher, float(timeout)))
    except SettingsError as error:
        raise wrong(error.reason) from error


def _json(value: object) -> Json:
    """Return TOML as JSON. Raises ValueError for what has no place there, as dates."""
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"{value!r} is not JSON")
