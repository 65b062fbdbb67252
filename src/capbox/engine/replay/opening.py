"""What a run holds as it begins, written for a replay and read back.

Guarantees: grants, bounds and rules are text and numbers here, minted again by the composition root
alone. Does not: hold values of the host's variables, or of the operator's settings for tools: of
those, digests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, get_args

from capbox.authority.authority import Authority
from capbox.authority.budget import Budget
from capbox.authority.decision import AuthorityId, GrantId
from capbox.authority.grant import Grant
from capbox.authority.limits import Limits
from capbox.authority.parse import GrantError, parse_grant
from capbox.authority.paths import GrantPath, GuestPath, HostPath, Layout, Place
from capbox.authority.policy import NeverRule
from capbox.authority.values import label
from capbox.authority.values.kinds import Kind, Value
from capbox.authority.values.label import Source, Sources
from capbox.authority.web.places import ANY_HOST, FetchSelector, Origin, parse_origin
from capbox.gate.manifest import DeclaredSink, Manifest, ToolAccessKind
from capbox.gate.schema import Schema
from capbox.journal.counting import Used
from capbox.messages import Json, JsonObject

if TYPE_CHECKING:
    from capbox.gate.holdings import Holdings
    from capbox.gate.runner import Tool
    from capbox.gate.seat import Seat


_NO_HOST = "every.host.invalid"
_EVERY_HOST = re.compile(r"(?<=^fetch:http://)\*(?=:)|(?<=^fetch:https://)\*(?=:)")


@dataclass(frozen=True, slots=True)
class Written:
    """An authority as text: what the composition root mints it from again."""

    id: AuthorityId
    lineage: tuple[AuthorityId, ...]
    grants: tuple[Grant, ...]
    limits: Limits
    budget: Budget
    never: tuple[NeverRule, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """What the run held, and how it lay; `functions` are manifests and digests of the program's own
    tools, `settings` digests of what the operator had set for a tool. `used` is what others had
    drawn of its counters before, `sources` what it knew already.
    """

    authority: Written
    ceiling: Written | None
    leases: tuple[tuple[AuthorityId, tuple[Grant, ...]], ...]
    layout: Layout
    grounds: frozenset[Value]
    trusted: tuple[HostPath, ...]
    functions: Mapping[str, tuple[Manifest, str]]
    settings: Mapping[str, str]
    used: Mapping[GrantId, Used]
    sources: Sources


def described(
    seat: Seat,
    trusted: Iterable[HostPath],
    settings: Mapping[str, JsonObject],
    holdings: Holdings,
) -> JsonObject:
    """Return what `seat` holds before its first call, and what of it others have used."""
    held = (seat.authority, *seat.leases, *(() if seat.ceiling is None else (seat.ceiling,)))
    return {
        "authority": _written(seat.authority),
        "ceiling": None if seat.ceiling is None else _written(seat.ceiling),
        "leases": [[one.id, [str(m.grant) for m in one.grants]] for one in seat.leases],
        "workspace": seat.layout.workspace,
        "mounts": [[place.host, place.guest] for place in seat.layout.mounts],
        "grounds": sorted([value.kind, value.text] for value in seat.grounds),
        "trusted": list(trusted),
        "functions": {name: _function(tool) for name, tool in seat.functions.items()},
        "settings": {name: settings_digest(given) for name, given in settings.items()},
        "used": {name: astuple(used) for name, used in holdings.used(held).items()},
        "sources": sorted(map(_told, seat.context.now())),
    }


def settings_digest(given: JsonObject) -> str:
    """Return the SHA-256 of what the operator has set for a tool."""
    return sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()


def parse_opening(written: JsonObject) -> Opening:
    """Read what `described` wrote. Raises ValueError: it was written by another version."""
    match written:
        case {
            "authority": dict(authority),
            "ceiling": ceiling,
            "leases": [*leases],
            "workspace": str(workspace),
            "mounts": [*mounts],
            "grounds": [*grounds],
            "trusted": [*trusted],
            "functions": dict(functions),
            "settings": dict(settings),
            "used": dict(used),
            "sources": [*sources],
        }:
            places = tuple(Place(HostPath(a), GuestPath(b)) for a, b in map(_pair, mounts))
            return Opening(
                authority=_authority(authority),
                ceiling=_authority(ceiling) if isinstance(ceiling, dict) else None,
                leases=tuple(map(_lease, leases)),
                layout=Layout(HostPath(workspace), places),
                grounds=frozenset(Value(_kind(a), b) for a, b in map(_pair, grounds)),
                trusted=tuple(HostPath(str(one)) for one in trusted),
                functions={name: _manifest(name, told) for name, told in functions.items()},
                settings={name: str(digest) for name, digest in settings.items()},
                used={GrantId(name): _used(told) for name, told in used.items()},
                sources=frozenset(map(_source, sources)),
            )
        case _:
            raise ValueError("it does not say what the run held")


def grant_of(text: Json) -> Grant:
    """Return the grant that was recorded as `text`. Raises ValueError.

    A ceiling that the operator named no hosts for is for every host. `parse_grant` reads no such
    grant, since nobody may give it: here it is read with a host that cannot be, and put back.
    """
    written = _EVERY_HOST.sub(_NO_HOST, str(text))
    grant = parse_grant(written)
    if isinstance(grant, GrantError):
        raise ValueError(str(grant))
    if isinstance(grant.selector, FetchSelector) and grant.selector.host == _NO_HOST:
        return replace(grant, selector=replace(grant.selector, host=ANY_HOST))
    return grant


def limits_of(numbers: Json) -> Limits:
    """Return the bounds that were recorded in their order. Raises ValueError."""
    match numbers:
        case [float() | int() as wall, (int() | None) as fuel, *rest] if (
            len(rest) == len(Limits.__slots__) - 2
        ):
            return Limits(float(wall), fuel, *map(_whole, rest))
        case _:
            raise ValueError("not the bounds of a call")


def _budget(numbers: list[Json]) -> Budget:
    if len(numbers) == len(Budget.__slots__) and all(type(n) in (int, float) for n in numbers):
        return Budget(*numbers)  # type: ignore[arg-type]
    raise ValueError("not the bounds of a run")


def _whole(value: Json) -> int:
    if isinstance(value, int):
        return value
    raise ValueError("not a whole number")


def _written(authority: Authority) -> JsonObject:
    return {
        "id": authority.id,
        "lineage": list(authority.lineage),
        "grants": [str(minted.grant) for minted in authority.grants],
        "limits": astuple(authority.limits),
        "budget": astuple(authority.budget),
        "never": [[rule.action, rule.path] for rule in authority.never],
    }


def _authority(written: JsonObject) -> Written:
    match written:
        case {
            "id": str(id),
            "lineage": [*lineage],
            "grants": [*grants],
            "limits": [*limits],
            "budget": [*budget],
            "never": [*never],
        }:
            return Written(
                AuthorityId(id),
                tuple(AuthorityId(str(one)) for one in lineage),
                tuple(map(grant_of, grants)),
                limits_of(limits),
                _budget(budget),
                tuple(map(_rule, never)),
            )
        case _:
            raise ValueError("not an authority")


def _rule(written: Json) -> NeverRule:
    match written:
        case ["read", str(path)]:
            return NeverRule("read", GrantPath(path))
        case ["write", str(path)]:
            return NeverRule("write", GrantPath(path))
        case _:
            raise ValueError("not a rule")


def _lease(written: Json) -> tuple[AuthorityId, tuple[Grant, ...]]:
    match written:
        case [str(id), [*grants]]:
            return AuthorityId(id), tuple(map(grant_of, grants))
        case _:
            raise ValueError("not a lease")


def _used(written: Json) -> Used:
    match written:
        case [int(uses), int(count), [*times]]:
            return Used(uses, count, tuple(t for t in times if isinstance(t, int | float)))
        case _:
            raise ValueError("not what was used of a grant")


def _told(source: Source) -> tuple[str, str, bool, str]:
    return source.kind, source.name, source.trusted, str(source.origin or "")


def _source(written: Json) -> Source:
    kinds: tuple[label.Kind, ...] = get_args(label.Kind)
    match written:
        case [str(word), str(name), bool(trusted), str(place)] if word in kinds:
            origin = parse_origin(place) if place else None
            if origin is None or isinstance(origin, Origin):
                kind = next(one for one in kinds if one == word)
                return Source(kind, name, trusted=trusted, origin=origin)
    raise ValueError("not a source")


def _pair(written: Json) -> tuple[str, str]:
    match written:
        case [str(first), str(second)]:
            return first, second
        case _:
            raise ValueError("not a pair")


def _kind(text: str) -> Kind:
    kinds: tuple[Kind, ...] = get_args(Kind)
    return next(kind for kind in kinds if kind == text)


def _function(tool: Tool) -> JsonObject:
    manifest = tool.manifest
    return {
        "description": manifest.description,
        "access": manifest.access,
        "schema": manifest.schema.document,
        "limits": astuple(manifest.limits),
        "sinks": [[sink.argument, sink.kind] for sink in manifest.sinks],
        "digest": tool.digest,
    }


def _manifest(name: str, written: Json) -> tuple[Manifest, str]:
    match written:
        case {
            "description": str(description),
            "access": str(access),
            "schema": dict(schema),
            "limits": [*limits],
            "sinks": [*sinks],
            "digest": str(digest),
        }:
            levels: tuple[ToolAccessKind, ...] = get_args(ToolAccessKind)
            manifest = Manifest(
                name=name,
                version="",
                description=description,
                license="",
                module="",
                access=next(level for level in levels if level == access),
                schema=Schema(schema),
                paths=(),
                required=(),
                optional=(),
                limits=limits_of(limits),
                sinks=tuple(DeclaredSink(a, _kind(b)) for a, b in map(_pair, sinks)),
            )
            return manifest, digest
        case _:
            raise ValueError("not a function")
