"""From the name of a registered workspace to the settings of a program's runs in it.

Guarantees: what the program gives stands before what the workspace says, as flags do; a session
that is gone on with gets none of its grants, nor its model. Does not: register anything.
"""

from __future__ import annotations

from dataclasses import replace

from capbox.engine.home import Home
from capbox.engine.settings import Settings


def in_workspace(settings: Settings, home: Home, name: str, *, resumes: bool) -> Settings:
    """Return `settings` in the workspace of this name. Raises SettingsError."""
    from capbox.engine.workspaces.applying import applied
    from capbox.engine.workspaces.register import Workspaces

    workspaces = Workspaces(home)
    found = workspaces.named(name, "workspace_name")
    amounts = {key: settings.budget.bounds()[key] for key in settings.budget_given}
    # Attack: a session that held less is gone on with, and has all that the workspace grants.
    granted = resumes or bool(settings.grants or settings.maps or settings.preset != "none")
    there = applied(settings, found, workspaces.file, granted=granted, given=amounts)
    return replace(there, model=None) if resumes else there
