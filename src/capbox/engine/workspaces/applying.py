"""From a registered workspace to the settings of a run in it.

Guarantees: what a flag says stands before what the workspace says: any flag that grants replaces
all of its grants (so that `--read docs` is the whole of it), a model, a style and each key of the
budget replaces its own; its instructions always hold. Does not: widen what the operator allows.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from capbox.authority.paths import WORKSPACE, under
from capbox.engine.budgets.given import budget_with
from capbox.engine.settings import Settings, Wording
from capbox.engine.workspaces.registered import Registered


def applied(
    settings: Settings, one: Registered, origin: Path, *, granted: bool, given: Mapping[str, float]
) -> Settings:
    """Return `settings` in the workspace; `granted`: a flag grants, `given`: budget of flags."""
    amounts = {**one.budget, **given}
    wording = Wording(
        style=settings.wording.style or one.style,
        instructions=one.instructions,
        origin=f"{origin}: {one.name}",
    )
    return replace(
        settings,
        workspace=Path(one.bound.path),
        grants=settings.grants if granted else one.grants,
        model=settings.model or one.model,
        budget=budget_with(amounts),
        budget_given=frozenset(amounts),
        wording=wording,
    )


def from_within(settings: Settings, here: Path) -> Settings:
    """Return `settings` with each relative path of a flag as one below `here`, where it was typed.

    Attack, by oneself: `--read .` in a folder of the workspace would be all of the workspace.
    """
    base = os.path.realpath(here)

    def placed(path: str) -> str:
        if not path or path.startswith("/") or under(path, WORKSPACE):
            return path
        return f"{base}/{path}"

    return replace(
        settings,
        reads=tuple(map(placed, settings.reads)),
        writes=tuple(map(placed, settings.writes)),
        maps=tuple(map(placed, settings.maps)),
    )
