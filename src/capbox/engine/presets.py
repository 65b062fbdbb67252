"""Named sets of grants for common work, which tools go with them, and the old names of some.

Guarantees: none is in force that was not named; `auto` answers only within a ceiling of the
operator's own. Does not: grant anything; a preset is text that is parsed like any other grant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capbox.engine.settings import SettingsError
from capbox.gate.manifest import Manifest, ToolAccessKind

if TYPE_CHECKING:
    from capbox.gate.runner import Tool
    from capbox.tools.registry import Found

_EVERY: tuple[ToolAccessKind, ...] = ("none", "read", "write", "execute")
_LOOKING: tuple[ToolAccessKind, ...] = ("none", "read")


@dataclass(frozen=True, slots=True)
class Preset:
    """Grants (as text) for common work.

    A model is offered tools of these `levels` only, and of these names if `tools` has any.
    `web`: requests may be asked for; `automatic`: what is asked for is lent without asking.
    """

    name: str
    grants: tuple[str, ...]
    levels: tuple[ToolAccessKind, ...] = _EVERY
    tools: tuple[str, ...] = ()
    web: bool = True
    automatic: bool = False

    def offers(self, manifest: Manifest) -> bool:
        """Say whether a model is offered this tool."""
        named = not self.tools or manifest.name in self.tools
        return manifest.access in self.levels and named

    def offered(self, manifests: Mapping[str, Manifest]) -> tuple[str, ...]:
        """Return the names of the tools that a model is offered."""
        return tuple(sorted(name for name, one in manifests.items() if self.offers(one)))


@dataclass(frozen=True, slots=True)
class PresetError:
    """A name that stands for no preset, and why."""

    name: str
    message: str


_PRESETS = (
    Preset("none", ()),
    Preset("read-only", ("read:/workspace",), _LOOKING),
    Preset("search-only", ("read:/workspace",), _LOOKING, ("glob", "grep", "search", "tree")),
    Preset("edit", ("write:/workspace",)),
    Preset("full", ("write:/workspace",), web=False),
    Preset("auto", (), automatic=True),
)
_ALIASES = {
    "default": "none",
    "plan": "read-only",
    "acceptEdits": "edit",
    "bypassPermissions": "auto",
}


def preset(name: str) -> Preset | PresetError:
    """Return the preset of this name or alias."""
    wanted = _ALIASES.get(name, name)
    found = next((p for p in _PRESETS if p.name == wanted), None)
    if found is not None:
        return found
    known = ", ".join((*(p.name for p in _PRESETS), *_ALIASES))
    return PresetError(name, f"unknown preset {name!r}; there are: {known}")


def implied(
    tools: Mapping[str, Tool | Found],
    among: Collection[str] | None,
    chosen: Collection[str] | None,
) -> dict[str, Manifest]:
    """Return the tools that no grant has to name, by their names: `chosen` ones, which a person has
    named, and those that capbox or its program brings. With `among`, of these alone.

    A stranger's tool that is installed is not offered, and its use not lent, to whoever did not
    ask for it.
    """
    return {
        name: tool.manifest
        for name, tool in tools.items()
        if (among is None or name in among)
        and (tool.module.shipped or tool.manifest.is_function or name in (chosen or ()))
    }


def named(name: str) -> Preset:
    """Return the preset that a person has named. Raises SettingsError."""
    found = preset(name)
    if isinstance(found, PresetError):
        raise SettingsError("--preset", found.message)
    return found
