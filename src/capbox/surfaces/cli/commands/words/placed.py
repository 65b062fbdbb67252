"""From the folder one is in, or `-w NAME`, to the workspace and settings of a run.

Guarantees: a registered workspace counts only where the run is in its folder, and that is the one
that was registered. Does not: remember anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from capbox.engine.settings import Settings
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import usage


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
