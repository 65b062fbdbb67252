"""The tool `python` as this user has it: the shipped one, or the one with added wheels inside.

Guarantees: what was changed since it was packed, or was packed into another interpreter than the
one that capbox brings now, is not used and is named: packages never go missing silently. Does not:
pack.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from capbox.tools.registry import Found, Registry, RegistryError, found_tool, load_module
from capbox.tools.sdk.project import BuildError
from capbox.tools.sdk.python.resolving import plain
from capbox.tools.wheels.place import Packages, Place

TOOL = "python"
_SHOWN_MAX = 40
_REPACK = "`capbox python add` packs them anew"


def with_packages(shipped: Registry, guests: Path, tools: Path) -> Registry:
    """Return the shipped tools, with the packages that were added (`tools`: `Home.tools`)."""
    place = Place(tools)
    plain_one = shipped.tools.get(TOOL)
    if plain_one is None:
        return shipped
    try:
        packages = place.read()
        found = None if packages is None else _packed(place, packages, plain_one, guests)
    except BuildError as error:
        found = RegistryError(error.where, f"{error.reason}; {error.fix}")
    if found is None:
        return shipped
    if isinstance(found, Found):
        return replace(shipped, tools={**shipped.tools, TOOL: found})
    rest = {name: one for name, one in shipped.tools.items() if name != TOOL}
    return replace(shipped, tools=rest, unusable=(*shipped.unusable, found))


def _packed(
    place: Place, packages: Packages, shipped: Found, guests: Path
) -> Found | RegistryError:
    path = place.module(packages)
    if packages.shipped != shipped.module.digest:
        reason = f"its packages were packed for another version of capbox: {_REPACK}"
        return RegistryError(f"the tool {TOOL}", reason)
    # Its code is capbox's own, and runs nothing of a wheel before its request has come: that is
    # what `shipped` asks of a module.
    module = load_module(path, shipped=True)
    if isinstance(module, RegistryError):
        return replace(module, message=f"{module.message}: {_REPACK}")
    if module.digest != packages.module:
        # Attack: another module, put where the one that was packed lay.
        return RegistryError(str(path), f"was changed since it was packed: {_REPACK}")
    text = (guests / TOOL / f"{TOOL}.toml").read_text(encoding="utf-8")
    found = found_tool(shipped.manifest, module, text)
    description = f"{found.manifest.description.strip()} Packages: {_named(packages)}."
    return replace(found, manifest=replace(found.manifest, description=description))


def _named(packages: Packages) -> str:
    asked = {plain(one.partition("==")[0]) for one in packages.asked}
    names = [f"{one.name} {one.version}" for one in packages.wheels if one.package in asked]
    more = [f"and {len(names) - _SHOWN_MAX} more"] if len(names) > _SHOWN_MAX else []
    return ", ".join([*names[:_SHOWN_MAX], *more])
