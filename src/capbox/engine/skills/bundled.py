"""The files that lie beside a SKILL.md: listed, read, and shown to a run that uses the skill.

Guarantees: a skill of the workspace is seen where it is; one of the person's or of capbox's at
`/mnt/skills/NAME`, to read, in a run for which the person named it, and in no other; links are
neither followed nor copied, and what is listed, read and copied is bounded. The person's own are
copied for the run: no grant reaches the configuration directory. Does not: run a script.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from capbox.authority.paths import MOUNTS, hostile_character, joined
from capbox.engine.instructions.reader import Reader, Text
from capbox.engine.settings import Settings
from capbox.engine.skills.skill import SKILL_FILE, Skill

FILES_MAX = 200
BYTES_MAX = 8 << 20
FILE_BYTES_MAX = 64 * 1024
DEPTH_MAX = 4


def files_of(skill: Skill, reader: Reader | None = None) -> tuple[str, ...]:
    """Return the files of a skill, relative to its folder, without its SKILL.md."""
    listed = _seen(skill, reader) if skill.kind == "workspace" else _listed(Path(skill.folder))
    return tuple(name for name, _ in zip(listed, range(FILES_MAX), strict=False))


def text_of(skill: Skill, name: str, reader: Reader | None = None) -> str | None:
    """Return the text of a file that `files_of` lists; None for any other, or one too long."""
    if name not in files_of(skill, reader):
        return None  # names, never paths: ../../id_rsa is not on the list
    if skill.kind == "workspace":
        found = None if reader is None else reader.text(f"{skill.folder}/{name}", FILE_BYTES_MAX)
        return found.content if isinstance(found, Text) and found.whole else None
    try:
        descriptor = os.open(Path(skill.folder) / name, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError:
        return None
    return None if len(content) > FILE_BYTES_MAX else content.decode("utf-8", "replace")


def guest_folder(skill: Skill) -> str:
    """Return where a run for which the person named this skill sees its files."""
    return skill.folder if skill.kind == "workspace" else f"{MOUNTS}/skills/{skill.name}"


@contextmanager
def mounted(settings: Settings, skill: Skill) -> Generator[Settings, None, None]:
    """Yield the settings of a run that uses `skill`: they show its files, if there are any."""
    if skill.kind == "workspace" or not files_of(skill):
        yield settings
    elif skill.kind == "capbox":
        yield _with(settings, skill, Path(skill.folder))
    else:
        place = Path(tempfile.mkdtemp(prefix="capbox-skill-"))
        try:
            copy = place / skill.name
            _copy(Path(skill.folder), copy, (SKILL_FILE, *files_of(skill)))
            yield _with(settings, skill, copy)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _with(settings: Settings, skill: Skill, folder: Path) -> Settings:
    return replace(settings, maps=(*settings.maps, f"{folder}={guest_folder(skill)}:ro"))


def _seen(skill: Skill, reader: Reader | None, inner: str = "", depth: int = 0) -> Iterator[str]:
    if reader is None or depth > DEPTH_MAX:
        return
    place = joined(skill.folder, inner)
    for name in reader.names(place, FILES_MAX, files=True):
        if inner or name != SKILL_FILE:
            yield f"{inner}/{name}".lstrip("/")
    for name in reader.names(place, FILES_MAX):
        yield from _seen(skill, reader, f"{inner}/{name}".lstrip("/"), depth + 1)


def _listed(folder: Path, inner: str = "", depth: int = 0) -> Iterator[str]:
    try:
        with os.scandir(folder / inner) as entries:
            found = sorted(entries, key=lambda one: one.name)
    except OSError:
        return
    for one in found:
        name = f"{inner}/{one.name}".lstrip("/")
        if hostile_character(one.name) is not None or one.name == "__pycache__":
            continue
        if one.is_file(follow_symlinks=False) and name != SKILL_FILE:
            yield name
        elif one.is_dir(follow_symlinks=False) and depth < DEPTH_MAX:
            yield from _listed(folder, name, depth + 1)


def _copy(source: Path, target: Path, names: tuple[str, ...]) -> None:
    left = BYTES_MAX
    for name in names:
        descriptor = os.open(source / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            left -= found.st_size
            if not stat.S_ISREG(found.st_mode) or left < 0:
                continue
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(file.read(found.st_size))
