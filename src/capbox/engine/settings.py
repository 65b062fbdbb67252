"""What a principal asked for, as text and numbers, before any authority is minted.

The command line and `Box` fill it; `app.mint` turns it into an authority or refuses it whole.
Does not: resolve paths, read files or environment variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from capbox.authority.budget import Budget
from capbox.authority.limits import Limits
from capbox.authority.values.grounding import Entry

PIPED_CHARACTERS_MAX = 200_000


class SettingsError(ValueError):
    """What was asked for cannot be granted; `subject` is the text at fault."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(f"{subject}: {reason}" if subject else reason)
        self.subject = subject
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Wording:
    """What a person chose of a run's system prompt, beside what it holds.

    `skill` is used with `arguments`; `instructions` are those of a registered workspace, whose
    settings `origin` names. `piped` is what somebody sent to standard input beside the task.
    """

    style: str | None = None
    skill: str | None = None
    arguments: str = ""
    instructions: str = ""
    origin: str = ""
    piped: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """One session's workspace, grants, bounds and tools.

    `reads` and `writes` are paths relative to the workspace (or absolute host paths), `grants` the
    text of grants, `maps` `HOST=/mnt/NAME[:rw]`, `env` `NAME` or `NAME=VALUE`,
    `fetches` `[METHODS ]URL`, `secrets` `NAME@ORIGIN`; `environ` is where
    the value of a bare NAME comes from (None: what the composition root finds). `tools` None means
    every built-in that can do its work, if it is `among` these (None: all). `directory` says what
    names in a task stand for.
    `budget_given` are the keys of the budget that somebody named: those hold for direct calls too.
    `ceiling` are grants: what an answer may lend at most (none: the operator's own); `policy` is
    the file of the operator's answers; `log` is a file that runs are logged to (None: the
    operator's, if there is one).
    """

    workspace: Path = Path()
    grants: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    fetches: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    environ: Mapping[str, str] | None = None
    preset: str = "none"
    ceiling: tuple[str, ...] = ()
    policy: Path | None = None
    limits: Limits = field(default_factory=Limits)
    budget: Budget = field(default_factory=Budget)
    budget_given: frozenset[str] = frozenset()
    tools: tuple[str, ...] | None = None
    among: tuple[str, ...] | None = None
    model: str | None = None
    directory: tuple[Entry, ...] = ()
    wording: Wording = field(default_factory=Wording)
    log: Path | None = None
