"""Where skills are found, and which of two with one name counts.

In this order, the nearest first: `.agents/skills`, `.claude/skills` and `skills` of the workspace,
`skills` of the configuration directory, those that capbox brings.

Guarantees: a skill of the workspace is there only if the run may read it; one that cannot be read
is in `unusable` with the reason, one that another of its name hides is in `hidden`; a skill is had
by its name, or by `workspace:NAME`, `user:NAME`, `capbox:NAME`. Does not: give anything to a run.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from capbox.authority.paths import WORKSPACE, joined
from capbox.engine.instructions.reader import Reader, Text
from capbox.engine.settings import SettingsError
from capbox.engine.skills.skill import (
    SKILL_FILE,
    TEXT_BYTES_MAX,
    Kind,
    Skill,
    Unusable,
    is_name,
    skill_of,
)

FOLDERS = (".agents/skills", ".claude/skills", "skills")
SKILLS_MAX = 100
_TOO_LONG = f"it has more than {TEXT_BYTES_MAX} bytes"


def shipped() -> Path:
    """Return the folder of the skills that capbox brings."""
    return Path(__file__).parents[2] / "skills"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The skills of one run, by name; `hidden` have a namesake that is nearer."""

    skills: tuple[Skill, ...] = ()
    hidden: tuple[Skill, ...] = ()
    unusable: tuple[Unusable, ...] = ()

    def get(self, name: str) -> Skill | None:
        """Return the skill of this name, or of this kind and name."""
        kind, colon, rest = name.rpartition(":")
        every = (*self.skills, *self.hidden)
        if not colon:
            return next((one for one in self.skills if one.name == rest), None)
        return next((one for one in every if one.name == rest and one.kind == kind), None)

    def named(self, name: str, where: str = "--skill") -> Skill:
        """Return the skill that a person named. Raises SettingsError, which lists what there is."""
        found = self.get(name)
        if found is not None:
            return found
        known = ", ".join(one.name for one in self.skills) or "none"
        broken = next((u for u in self.unusable if u.path.endswith(f"/{name}/{SKILL_FILE}")), None)
        why = "" if broken is None else f" ({broken.path} cannot be used: {broken.reason})"
        reason = f"there is no such skill{why}; there are: {known}"
        raise SettingsError(f"{where} {name}", reason)

    def notes(self) -> Iterator[str]:
        """Yield what a person should hear: what is left out, and which name means two."""
        for broken in self.unusable:
            yield f"{broken.path} is no skill that can be used: {broken.reason}"
        for one in self.hidden:
            nearer = next(s for s in self.skills if s.name == one.name)
            yield f"{one.kind}:{one.name} is hidden by {nearer.path}"


def shelf_of(config: Path, reader: Reader | None = None) -> Shelf:
    """Find all skills; without a `reader` those of the workspace are left out."""
    own = [*_of_folder(config / "skills", "user"), *_of_folder(shipped(), "capbox")]
    found = [*(() if reader is None else _of_workspace(reader)), *own]
    nearest: dict[str, Skill] = {}
    hidden: list[Skill] = []
    for one in found:
        if isinstance(one, Skill) and nearest.setdefault(one.name, one) is not one:
            hidden.append(one)
    unusable = tuple(one for one in found if isinstance(one, Unusable))
    skills = tuple(sorted(nearest.values(), key=lambda one: one.name))
    return Shelf(skills, tuple(hidden), unusable)


def _of_workspace(reader: Reader) -> Iterator[Skill | Unusable]:
    for folder in FOLDERS:
        top = joined(WORKSPACE, folder)
        for name in reader.names(top, SKILLS_MAX):
            place = joined(top, name)
            found = reader.text(joined(place, SKILL_FILE), TEXT_BYTES_MAX)
            if isinstance(found, Text):
                read = skill_of(found.content, "workspace", place, found.sources)
                yield read if found.whole else Unusable(str(found.path), _TOO_LONG)
            elif found is not None and found.strange:
                yield Unusable(str(found.path), found.reason)


def _of_folder(folder: Path, kind: Kind) -> Iterator[Skill | Unusable]:
    try:
        names = sorted(one.name for one in folder.iterdir())
    except OSError:
        return
    for name in names[:SKILLS_MAX]:
        place = folder / name
        if not is_name(name) or not place.is_dir():
            continue
        try:
            text = _text(place / SKILL_FILE, kind)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            yield Unusable(str(place / SKILL_FILE), str(error))
        else:
            yield skill_of(text, kind, str(place))


def _text(file: Path, kind: Kind) -> str:
    """Read a file of the person's, or of capbox's. Raises OSError and ValueError."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is no regular file")
        if kind == "user" and (found.st_uid != os.geteuid() or found.st_mode & 0o022):
            # Attack: on a machine of several users another one writes what counts as this one's.
            raise ValueError("others may write it, or it is another user's")
        text = opened.read(TEXT_BYTES_MAX + 1)
    if len(text) > TEXT_BYTES_MAX:
        raise ValueError(_TOO_LONG)
    return text.decode("utf-8")
