"""Named sets of grants for common work, and the old names under which some are known.

Does not: grant anything; a preset is text that is parsed like any other grant.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of grants (as text) for common work."""

    name: str
    grants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PresetError:
    """A name that stands for no preset, and why."""

    name: str
    message: str


_PRESETS = (
    Preset("none", ()),
    Preset("read-only", ("read:/workspace",)),
    Preset("edit", ("write:/workspace",)),
)
_ALIASES = {"default": "none", "plan": "read-only", "acceptEdits": "edit"}
_LATER = ("search-only", "full", "auto", "bypassPermissions")


def preset(name: str) -> Preset | PresetError:
    """Return the preset of this name or alias."""
    wanted = _ALIASES.get(name, name)
    found = next((p for p in _PRESETS if p.name == wanted), None)
    if found is not None:
        return found
    if name in _LATER:
        return PresetError(name, f"preset {name} is not supported yet")
    known = ", ".join(p.name for p in _PRESETS)
    return PresetError(name, f"unknown preset {name!r}; there are: {known}")
