"""A hook, and what one is asked about or told of. Pure values.

Guarantees: an event is JSON, with the same keys each time. Does not: ask anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, get_args

from capbox.engine.settings import SettingsError
from capbox.messages import Json, JsonObject

EventName = Literal[
    "PreToolUse", "PostToolUse", "UserPromptSubmit", "Stop", "Notification", "RunStart", "RunEnd"
]
EVENTS: tuple[EventName, ...] = get_args(EventName)
# Of these a hook that fails refuses; of the others it is only told.
DECIDING: tuple[EventName, ...] = ("PreToolUse", "UserPromptSubmit", "RunStart")
OF_TOOLS: tuple[EventName, ...] = ("PreToolUse", "PostToolUse")
TIMEOUT_SECONDS = 10.0
TIMEOUT_SECONDS_MAX = 300.0


@dataclass(frozen=True, slots=True)
class ToolHook:
    """An installed tool with fixed `arguments`; the event is the text of its argument `input`.

    `grants` are all that it may do, as text.
    """

    tool: str
    arguments: JsonObject = field(default_factory=dict)
    input: str = "stdin"
    grants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hook:
    """Who is asked: `ask` is a tool, or a callable of the program that takes the event.

    `matcher` are globs for names of tools, parted by |; `timeout` is in seconds.
    """

    name: str
    event: EventName
    ask: ToolHook | Callable[[JsonObject], object]
    matcher: str = "*"
    timeout: float = TIMEOUT_SECONDS

    def about(self, happening: Happening) -> bool:
        """Say whether this hook is asked about, or told of, what happens."""
        if self.event != happening.event:
            return False
        globs = self.matcher.split("|")
        return self.event not in OF_TOOLS or any(fnmatchcase(happening.tool, g) for g in globs)


@dataclass(frozen=True, slots=True)
class Happening:
    """What happens in a run. `subject` is it in short, for the record; `told` are its own keys."""

    event: EventName
    run: str
    workspace: str
    told: JsonObject = field(default_factory=dict)
    tool: str = ""
    subject: str = ""

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        named: dict[str, Json] = {"tool": self.tool} if self.event in OF_TOOLS else {}
        head: dict[str, Json] = {"event": self.event, "run": self.run, "workspace": self.workspace}
        return {**head, **named, **self.told}


def hook_of(
    call: Callable[[JsonObject], object], event: EventName, matcher: str, timeout: float
) -> Hook:
    """Return a callable of the program as a hook. Raises SettingsError."""
    name = str(getattr(call, "__name__", type(call).__name__))
    return checked(Hook(f"hook {name}", event, call, matcher, timeout))


def checked(hook: Hook) -> Hook:
    """Return `hook`, of which event, matcher and timeout fit. Raises SettingsError."""
    if hook.event not in EVENTS:
        raise SettingsError(hook.name, f"event is one of {', '.join(EVENTS)}")
    if not all(hook.matcher.split("|")):
        reason = 'matcher are names of tools, or globs, parted by |: "bash|write*"'
        raise SettingsError(hook.name, reason)
    if hook.matcher != "*" and hook.event not in OF_TOOLS:
        raise SettingsError(hook.name, f"a {hook.event} hook has no matcher: it is about no tool")
    if not 0 < hook.timeout <= TIMEOUT_SECONDS_MAX:
        most = f"{TIMEOUT_SECONDS_MAX:g} seconds"
        raise SettingsError(hook.name, f"timeout is above 0 and at most {most}")
    return hook
