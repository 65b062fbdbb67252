"""Using a skill: by the person who names it, or by the model that calls the function `skill`.

Guarantees: what comes back is the filled text, and where the files beside it are seen; a run that
gets a skill of the workspace has read it from then on, by its label; `allowed-tools` narrows the
tools of a run for which the person named the skill and no tools, and never adds one.
Does not: grant; a skill that asks for more says so in its text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from capbox.agent.instructions.material import framed
from capbox.agent.instructions.words import ChosenSkill, ListedSkill, Material, Said
from capbox.authority.paths import HostPath, under
from capbox.authority.values.label import NOTHING, Sources
from capbox.engine.instructions.reader import Reader
from capbox.engine.settings import SettingsError
from capbox.engine.skills.bundled import FILE_BYTES_MAX, files_of, guest_folder, text_of
from capbox.engine.skills.filling import (
    ARGUMENTS_CHARACTERS_MAX,
    FILLED_CHARACTERS_MAX,
    filled,
)
from capbox.engine.skills.shelf import Shelf
from capbox.engine.skills.skill import Skill

# How other clients call what capbox has under another name.
_CALLED = {"webfetch": "fetch", "websearch": "search", "multiedit": "edit", "ls": "tree"}


class SkillError(ValueError):
    """Why a skill cannot be used, for the model that asked for it."""


@dataclass(frozen=True, slots=True)
class Use:
    """One skill as a run is given it: its filled text, and the paths of its files."""

    skill: Skill
    text: str
    files: tuple[str, ...]


def used(skill: Skill, arguments: str, reader: Reader) -> Use:
    """Fill `skill`; its files are listed where the run sees them, if it does.

    Raises SkillError: its text becomes too long.
    """
    folder = guest_folder(skill)
    shown = skill.kind == "workspace" or _sees(reader, folder)
    text = filled(skill.body, arguments, skill.arguments, folder if shown else None)
    if text is None:
        raise SkillError(
            f"the skill {skill.name} with these arguments is longer than {FILLED_CHARACTERS_MAX} "
            "characters; give it shorter ones, or fewer places for them"
        )
    files = files_of(skill, reader) if shown else ()
    return Use(skill, text, tuple(f"{folder}/{name}" for name in files))


def chosen(skill: Skill, arguments: str, reader: Reader) -> ChosenSkill:
    """Return a skill that the person named as a part of the prompt. Raises SettingsError."""
    try:
        use = used(skill, arguments, reader)
    except SkillError as error:
        raise SettingsError(f"--skill {skill.name}", str(error)) from error
    said: Said | Material
    if skill.kind == "workspace":
        said = Material(use.text, skill.path, skill.trusted)
    else:
        said = Said(use.text, f"{skill.kind}:{skill.name}, {skill.path}")
    return ChosenSkill(skill.name, said, use.files)


def listed(shelf: Shelf) -> tuple[ListedSkill, ...]:
    """Return the skills that a model may use by itself, as it hears of them."""
    return tuple(
        ListedSkill(
            one.name,
            one.description,
            one.path if one.kind == "workspace" else None,
            one.kind != "workspace" or one.trusted,
        )
        for one in shelf.skills
        if not one.only_people
    )


def narrowed(skill: Skill, tools: Collection[str]) -> tuple[str, ...] | None:
    """Return which of `tools` a skill asks for; None: it says nothing that narrows them."""
    wanted = {one.partition("(")[0].strip().lower() for one in skill.allowed_tools}
    wanted |= {_CALLED[name] for name in wanted & _CALLED.keys()}
    found = tuple(sorted(name for name in tools if name.lower() in wanted))
    return found or None


def skill_function(
    look: Callable[[], tuple[Shelf, Reader]], note: Callable[[Sources], None]
) -> Callable[[str, str, str], Awaitable[str]]:
    """Return the function `skill`, to be a tool of one run.

    `look` returns the skills and the rights of that moment, `note` gets the labels of what was
    read. Its effect class is `read`. It raises SkillError, with a text for the model.
    """

    async def skill(name: str, arguments: str = "", file: str = "") -> str:
        """Get the text of a skill, by its name, before you begin a task that it fits.

        `arguments` are filled into the text, as a shell would split them. The answer ends with the
        files of the skill; with `file`, one of those names, it is the text of that file instead.
        A skill grants nothing: what it asks for and you do not hold stays refused.
        """
        shelf, reader = look()
        found = shelf.get(name)
        if found is None or found.only_people:
            known = ", ".join(one.name for one in shelf.skills if not one.only_people)
            raise SkillError(f"there is no skill {name!r}; there are: {known or 'none'}")
        if len(arguments) > ARGUMENTS_CHARACTERS_MAX:
            raise SkillError(f"arguments have at most {ARGUMENTS_CHARACTERS_MAX} characters")
        # Before it is given, so that no call beside this one is decided without it.
        beside = found.kind == "workspace" and file
        note(found.sources | (reader.listed(f"{found.folder}/{file}") if beside else NOTHING))
        return _file(found, file, reader) if file else _told(found, arguments, reader)

    return skill


def _told(skill: Skill, arguments: str, reader: Reader) -> str:
    use = used(skill, arguments, reader)
    lines = [use.text]
    if skill.allowed_tools:
        asked = " ".join(skill.allowed_tools)
        lines.append(f"It asks for these tools, which grants none of them: {asked}")
    if use.files:
        lines.append("Files of this skill:\n" + "\n".join(use.files))
    elif names := files_of(skill, reader):
        lines.append(
            "Files of this skill, which are not mounted in this run: call skill once more with "
            "file=NAME for the text of one.\n" + "\n".join(names)
        )
    text = "\n\n".join(lines)
    return framed(text, skill.path) if skill.kind == "workspace" else text


def _file(skill: Skill, name: str, reader: Reader) -> str:
    found = text_of(skill, name, reader)
    if found is None:
        known = ", ".join(files_of(skill, reader)) or "none"
        raise SkillError(
            f"{skill.name} has no file {name!r} of at most {FILE_BYTES_MAX} bytes; it has: {known}"
        )
    return framed(found, f"{skill.folder}/{name}") if skill.kind == "workspace" else found


def _sees(reader: Reader, folder: str) -> bool:
    """Say whether the run's layout shows a guest's folder, and the run may read there."""
    place = next((p for p in reader.layout.mounts if under(HostPath(folder), p.guest)), None)
    return place is not None and reader.may_read(reader.layout.canonical(place.host))
