"""Which tools a run offers to its model: those it was told to, or those that can do their work.

Guarantees: a tool whose required requests the run does not hold at all is not offered unless it was
named. Does not: grant anything; offering a tool and permitting its effects are two things.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from capbox.agent.plan import OfferedTool
from capbox.authority.authority import Authority
from capbox.engine.presets import named
from capbox.gate.manifest import Manifest, Request
from capbox.gate.runner import Tool


def offered(
    tools: Mapping[str, Tool], authority: Authority, chosen: tuple[str, ...] | None
) -> tuple[OfferedTool, ...]:
    """Return the tools for the model, sorted by name; `chosen` None means all that can work."""
    names = able({name: tool.manifest for name, tool in tools.items()}, authority, chosen)
    return tuple(
        OfferedTool(
            name=name,
            description=tools[name].manifest.description,
            input_schema=tools[name].manifest.schema.document,
            reads_only=tools[name].manifest.access in ("none", "read"),
        )
        for name in names
    )


def there(
    preset: str, manifests: Mapping[str, Manifest], shipped: Collection[str], held: Authority
) -> tuple[str, ...]:
    """Return the tools that a model may be offered: what the preset does not leave out, and of
    those that capbox brings (`shipped`) each that a grant names. Raises SettingsError.

    A person who calls a tool by its name is not held to that.
    """
    offered = named(preset).offered(manifests)
    granted = {str(m.grant.selector) for m in held.grants if m.grant.action == "tool"}
    return tuple(sorted({*offered, *granted.intersection(shipped)}))


def able(
    manifests: Mapping[str, Manifest], authority: Authority, chosen: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Return the names of the tools that are offered, sorted."""
    if chosen is not None:
        return tuple(sorted(set(chosen)))
    return tuple(name for name in sorted(manifests) if _can_work(manifests[name], authority))


def _can_work(manifest: Manifest, authority: Authority) -> bool:
    return all(_holds(authority, request) for request in manifest.required)


def _holds(authority: Authority, request: Request) -> bool:
    """Say whether any grant is of the requested kind; writing includes reading."""
    kinds = ("read", "write") if request.kind == "read" else (request.kind,)
    return any(minted.grant.action in kinds for minted in authority.grants)
