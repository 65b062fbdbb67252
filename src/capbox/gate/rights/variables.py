"""The variables that a call sees: those that the run holds and the tool requests.

Does not: read this process's environment; it is handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from capbox.authority.authority import Minted
from capbox.authority.decision import GrantId
from capbox.authority.grant import EnvSelector
from capbox.gate.manifest import Request


@dataclass(frozen=True, slots=True)
class Variables:
    """`values` by name; `shown` are the grants behind them, `of_host` those that none sets."""

    values: Mapping[str, str]
    shown: frozenset[GrantId]
    of_host: tuple[str, ...]


def variables(
    live: tuple[Minted, ...], requests: Iterable[Request], environment: Mapping[str, str]
) -> Variables:
    """Return what a tool with these requests gets of the host's `environment`."""
    names = {request.name for request in requests if request.kind == "env"}
    values: dict[str, str] = {}
    shown: set[GrantId] = set()
    of_host: dict[str, None] = {}
    for minted in live:
        selector = minted.grant.selector
        if isinstance(selector, EnvSelector) and not names.isdisjoint({None, selector.name}):
            value = environment.get(selector.name) if selector.value is None else selector.value
            if value is not None:
                values.setdefault(selector.name, value)
                shown.add(minted.id)
                of_host |= {selector.name: None} if selector.value is None else {}
    return Variables(values, frozenset(shown), tuple(of_host))
