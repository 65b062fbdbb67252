"""Why an access is allowed or denied: each grant that concerns it, and what it says.

Guarantees: the verdict is that of the authority itself, asked for one grant alone where it tells
them apart. Does not: change or spend anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from capbox.authority.access import (
    Access,
    EnvAccess,
    InvokeAccess,
    ModelAccess,
    ReadAccess,
    ToolAccess,
    WriteAccess,
    flag_for,
)
from capbox.authority.authority import Authority, Minted
from capbox.authority.decision import Allowed, Standing
from capbox.authority.grant import Grant, NameSelector
from capbox.authority.paths import WORKSPACE, GrantPath, Inside, Layout, PathRefusal, under
from capbox.authority.web.places import FetchAccess
from capbox.broker.url import Unreachable, locate
from capbox.engine import presets
from capbox.engine.control.keeping import StoreAccess, store_access, store_named
from capbox.engine.presets import named
from capbox.engine.settings import SettingsError
from capbox.tools.registry import Registry

_FORMS = (
    "read PATH, write PATH, fetch [METHOD] URL, tool NAME, invoke NAME, env NAME, model NAME, "
    "store NAME"
)


@dataclass(frozen=True, slots=True)
class Considered:
    """One grant, and what it says to the access."""

    grant: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision on one access. Chains run from what decided to the root it comes from."""

    access: str
    allowed_by: str | None
    grant_chain: tuple[str, ...]
    authority_chain: tuple[str, ...]
    reason: str
    considered: tuple[Considered, ...]
    flag: str | None


def read_access(text: str, layout: Layout) -> Access | StoreAccess:
    """Return the access that `text` names, paths as a tool would name them. Raises SettingsError.

    That is `read PATH` and so on; a path is relative to the workspace, or absolute, as `--read`
    has it; below /store it is in what a tool keeps.
    """
    action, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if not rest:
        raise SettingsError(repr(text), f"is no access; there are: {_FORMS}")
    match action:
        case "read" | "write":
            if (kept := store_access(action, rest)) is not None:
                return kept
            host = os.path.normpath(f"{layout.workspace}/{rest}")
            if not rest.startswith("/") and not under(host, layout.workspace):
                # As for --read: a tool would name the file at / of the sandbox, which nobody means.
                rest = host
            place = layout.locate(rest, WORKSPACE)
            if rest == host and isinstance(place, Inside) and place.grant is None:
                place = replace(place, grant=GrantPath(host))
            if isinstance(place, PathRefusal):
                raise SettingsError(rest, place.reason)
            path = place.grant
            if path is None:
                raise SettingsError(rest, "is a tool's own scratch, which needs no grant")
            return ReadAccess(path) if action == "read" else WriteAccess(path)
        case "fetch":
            method, _, url = rest.rpartition(" ")
            found = locate(method or "GET", url)
            if isinstance(found, Unreachable):
                raise SettingsError(rest, found.reason)
            return found
        case "tool":
            return ToolAccess(rest)
        case "invoke":
            return InvokeAccess(rest)
        case "env":
            return EnvAccess(rest)
        case "model":
            return ModelAccess(rest)
        case "store":
            if (store := store_named(rest)) is None:
                raise SettingsError(rest, "is no name of a store: small letters, digits, _ and -")
            return store
        case _:
            raise SettingsError(repr(text), f"is no access; there are: {_FORMS}")


def implied(
    access: Access | StoreAccess, registry: Registry, preset: str, grants: tuple[Grant, ...]
) -> tuple[Grant, ...]:
    """Return the grant of a tool that a run with `preset` holds unasked, if `access` is its use.

    Raises SettingsError for a tool that is neither there nor in `grants`.
    """
    if not isinstance(access, ToolAccess) or isinstance(access, InvokeAccess):
        return ()
    manifests = {name: tool.manifest for name, tool in registry.tools.items()}
    named_by = {str(g.selector) for g in grants if g.action == "tool"}
    if access.name not in {*manifests, *named_by}:
        reason = f"there is no such tool; there are: {', '.join(sorted(manifests))}"
        raise SettingsError(
            f"tool {access.name}", f"{reason}; a program's own is held by its grant"
        )
    found = access.name in named(preset).offered(presets.implied(registry.tools, None, None))
    return (Grant("tool", NameSelector(access.name)),) if found else ()


def explain(
    authority: Authority, access: Access | StoreAccess, layout: Layout, standing: Standing
) -> Explanation:
    """Return the decision on `access`, and what each grant of its kind says."""
    if isinstance(access, StoreAccess):
        return _explain_store(authority, access, standing)
    decision = authority.decide(access, standing)
    considered = tuple(
        Considered(str(minted.grant), _verdict(authority, minted, access, standing))
        for minted in authority.grants
        if _concerns(minted, access)
    )
    if isinstance(decision, Allowed):
        by = next(m for m in authority.grants if m.id == decision.grant)
        chain = (by.lineage, authority.lineage)
        return Explanation(str(access), str(by.grant), *chain, "", considered, None)
    flag = None if decision.missing is None else flag_for(access, layout)
    return Explanation(str(access), None, (), (), decision.reason, considered, flag)


def _explain_store(authority: Authority, access: StoreAccess, standing: Standing) -> Explanation:
    stores = [minted for minted in authority.grants if minted.grant.action == "store"]
    considered = tuple(Considered(str(m.grant), access.verdict(m, standing)) for m in stores)
    live = authority.live(standing)
    by = next((m for m in stores if m.grant.selector == access.selector and m in live), None)
    if by is not None:
        chain = (by.lineage, authority.lineage)
        return Explanation(str(access), str(by.grant), *chain, "", considered, None)
    reason = f"no grant of {access.missing}, a store, which tools keep that request it"
    flag = f"--grant {access.missing}"
    return Explanation(str(access), None, (), (), reason, considered, flag)


def _concerns(minted: Minted, access: Access) -> bool:
    if isinstance(access, ReadAccess | WriteAccess):
        return minted.grant.path is not None
    return minted.grant.action == access.action


def _verdict(authority: Authority, minted: Minted, access: Access, standing: Standing) -> str:
    alone = replace(authority, grants=(minted,)).decide(access, standing)
    if isinstance(alone, Allowed):
        return "allows it"
    if minted.grant.selects(access):
        return alone.reason
    if isinstance(access, WriteAccess) and minted.grant.selects(ReadAccess(access.path)):
        return "covers reading only"
    if isinstance(access, FetchAccess) and access.doubt is not None:
        return f"does not cover it: {access.doubt}"
    return "does not cover it"
