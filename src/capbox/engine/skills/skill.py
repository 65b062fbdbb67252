"""A skill: what its SKILL.md says, and where it lies.

Guarantees: a name is lower-case letters, digits and single hyphens, the same as its folder's, and
never a path; `allowed-tools` is what the skill asks for, and grants nothing. Format: the Agent
Skills specification (agentskills.io), with the fields for arguments that clients share
(`argument-hint`, `arguments`, `disable-model-invocation`). Does not: read files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from capbox.authority.values.label import NOTHING, Sources
from capbox.engine.skills.front import FrontError, Value, front_matter

SKILL_FILE = "SKILL.md"
TEXT_BYTES_MAX = 128 * 1024
NAME_CHARACTERS_MAX = 64
DESCRIPTION_CHARACTERS_MAX = 1_024
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")

Kind = Literal["workspace", "user", "capbox"]


@dataclass(frozen=True, slots=True)
class Skill:
    """`folder` is the guest's path for one of the workspace, else a path on this machine.

    `sources` label its text; of the person's own and of capbox's there are none.
    """

    name: str
    description: str
    body: str
    kind: Kind
    folder: str
    license: str = ""
    compatibility: str = ""
    argument_hint: str = ""
    arguments: tuple[str, ...] = ()
    allowed_tools: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    only_people: bool = False
    sources: Sources = NOTHING

    @property
    def path(self) -> str:
        """Return the path of its SKILL.md."""
        return f"{self.folder}/{SKILL_FILE}"

    @property
    def trusted(self) -> bool:
        """Say whether no stranger may have written it."""
        return not any(source.untrusted for source in self.sources)


@dataclass(frozen=True, slots=True)
class Unusable:
    """A skill that is left out: where it is, and why."""

    path: str
    reason: str


def is_name(text: str) -> bool:
    """Say whether a text is a name of a skill."""
    return len(text) <= NAME_CHARACTERS_MAX and _NAME.fullmatch(text) is not None


def skill_of(text: str, kind: Kind, folder: str, sources: Sources = NOTHING) -> Skill | Unusable:
    """Read the text of the SKILL.md in `folder`."""
    path = f"{folder}/{SKILL_FILE}"
    found = front_matter(text)
    if isinstance(found, FrontError):
        return Unusable(path, found.reason)
    front, body = found
    named = folder.rpartition("/")[2]
    try:
        name = _text(front, "name")
        if not is_name(name):
            reason = f"name {name[:80]!r} is not lower-case letters, digits and single hyphens"
            return Unusable(path, reason)
        if name != named:
            return Unusable(path, f"name {name!r} is not the name of its folder, {named!r}")
        description = _text(front, "description").strip()
        if not description or len(description) > DESCRIPTION_CHARACTERS_MAX:
            reason = f"description has from 1 to {DESCRIPTION_CHARACTERS_MAX} characters"
            return Unusable(path, reason)
        arguments = _texts(front, "arguments")
        wrong = next((one for one in arguments if _ARGUMENT.fullmatch(one) is None), None)
        if wrong is not None:
            return Unusable(path, f"arguments: {wrong[:80]!r} is no name")
        metadata = front.get("metadata", {})
        if not isinstance(metadata, Mapping):
            return Unusable(path, "metadata is a list of `key: value`")
        return Skill(
            name=name,
            description=description,
            body=body.strip("\n"),
            kind=kind,
            folder=folder,
            license=_text(front, "license"),
            compatibility=_text(front, "compatibility"),
            argument_hint=_hint(front),
            arguments=arguments,
            allowed_tools=_texts(front, "allowed-tools"),
            metadata=metadata,
            only_people=_text(front, "disable-model-invocation").lower() == "true",
            sources=sources,
        )
    except ValueError as error:
        return Unusable(path, str(error))


def _text(front: Mapping[str, Value], key: str) -> str:
    value = front.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key} is a text")
    return value


def _hint(front: Mapping[str, Value]) -> str:
    # `argument-hint: [path]` is a list in YAML, and meant as it is written.
    value = front.get("argument-hint", "")
    return f"[{', '.join(value)}]" if isinstance(value, tuple) else _text(front, "argument-hint")


def _texts(front: Mapping[str, Value], key: str) -> tuple[str, ...]:
    value = front.get(key, "")
    if isinstance(value, str):
        return tuple(_split(value))
    if isinstance(value, tuple):
        return value
    raise ValueError(f"{key} is a list of texts")


def _split(text: str) -> Iterable[str]:
    """Split at commas and blanks, but not within brackets: `Read, Bash(git log:*)`."""
    return (one for one in re.split(r"[,\s]+(?![^(]*\))", text) if one)
