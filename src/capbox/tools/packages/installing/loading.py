"""Installed tools as the registry of tools takes them.

Guarantees: what was changed since it was installed is not used; what a manifest requests is cut to
what a person accepted; its words are made plain. Does not: run or compile.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from capbox.tools.folder import load_folder
from capbox.tools.packages.installing.place import Installed, Place
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.review.untrusted import told
from capbox.tools.registry import Found, RegistryError


def installed_tools(root: Path) -> tuple[Found | RegistryError, ...]:
    """Return every installed tool below `root`, and an error for each that cannot be used."""
    place = Place(root)
    found: list[Found | RegistryError] = []
    for one in place.installed():
        if isinstance(one, PackageError):
            found.append(RegistryError(one.subject, one.reason))
        else:
            found.append(_loaded(place, one))
    return tuple(found)


def unusable(root: Path) -> tuple[RegistryError, ...]:
    """Return what is installed and cannot be used, and why."""
    return tuple(one for one in installed_tools(root) if isinstance(one, RegistryError))


def _loaded(place: Place, one: Installed) -> Found | RegistryError:
    folder = place.folder(one)
    found = load_folder(folder)
    if isinstance(found, RegistryError):
        return found
    if found.digest != one.tool or found.manifest.name != one.package.tool:
        # Attack: another module, or a manifest that requests more, put where an approved one was.
        fix = f"capbox pkg install {shlex.quote(one.source)}"
        return RegistryError(str(folder), f"was changed since it was installed: {fix}")
    try:
        cut = told(found.manifest, one.requests, f"{one.name} {one.version}")
    except PackageError as error:
        return RegistryError(str(folder), error.reason)
    return replace(found, manifest=cut)
