"""From the folder one is in, or `-w NAME`, to the workspace and settings of a run.

Guarantees: a registered workspace counts only where the run is in its folder, and that is the one
that was registered. Does not: remember anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from capbox.engine.settings import Settings
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import usage

if TYPE_CHECKING:
    from capbox.engine.sessions.conversation import Conversation


@dataclass(frozen=True, slots=True)
class Typed:
    """What flags say that a workspace says too: `name` is that of `-w`, `given` of the budget.

    `granted`: a flag grants something.
    """

    name: str | None
    granted: bool
    given: Mapping[str, float]


def placed(
    entry: Entry, settings: Settings, typed: Typed, say: Callable[[str], None]
) -> tuple[Settings, bool]:
    """Return the settings of a run, and whether a flag or its workspace grants anything.

    Raises SettingsError.
    """
    home, name, granted, given = entry.home(), typed.name, typed.granted, typed.given
    here = settings.workspace == Path()
    if name is None and not (home.config / "workspaces.toml").exists():
        return settings, granted
    from capbox.engine.workspaces.applying import applied, from_within
    from capbox.engine.workspaces.register import Workspaces, is_there, lost

    workspaces = Workspaces(home)
    if name is not None:
        if not here:
            raise usage("-w names a workspace, and --workspace another folder: leave out one")
        found = workspaces.named(name)
    else:
        around = workspaces.around(settings.workspace)
        exact = os.path.realpath(settings.workspace)
        if around is None or not (here or exact == around.bound.path):
            return settings, granted
        if not is_there(around):
            say(lost(around))
            return settings, granted
        found, settings = around, from_within(settings, Path()) if here else settings
    applied_ = applied(settings, found, workspaces.file, granted=granted, given=given)
    return applied_, granted or bool(found.grants)


def whence(entry: Entry, settings: Settings, typed: Typed) -> Settings:
    """Return settings that say where to look for a session to go on with. Raises SettingsError.

    A path of a flag is relative to where it was typed, or to the workspace that is named.
    """
    from capbox.engine.workspaces.applying import from_within
    from capbox.engine.workspaces.register import Workspaces

    here = settings.workspace == Path()
    if typed.name is None:
        return from_within(settings, Path()) if here else settings
    if not here:
        raise usage("-w names a workspace, and --workspace another folder: leave out one")
    return replace(settings, workspace=Path(Workspaces(entry.home()).named(typed.name).bound.path))


def placed_again(
    entry: Entry, settings: Settings, typed: Typed, talk: Conversation, say: Callable[[str], None]
) -> Settings:
    """Return the settings of a run that goes on with a session, in the workspace of that.

    Attack: what the workspace grants comes back with a session that never held it, or from which
    it was taken. So its instructions, style and budget hold, not its grants; nor its model.
    """
    place = Path(talk.workspace)
    if settings.workspace not in (Path(), place) and settings.workspace.resolve() != place:
        raise usage(f"--workspace: session {talk.id} is of {place}; a session keeps to its own")
    typed = replace(typed, name=None, granted=True)
    found, _ = placed(entry, replace(settings, workspace=place), typed, say)
    return replace(found, model=settings.model)
