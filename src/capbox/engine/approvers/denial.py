"""What a policy denies, taken out of what any answer may lend.

A lease of a folder holds all that is below it, and nothing there is asked about any more: a rule
that only answered questions would be walked round by asking about the folder above.

Guarantees: what is left permits nothing that a rule denies, in any spelling of its name; it permits
nothing that was not there before. Does not: touch what a person grants by a flag.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from capbox.authority.caveats import Bytes, Except, ExceptPlaces
from capbox.authority.exclusions import folded, literal
from capbox.authority.grant import Grant, PathSelector
from capbox.authority.paths import WORKSPACE, GrantPath, Layout, below, joined, under
from capbox.authority.policy import NeverRule, never_in
from capbox.authority.web.places import FetchSelector


def denied_in(rules: Iterable[Grant], layout: Layout) -> tuple[Grant, ...]:
    """Return `rules` with every name that their paths have here: also where links lead."""
    found: list[Grant] = []
    for rule in rules:
        found.append(rule)
        if rule.path is None:
            continue
        inside = under(rule.path, WORKSPACE)
        host = joined(layout.workspace, below(rule.path, WORKSPACE)) if inside else rule.path
        named = (
            NeverRule("read" if rule.action == "read" else "write", GrantPath(path))
            for path in (host, os.path.realpath(host))
        )
        found += (Grant(n.action, PathSelector(n.path)) for n in never_in(named, layout))
    return tuple(dict.fromkeys(found))


def without(grants: Iterable[Grant], denied: tuple[Grant, ...]) -> tuple[Grant, ...]:
    """Return `grants` as narrow as `denied` asks for; one of which nothing is left is left out."""
    left = tuple(grants)
    for rule in denied:
        left = tuple(narrower for grant in left for narrower in _without(grant, rule))
    return tuple(dict.fromkeys(left))


def _without(grant: Grant, rule: Grant) -> Iterator[Grant]:
    if grant.path is not None and rule.path is not None:
        yield from _files(grant, grant.path, rule, rule.path)
    elif isinstance(grant.selector, FetchSelector) and isinstance(rule.selector, FetchSelector):
        yield from _requests(grant, grant.selector, rule.selector)
    elif grant.action != rule.action or not _overlap(grant, rule):
        yield grant


def _files(grant: Grant, path: GrantPath, rule: Grant, kept: GrantPath) -> Iterator[Grant]:
    within, holds = under(folded(path), folded(kept)), under(folded(kept), folded(path))
    reading_too = rule.action == "read"
    if not (within or holds) or (grant.action == "read" and not reading_too):
        yield grant
        return
    # What may be read there all the same; a counter would be doubled by a second grant.
    if not reading_too and not grant.counted:
        caveats = tuple(c for c in grant.caveats if not isinstance(c, Bytes))
        yield Grant("read", grant.selector, caveats)
    if within:
        return
    depth = 0 if path == "/" else path.count("/")
    inner = "/".join(kept.split("/")[depth + 1 :])
    # A comma parts globs: `?` stands for it, and for a few names more.
    glob = literal(inner).replace(",", "?")
    globs = tuple(dict.fromkeys((*grant.exceptions, glob)))
    others = tuple(c for c in grant.caveats if not isinstance(c, Except))
    yield replace(grant, caveats=(*others, Except(globs)))


def _requests(grant: Grant, held: FetchSelector, rule: FetchSelector) -> Iterator[Grant]:
    if rule.includes(held):
        return
    if _apart(held, rule):
        yield grant
        return
    path = None if rule.path is None else rule.path.replace(",", "%2c")
    query = None if rule.query is None else rule.query.replace(",", "%2c")
    methods = tuple((method,) for method in rule.methods)
    places = tuple(replace(rule, methods=m, path=path, query=query) for m in methods or ((),))
    left_out = grant.places_left_out or ExceptPlaces((), ())
    both = tuple(dict.fromkeys((*left_out.places, *places)))
    others = tuple(c for c in grant.caveats if not isinstance(c, ExceptPlaces))
    yield replace(grant, caveats=(*others, ExceptPlaces(both, left_out.networks)))


def _apart(one: FetchSelector, other: FetchSelector) -> bool:
    """Say whether surely no request is one of both."""
    single = [s.host for s in (one, other) if s.network is None and "*" not in s.host]
    return (
        one.scheme != other.scheme
        or one.ports[1] < other.ports[0]
        or other.ports[1] < one.ports[0]
        or (len(single) == 2 and single[0] != single[1])
    )


def _overlap(grant: Grant, rule: Grant) -> bool:
    bare, other = replace(grant, caveats=()), replace(rule, caveats=())
    if grant.action == "env":  # whatever its value
        names = {str(g.selector).partition("=")[0] for g in (bare, other)}
        return len(names) == 1
    return bare.covers(other) or other.covers(bare)
