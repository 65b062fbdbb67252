"""Where a run's grounded values come from, and whether grants and tools fit each other.

Guarantees: values come from what principals wrote alone: the task, the grants, the operator's
configuration, and the directory's entries that those name. Does not: read a file, a result of a
tool, or a reply of a model.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from capbox.authority.grant import Grant, NameSelector
from capbox.authority.values.arguments import Among, misfit
from capbox.authority.values.grounding import Entry, grounded_in
from capbox.authority.values.kinds import KINDS, Kind, Unfit, Value, canonical
from capbox.engine.settings import SettingsError
from capbox.gate.runner import Tool
from capbox.messages import JsonObject

Ground = Callable[[str], frozenset[Value]]
"""From what a principal wrote to the values that it names."""


def grounds(
    texts: Iterable[str],
    directory: tuple[Entry, ...],
    grants: Iterable[Grant],
    tools: Mapping[str, Tool],
) -> frozenset[Value]:
    """Return the values that principals supplied; `texts` are theirs, word for word."""
    found = {value for text in texts for value in grounded_in(text, directory)}
    for grant, tool in _conditional(grants, tools):
        kinds = tool.manifest.kinds
        named = ((c.name, c.test) for c in grant.conditions)
        for name, test in named:
            if isinstance(test, Among) and name in kinds:
                found.update(Value(kinds[name], text) for text in test.values)
    return frozenset(found)


def grounds_told(data: JsonObject | None) -> frozenset[Value]:
    """Return the values that an answer of a person named, as `ask_user` has them in its result."""
    listed = (data or {}).get("grounds")
    found: set[Value] = set()
    for one in listed if isinstance(listed, list) else ():
        match one:
            case [str(kind), str(text)] if kind in KINDS:
                found.add(Value(next(known for known in KINDS if known == kind), text))
            case _:
                pass
    return frozenset(found)


def refuse_misfits(grants: Collection[Grant], tools: Mapping[str, Tool]) -> None:
    """Raise SettingsError for a grant whose tool is not there, or cannot keep its `arg.`s."""
    for grant in grants:
        if isinstance(grant.selector, NameSelector) and grant.selector.name not in tools:
            there = ", ".join(sorted(tools))
            raise SettingsError(
                str(grant), f"there is no such tool or function; there are: {there}"
            )
    for grant, tool in _conditional(grants, tools):
        reason = misfit(grant.conditions, tool.manifest.kinds)
        if reason is not None:
            raise SettingsError(str(grant), reason)


def directory_of(listed: Mapping[str, Mapping[Kind, str]]) -> tuple[Entry, ...]:
    """Return the entries of `{"Alice": {"email": "alice@example.com"}}`. Raises SettingsError."""
    entries: list[Entry] = []
    for name, values in listed.items():
        found: list[Value] = []
        for kind, text in values.items():
            if kind not in KINDS:
                raise SettingsError(f"directory {name}", f"there is no kind {kind!r} of value")
            value = canonical(kind, text)
            if isinstance(value, Unfit):
                raise SettingsError(f"directory {name}", f"{text!r} {value.reason}")
            found.append(value)
        entries.append(Entry(name, tuple(found)))
    return tuple(entries)


def _conditional(
    grants: Iterable[Grant], tools: Mapping[str, Tool]
) -> Iterable[tuple[Grant, Tool]]:
    for grant in grants:
        name = grant.selector.name if isinstance(grant.selector, NameSelector) else None
        tool = None if name is None else tools.get(name)
        if tool is not None and grant.conditions:
            yield grant, tool
