"""Every tool that this user has: those that capbox ships, and those that were installed.

Guarantees: an installed tool never takes the name of a shipped one, nor the other way round; one
that cannot be used is named in `unusable` and keeps no other from being used. Does not: run any.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from capbox.tools.folder import load_folder
from capbox.tools.registry import Registry, RegistryError, load


def available(guests: Path, installed: Path) -> Registry:
    """Return the tools shipped in `guests`, and those in the folders below `installed`.

    `errors` are of shipped tools, without which nothing runs.
    """
    shipped = load(guests, shipped=True)
    tools, unusable = dict(shipped.tools), list[RegistryError]()
    for folder in _folders(installed):
        found = load_folder(folder)
        if isinstance(found, RegistryError):
            unusable.append(found)
        elif found.manifest.name in tools:
            reason = f"its tool is named {found.manifest.name}, as another one is"
            unusable.append(RegistryError(str(folder), reason))
        else:
            tools[found.manifest.name] = found
    return replace(shipped, tools=tools, unusable=tuple(unusable))


def _folders(installed: Path) -> list[Path]:
    return sorted(manifest.parent for manifest in installed.glob("*/tool.toml"))
