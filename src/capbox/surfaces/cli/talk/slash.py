"""What a line of a chat is: words for the model, or a command of the chat. Pure.

Guarantees: a line that begins with one `/` is never sent to a model; `//` begins a message that
begins with `/`. Does not: carry anything out (see `deeds`).
"""

from __future__ import annotations

import difflib
import shlex
from dataclasses import dataclass
from typing import Final

COMMANDS: Final = {
    "help": ("", "this list"),
    "model": ("[NAME]", "the model that works, or another one from the next turn on"),
    "grants": ("", "what the turn under way holds, else what the next one will"),
    "grant": ("G", "give one more from the next turn on, as /grant write:/workspace/docs"),
    "revoke": ("ID", "take back what /grants lists; what works under it is stopped"),
    "undo": ("[PATH]...", "take back what the last turn changed (--force: also others' changes)"),
    "diff": ("[--stat]", "what the last turn changed"),
    "show": ("[N]", "one tool call in full: its arguments, effects and result"),
    "cost": ("", "tokens, money and time of this chat"),
    "compact": ("", "sum up what came before, at the next turn"),
    "sessions": ("[search TEXT]", "your sessions"),
    "fork": ("[N]", "begin another session like this one, up to message N"),
    "skills": ("", "the skills that the model can use here"),
    "plan": ("[off]", "let the next turn look and plan only, until you accept its plan"),
    "export": ("FILE", "write this chat to a file: Markdown, or JSON for a name in .json"),
    "quit": ("", "leave; capbox chat --resume last goes on"),
}
"""Each command, what may stand behind it, and what it is for."""


@dataclass(frozen=True, slots=True)
class Say:
    """A message for the model."""

    text: str


@dataclass(frozen=True, slots=True)
class Do:
    """A command; `words` are what stands behind it, `rest` the same as it was typed."""

    name: str
    words: tuple[str, ...]
    rest: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """A line that is neither, and why."""

    reason: str


def read_line(text: str) -> Say | Do | Unclear | None:
    """Return what was typed; None for an empty line."""
    text = text.strip()
    if not text:
        return None
    if text.startswith("//"):
        return Say(text[1:])
    if not text.startswith("/"):
        return Say(text)
    typed, _, rest = text[1:].partition(" ")
    name, rest = typed.strip(), rest.strip()
    if name not in COMMANDS:
        return Unclear(_unknown(name))
    try:
        words = tuple(shlex.split(rest))
    except ValueError as error:
        return Unclear(f"/{name}: {error}")
    return Do(name, words, rest)


def _unknown(name: str) -> str:
    first = name.split("\n")[0][:40]
    near = difflib.get_close_matches(first, COMMANDS, 1)
    meant = f". Did you mean /{near[0]}?" if near else ""
    how = f"/help lists them, and //{first} is sent as a message"
    return f"there is no command /{first}{meant or '.'} {how}"


def help_lines() -> tuple[tuple[str, str], ...]:
    """Return each command as it is typed, and what it is for."""
    return tuple((f"/{name} {said}".rstrip(), what) for name, (said, what) in COMMANDS.items())
