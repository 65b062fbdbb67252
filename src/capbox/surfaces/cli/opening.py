"""The one question with which a run at a terminal opens, and the answer that is remembered.

Guarantees: an answer is remembered only when asked for, for this very directory (path, device,
inode and birth: another one put in its place is asked about again); the file is replaced whole, by
one at a time; one that cannot be read is kept, reported and not used. Does not: mint; a choice
becomes ordinary settings.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from capbox.authority.parse import GrantError, parse_grant
from capbox.engine.settings import Settings
from capbox.engine.stored.binding import born
from capbox.store.own_file import OwnFile
from capbox.surfaces.cli.terminal import Terminal

_PRESETS = {"r": "read-only", "e": "edit", "n": "none", "c": ""}
_WORDS = {"read": "r", "edit": "e", "nothing": "n", "custom": "c", "": "n"}
_SAID = {
    "read-only": "it may read this folder",
    "edit": "it may read and edit this folder",
    "none": "it may touch nothing here",
}
_GRANTED = {"read-only": ("read:/workspace",), "edit": ("write:/workspace",), "none": ()}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose for a folder: a preset, or grants of their own (as text)."""

    preset: str
    grants: tuple[str, ...] = ()

    def applied(self, settings: Settings) -> Settings:
        """Return `settings` with this choice."""
        if self.preset == "read-only":
            # Its grant alone: the preset leaves tools out, and here more is asked for later.
            return replace(settings, grants=(*settings.grants, "read:/workspace"))
        return replace(settings, preset=self.preset, grants=(*settings.grants, *self.grants))

    @property
    def given(self) -> tuple[str, ...]:
        """Return the grants of each later run there, as text."""
        return (*_GRANTED[self.preset], *self.grants)

    def __str__(self) -> str:
        """Return the choice as a sentence."""
        return ", ".join(self.grants) if self.grants else _SAID[self.preset]


@dataclass(frozen=True, slots=True)
class FolderKey:
    """A directory as it is known again."""

    path: str
    device: int
    inode: int
    born: int | None = None

    @property
    def id(self) -> str:
        """Return the name of what is remembered for it: of a path there is one choice at most."""
        return "f" + sha256(os.fsencode(self.path)).hexdigest()[:8]

    @property
    def is_there(self) -> bool:
        """Say whether the path is still this directory."""
        try:
            return folder_key(Path(self.path)) == self
        except OSError:
            return False


def folder_key(workspace: Path) -> FolderKey:
    """Return the key of a directory that exists. Raises OSError."""
    found = workspace.stat()
    path = os.path.realpath(workspace)
    return FolderKey(path, found.st_dev, found.st_ino, born(path))


class Remembered:
    """The file of remembered choices."""

    def __init__(self, file: Path) -> None:
        """Use `file`, which need not exist."""
        self.file = file
        self._own = OwnFile(file)

    def get(self, folder: FolderKey) -> Choice | str | None:
        """Return the choice for `folder`, None if there is none, or a text: why it is unusable."""
        entries = self._read()
        return entries if isinstance(entries, str) else entries.get(folder)

    def all(self) -> Mapping[FolderKey, Choice] | str:
        """Return every choice, or why none can be read."""
        return self._read()

    def put(self, folder: FolderKey, choice: Choice) -> str | None:
        """Remember a choice; returns why it was not possible, if so."""
        changed = self._change(folder.id, {folder: choice})
        return changed if isinstance(changed, str) else None

    def remove(self, name: str) -> bool | str:
        """Forget the choice of this id; returns whether there was one, or why it cannot be."""
        return self._change(name, {})

    def _change(self, name: str, instead: Mapping[FolderKey, Choice]) -> bool | str:
        try:
            # Two runs that are answered at the same time must not each write what the other lacks.
            with self._own.locked():
                entries = self._read()
                if isinstance(entries, str):
                    return entries
                kept = {key: old for key, old in entries.items() if key.id != name}
                if instead or len(kept) < len(entries):
                    self._own.replace(_document({**kept, **instead}))
                return len(kept) < len(entries)
        except OSError as error:
            return f"{self.file} cannot be written: {error.strerror}"

    def _read(self) -> Mapping[FolderKey, Choice] | str:
        try:
            document = json.loads(self.file.read_text(encoding="utf-8"))
            if document["version"] != 1:
                return f"{self.file} is of another version; it is kept, and not used"
            return dict(_entry(one) for one in document["folders"])
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            return f"{self.file} cannot be read ({error}); it is kept, and not used"


def _document(entries: Mapping[FolderKey, Choice]) -> str:
    folders = [
        {
            "path": key.path,
            "device": key.device,
            "inode": key.inode,
            "born": key.born,
            "preset": choice.preset,
            "grants": list(choice.grants),
        }
        for key, choice in entries.items()
    ]
    return json.dumps({"version": 1, "folders": folders}, indent=1) + "\n"


def _entry(one: Mapping[str, object]) -> tuple[FolderKey, Choice]:
    path, device, inode = one["path"], one["device"], one["inode"]
    preset, grants = one["preset"], one["grants"]
    if not (isinstance(path, str) and isinstance(device, int) and isinstance(inode, int)):
        raise ValueError("a folder is path, device and inode")
    made = one.get("born")
    if not (made is None or isinstance(made, int)):
        raise ValueError("born is a number or null")
    if not isinstance(preset, str) or preset not in _SAID or not isinstance(grants, list):
        raise ValueError(f"{preset!r} is no preset")
    for grant in grants:
        if not isinstance(grant, str) or isinstance(parse_grant(grant), GrantError):
            raise ValueError(f"{grant!r} is no grant")
    return FolderKey(path, device, inode, made), Choice(preset, tuple(grants))


async def opened(settings: Settings, remembered: Remembered, terminal: Terminal) -> Settings:
    """Return `settings` with what the person at the terminal chose, now or the last time."""
    screen = terminal.screen
    try:
        folder = folder_key(settings.workspace)
    except OSError:
        return settings  # no such folder; opening the session says so
    known = remembered.get(folder)
    if isinstance(known, Choice):
        forget = f"capbox grants remove {folder.id} forgets it"
        screen.say(f"{folder.path}: {known} (remembered; {forget})", "dim")
        return known.applied(settings)
    if known is not None:
        screen.say(known, "yellow")
    choice, remember = await _ask(folder, terminal)
    screen.say(f"{folder.path}: {choice}", "dim")
    if remember:
        problem = remembered.put(folder, choice)
        if problem is not None:
            screen.say(f"not remembered: {problem}", "yellow")
    return choice.applied(settings)


async def _ask(folder: FolderKey, terminal: Terminal) -> tuple[Choice, bool]:
    terminal.screen.say(f"What may this run do in {folder.path}?")
    while True:
        line = await terminal.ask(
            "this folder: [r]ead [e]dit [c]ustom [n]othing; remember? add ! (as in r!): "
        )
        if line is None:
            return Choice("none"), False
        remember = line.endswith("!")
        word = line.removesuffix("!").strip().lower()
        key = _WORDS.get(word, word)
        if key == "c":
            return await _custom(terminal), remember
        if key in _PRESETS:
            return Choice(_PRESETS[key]), remember
        terminal.screen.say("please answer r, e, c or n", "yellow")


async def _custom(terminal: Terminal) -> Choice:
    terminal.screen.say("One grant a line, as read:/workspace/docs; an empty line ends the list.")
    grants: list[str] = []
    while line := await terminal.ask("grant: "):
        grant = parse_grant(line)
        if isinstance(grant, GrantError):
            terminal.screen.say(f"at character {grant.place + 1}: {grant.message}", "yellow")
        else:
            grants.append(str(grant))
    return Choice("none", tuple(grants))
