"""What people and files add to a system prompt: typed, and each with where it comes from.

Guarantees: what somebody else than a principal wrote is a `Material`, and nothing else is; only a
`Material` is framed, and only it taints. Does not: read any of it; the engine does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from capbox.agent.instructions.styles import DEFAULT, STYLES


@dataclass(frozen=True, slots=True)
class Said:
    """A principal's own words; `origin` is a file on this machine, or a setting."""

    text: str
    origin: str


@dataclass(frozen=True, slots=True)
class Material:
    """What a file of the workspace says; `path` is the guest's name of that file.

    `trusted`: the operator has marked the place, so that nobody else has written there.
    """

    text: str
    path: str
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class ListedSkill:
    """A skill as a model hears of it before it is used; `path` is set for one of the workspace."""

    name: str
    description: str
    path: str | None = None
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class ChosenSkill:
    """A skill that the person has named: its filled text, and where its files are, if anywhere."""

    name: str
    text: Said | Material
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """Everything beside grants and budget that a prompt is made of.

    `user` holds for every run of this person, `workspace` for one registered workspace; `further`
    are paths of AGENTS.md files in folders below; `mounts` are host path by guest path; `piped` is
    what the person sent to standard input beside the task.
    """

    style: str = DEFAULT
    style_text: Said = field(default_factory=lambda: Said(STYLES[DEFAULT], "capbox"))
    user: Said | None = None
    workspace: Said | None = None
    mounts: Mapping[str, str] = field(default_factory=dict)
    folder: Material | None = None
    further: tuple[str, ...] = ()
    skills: tuple[ListedSkill, ...] = ()
    chosen: ChosenSkill | None = None
    piped: Material | None = None
