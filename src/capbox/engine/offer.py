"""Which tools a run offers to its model: those it was told to, or those that can do their work.

Guarantees: a tool whose required requests the run does not hold at all is not offered unless it was
named. Does not: grant anything; offering a tool and permitting its effects are two things.
"""

from __future__ import annotations

from collections.abc import Mapping

from capbox.agent.plan import OfferedTool
from capbox.authority.authority import Authority
from capbox.gate.manifest import Request
from capbox.gate.runner import Tool


def offered(
    tools: Mapping[str, Tool], authority: Authority, chosen: tuple[str, ...] | None
) -> tuple[OfferedTool, ...]:
    """Return the tools for the model, sorted by name; `chosen` None means all that can work."""
    names = sorted(tools) if chosen is None else sorted(set(chosen))
    return tuple(
        OfferedTool(
            name=name,
            description=tools[name].manifest.description,
            input_schema=tools[name].manifest.schema.document,
            reads_only=tools[name].manifest.access in ("none", "read"),
        )
        for name in names
        if chosen is not None or _can_work(tools[name], authority)
    )


def _can_work(tool: Tool, authority: Authority) -> bool:
    return all(_holds(authority, request) for request in tool.manifest.required)


def _holds(authority: Authority, request: Request) -> bool:
    """Say whether any grant is of the requested kind; writing includes reading."""
    kinds = ("read", "write") if request.kind == "read" else (request.kind,)
    return any(minted.grant.action in kinds for minted in authority.grants)
