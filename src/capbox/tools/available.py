"""Every tool that this user has: those that capbox ships, and those that were installed.

The shipped `python` is the one with the packages that were added to it.

Guarantees: an installed tool never takes the name of a shipped one, nor the other way round; one
that cannot be used is named in `unusable` and keeps no other from being used. Does not: run any.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from capbox.tools.registry import Registry, RegistryError, load


def available(guests: Path, installed: Path) -> Registry:
    """Return the tools shipped in `guests`, and those of the packages in `installed`.

    `errors` are of shipped tools, without which nothing runs.
    """
    shipped = load(guests, shipped=True)
    if not installed.is_dir():
        return shipped
    from capbox.tools.packages.installing.loading import installed_tools
    from capbox.tools.wheels.loading import with_packages

    shipped = with_packages(shipped, guests, installed)
    tools, unusable = dict(shipped.tools), [*shipped.unusable]
    for found in installed_tools(installed):
        if isinstance(found, RegistryError):
            unusable.append(found)
        elif found.manifest.name in tools:
            reason = f"its tool is named {found.manifest.name}, as another one is"
            unusable.append(RegistryError(str(Path(found.module.path).parent), reason))
        else:
            tools[found.manifest.name] = found
    return replace(shipped, tools=tools, unusable=tuple(unusable))
