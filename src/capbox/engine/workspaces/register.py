"""The registered workspaces, in `workspaces.toml` of the configuration directory.

Guarantees: the file is replaced whole, by one process at a time; one that cannot be read is kept as
it is, reported, and stops who asks: going on without it could leave out a budget. A workspace is
known again by path, device, inode and birth; another folder in its place has none of its settings,
and no run sees those of a workspace that it is not in. Does not: mint; settings are a person's
words, as flags are.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from capbox.authority.paths import is_canonical, under
from capbox.engine.home import Home
from capbox.engine.settings import SettingsError
from capbox.engine.stored.binding import Bound, bound_folder
from capbox.engine.workspaces.registered import Registered, problem, read, written
from capbox.store.own_file import OwnFile

WORKSPACES_MAX = 200
Ones = tuple[Registered, ...]


class Workspaces:
    """The file, and what it says."""

    def __init__(self, home: Home) -> None:
        """Use the file of `home`, which need not exist."""
        self.file = home.config / "workspaces.toml"
        self._home = home
        self._own = OwnFile(self.file)

    def all(self) -> Ones:
        """Return every workspace. Raises SettingsError: the file cannot be read."""
        try:
            text = self._own.read()
            return () if text is None else read(text)
        except (OSError, ValueError) as error:
            raise SettingsError(str(self.file), f"cannot be read ({error}); it is kept") from error

    def named(self, name: str, where: str = "-w") -> Registered:
        """Return the workspace of this name, if its folder is still there. Raises SettingsError."""
        ones = self.all()
        found = next((one for one in ones if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in ones) or "none"
            raise SettingsError(
                f"{where} {name}", f"there is no such workspace; there are: {known}"
            )
        if bound_folder(found.bound.path) != found.bound:
            raise SettingsError(f"{where} {name}", lost(found))
        return found

    def around(self, folder: Path) -> Registered | None:
        """Return the innermost workspace that a folder lies in, whatever is there now."""
        here = os.path.realpath(folder)
        inside = [one for one in self.all() if under(here, one.bound.path)]
        return max(inside, key=lambda one: len(one.bound.path), default=None)

    def add(self, folder: Path, name: str | None) -> Registered:
        """Return what a folder is to be registered as: what is known of it, else nothing more.

        Raises SettingsError for one that cannot be a workspace.
        """
        path = os.path.realpath(folder)
        bound = bound_folder(path)
        if bound is None:
            raise SettingsError(str(folder), "the workspace is not a directory")
        if not is_canonical(path) or not _is_text(path):
            raise SettingsError(str(folder), "its path holds control characters or is no UTF-8")
        self._home.refuse_inside(path)
        known = next((one for one in self.all() if one.bound.path == path), None)
        called = name or (known.name if known is not None else _name_of(path))
        if known is not None and known.bound == bound:
            return replace(known, name=called)
        # Attack: a folder is put in place of another one, and would get what that one had.
        return Registered(called, bound)

    def keep(self, one: Registered) -> None:
        """Write a workspace, in place of one at the same path. Raises SettingsError."""
        reason = problem(one)
        if reason is not None:
            raise SettingsError(f"workspace {one.name}", reason)

        def changed(ones: Ones) -> Ones:
            rest = tuple(old for old in ones if old.bound.path != one.bound.path)
            taken = next((old for old in rest if old.name == one.name), None)
            if taken is not None:
                raise SettingsError(
                    f"workspace {one.name}",
                    f"{taken.bound.path} has this name: give another one with --name",
                )
            if len(rest) >= WORKSPACES_MAX:
                raise SettingsError(f"workspace {one.name}", f"there are {WORKSPACES_MAX} already")
            return (*rest, one)

        self._change(changed)

    def remove(self, name: str) -> Registered:
        """Forget a workspace; its files stay. Raises SettingsError."""
        gone = next((one for one in self.all() if one.name == name), None)
        if gone is None:
            known = ", ".join(one.name for one in self.all()) or "none"
            raise SettingsError(
                f"workspace {name}", f"there is no such workspace; there are: {known}"
            )
        self._change(lambda ones: tuple(one for one in ones if one.name != name))
        return gone

    def _change(self, changed: Callable[[Ones], Ones]) -> None:
        self._home.prepare()
        try:
            with self._own.locked():
                self._own.replace(written(changed(self.all())))
        except OSError as error:
            raise SettingsError(str(self.file), f"cannot be written: {error.strerror}") from error


def lost(one: Registered) -> str:
    """Say that the folder of a workspace is not the one that it was registered for."""
    return (
        f"{one.bound.path} is not the folder that was registered as {one.name}: it was removed, "
        f"moved or replaced. To register what is there now: "
        f"capbox workspace add {shlex.quote(one.bound.path)}"
    )


def is_there(one: Registered) -> bool:
    """Say whether the folder of a workspace is still the one that was registered."""
    found: Bound | None = bound_folder(one.bound.path)
    return found == one.bound


def _name_of(path: str) -> str:
    kept = (c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in Path(path).name)
    return "".join(kept).lower().strip("._-")[:64] or "workspace"


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
